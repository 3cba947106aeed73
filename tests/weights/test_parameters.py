"""Which parameters a network has, and what they are called."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.ir import Origin, Program
from dlc.ir_text import read
from dlc.parameters import LIMIT, join, network_parameters, parameters
from dlc.spec.source import Span

PROGRAMS = Path(__file__).parents[1] / "ir" / "programs"


def program(name: str) -> Program:
    return read((PROGRAMS / f"{name}.ir").read_text())


def test_paths_through_calls_and_scans() -> None:
    assert [(p.path, p.shape, p.kind) for p in parameters(program("recurrent"))] == [
        ("start", (3,), "param"),
        ("scan.forward.dense.weight", (3, 4), "param"),
        ("scan.forward.dense.bias", (3,), "param"),
        ("scan.forward.dense_2.weight", (3, 3), "param"),
        ("scan.forward.dense_2.bias", (3,), "param"),
        ("scan.backward.dense.weight", (3, 4), "param"),
        ("scan.backward.dense.bias", (3,), "param"),
        ("scan.backward.dense_2.weight", (3, 3), "param"),
        ("scan.backward.dense_2.bias", (3,), "param"),
    ]


def test_a_given_instance_belongs_to_its_maker() -> None:
    assert [p.path for p in parameters(program("normed"))] == [
        "norm.scale",
        "norm.shift",
        "norm.running_mean",
        "norm.running_var",
        "table.weight",
    ]


def test_an_instance_that_is_only_used_where_it_is_given() -> None:
    text = (PROGRAMS / "normed.ir").read_text()
    text = text.replace(
        "%1: float[N, 4] = call @0 norm#0{N=N}(%0)\n  %2: float[N, 4], %3",
        "%1: float[N, 4] = relu(%0)\n  %2: float[N, 4], %3",
    )
    found = parameters(read(text))
    assert [p.path for p in found][:2] == ["norm.scale", "norm.shift"]


def nested(depth: int, twice: bool = True, parameter: bool = True) -> Program:
    """Module k calls two instances of module k - 1; module 0 has one parameter."""
    own = "  param %1 w: float[2] ~ normal()\n" if parameter else "  %1: float[N] = relu(%0)\n"
    texts = [
        f"program Deep inference entry m#{depth}\n",
        f'module m#0 = "d.dl":m0 values 2\n  input %0 x: float[N]\n{own}  output %0 y\n',
    ]
    for level in range(1, depth + 1):
        texts.append(
            f'module m#{level} = "d.dl":m{level} values 3\n  input %0 x: float[N]\n'
            f'  instance a site a = "d.dl":m{level - 1}()\n  instance b site b = "d.dl":m{level - 1}()\n'
            f"  %1: float[N] = call @0 m#{level - 1}{{N=N}}(%0)\n"
            f"  %2: float[N] = call @{int(twice)} m#{level - 1}{{N=N}}(%1)\n  output %2 y\n"
        )
    return read("".join(texts))


def test_all_instances_of_a_tree() -> None:
    assert [p.path for p in parameters(nested(2))] == ["a.a.w", "a.b.w", "b.a.w", "b.b.w"]
    assert [p.path for p in parameters(nested(2, twice=False))] == ["a.a.w"]
    assert len(parameters(nested(10))) == 1024


@pytest.mark.parametrize("parameter", [True, False])
def test_forty_doublings_are_told_not_tried(parameter: bool) -> None:
    started = time.monotonic()
    with pytest.raises(DlcError) as caught:
        parameters(nested(40, parameter=parameter))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0590"
    assert diagnostic.expected == f"at most {LIMIT:,}"
    assert time.monotonic() - started < 30  # against hangs; benchmarks/bad_input.py measures


def two_calls(second: str, where: str = "call @0 b#1{N=N}(%0)") -> Program:
    return read(
        'program Two inference entry Two#0\nmodule b#0 = "t.dl":b values 2\n  input %0 x: float[N]\n'
        "  param %1 w: float[2, 3] ~ normal(0, 0.02)\n  output %0 y\n"
        f'module b#1 = "t.dl":b values 2\n  input %0 x: float[N]\n  {second}\n  output %0 y\n'
        'module Two#0 = "t.dl":Two values 3\n  input %0 x: float[N]\n  instance w site b = "t.dl":b()\n'
        f"  %1: float[N] = call @0 b#0{{N=N}}(%0)\n  %2: float[N] = {where}\n  output %2 y\n"
    )


def test_one_instance_through_two_modules() -> None:
    found = parameters(two_calls("param %1 w: float[2, 3] ~ normal(0, 0.02)"))
    assert [(p.path, p.shape) for p in found] == [("w.w", (2, 3))]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("param %1 w: float[2, 4] ~ normal(0, 0.02)", "param w: float[2, 4] ~ normal(0, 0.02)"),
        ("param %1 w: float[2, 3] ~ normal(0, 0.03)", "param w: float[2, 3] ~ normal(0, 0.03)"),
        ("param %1 w: f16[2, 3] ~ normal(0, 0.02)", "param w: f16[2, 3] ~ normal(0, 0.02)"),
        ("buffer %1 w: float[2, 3] ~ normal(0, 0.02)", "buffer w: float[2, 3] ~ normal(0, 0.02)"),
        ("param %1 v: float[2, 3] ~ normal(0, 0.02)", "no `w`"),
    ],
)
def test_modules_that_disagree_are_told_with_both_calls(second: str, words: str) -> None:
    made = two_calls(second)
    *others, entry = made.modules
    body = tuple(replace(e, origin=Origin(Span("t.dl", 5 + i, 1, 5 + i, 9))) for i, e in enumerate(entry.body))
    with pytest.raises(DlcError) as caught:
        parameters(replace(made, modules=(*others, replace(entry, body=body))))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0490"
    assert diagnostic.message == "two calls of `w` need different parameters"
    assert (diagnostic.found, diagnostic.expected) == (words, "param w: float[2, 3] ~ normal(0, 0.02)")
    assert str(diagnostic.span) == "t.dl:6:1"
    assert str(diagnostic.notes[0].span) == "t.dl:5:1"


def test_both_modes_have_one_list() -> None:
    training = program("recurrent")
    assert network_parameters(training, training) == parameters(training)


def test_joining() -> None:
    assert join("", "unit.0", "", "weight") == "unit.0.weight"
