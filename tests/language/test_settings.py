"""`--set` and `--dim`: values in the language's own syntax, checked as if they were written in the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from dlc.diagnostics import DlcError
from dlc.networks import Choice, elaborate
from dlc.passes.resolve import load_project
from language_runs import close, normal, run

SPEC = """
block double:
    input x: float[*B]
    output 2 * x

block triple:
    input x: float[*B]
    output 3 * x

network A(k: int = 1, rate: float = 0.5, on: bool = false,
          sizes: list[int] = [1], mode: str = "sum", f: block = double):
    input x: float[N, D = 4]
    y = (x * rate + k) -> f
    if on:
        y = -y
    for size in sizes:
        y = y * size
    if mode == "none":
        y = x
    output y

network B(k: int):
    input x: float[N, 4]
    output x + k

network C = A(k=7)
"""
X = normal(3, 4)


@pytest.mark.parametrize(
    ("network", "settings", "expected"),
    [
        ("A", {}, 2 * (X * 0.5 + 1)),
        ("A", {"k": "3"}, 2 * (X * 0.5 + 3)),
        ("A", {"k": "2 ** 3 - 1", "rate": "1 / 4"}, 2 * (X / 4 + 7)),
        ("A", {"rate": "2"}, 2 * (X * 2 + 1)),
        ("A", {"on": "true", "k": "-1"}, -2 * (X * 0.5 - 1)),
        ("A", {"sizes": "[2, 3]"}, 12 * (X * 0.5 + 1)),
        ("A", {"sizes": "[i + 1 for i in range(3)]"}, 12 * (X * 0.5 + 1)),
        ("A", {"sizes": "[]"}, 2 * (X * 0.5 + 1)),
        ("A", {"mode": '"none"'}, X),
        ("A", {"f": "triple"}, 3 * (X * 0.5 + 1)),
        ("B", {"k": "5"}, X + 5),
        ("C", {}, 2 * (X * 0.5 + 7)),
        ("C", {"rate": "1"}, 2 * (X + 7)),
        ("C", {"k": "0"}, X),
    ],
)
def test_set(tmp_path: Path, network: str, settings: Mapping[str, str], expected: np.ndarray) -> None:
    close(run(tmp_path, SPEC, {"x": X}, choice=Choice(network, settings)).output, expected)


@pytest.mark.parametrize(
    ("network", "settings", "code"),
    [
        ("A", {"j": "3"}, "E0308"),
        ("A", {"k": "1.5"}, "E0310"),
        ("A", {"k": "true"}, "E0310"),
        ("A", {"on": "1"}, "E0310"),
        ("A", {"sizes": "3"}, "E0310"),
        ("A", {"mode": "sum_"}, "E0201"),
        ("A", {"k": "1 +"}, "E0101"),
        ("A", {"k": "3 4"}, "E0101"),
        ("A", {"k": "x"}, "E0201"),
        ("A", {"f": "quadruple"}, "E0201"),
        ("B", {}, "E0309"),
        ("D", {}, "E0203"),
    ],
)
def test_wrong_settings(tmp_path: Path, network: str, settings: Mapping[str, str], code: str) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(SPEC, encoding="utf-8")
    with pytest.raises(DlcError) as raised:
        elaborate(load_project(path), Choice(network, settings))
    assert raised.value.diagnostics[0].code == code


def test_dim_fixes_a_dynamic_dimension_and_replaces_a_size(tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(SPEC, encoding="utf-8")
    for sizes, expected in (({}, "float[N, 4]"), ({"N": 2}, "float[2, 4]"), ({"N": 2, "D": 6}, "float[2, 6]")):
        (network,) = elaborate(load_project(path), Choice("A", {}, sizes)).unit.networks
        entry = network.inference.module(network.inference.entry)
        assert [str(entry.types[port.value]) for port in entry.outputs] == [expected]


def test_a_fixed_dimension_is_a_constant(tmp_path: Path) -> None:
    """What needs a number at compile time works once --dim gives it."""
    text = """
network A:
    input x: float[N, T]
    total = 0.0
    for t in range(T):
        total = total + (t + 1) * x[:, t]
    output total
"""
    with pytest.raises(DlcError, match="E0503"):
        run(tmp_path, text, {"x": X})
    close(run(tmp_path, text, {"x": X}, choice=Choice("A", {}, {"T": 4})).output, X @ [1, 2, 3, 4])


def test_a_dimension_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(SPEC, encoding="utf-8")
    with pytest.raises(DlcError) as raised:
        elaborate(load_project(path), Choice("A", {}, {"Q": 2}))
    assert (raised.value.diagnostics[0].code, raised.value.exit_code) == ("E0203", 2)
