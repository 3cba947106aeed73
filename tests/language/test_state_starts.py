"""A state starts with any expression over parameters: against the same recurrence in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from language_runs import Array, close, normal, run

N, T, D = 3, 4, 2
X = normal(N, T, D)
CELL = """
block doubled:
    input a: float[*B, K]
    output 2 * a


block cell(rate: float, parts: int = 1):
    input x: float[N, D]
    param first: float[D] ~ normal(0, 1)
    param table: float[3, D] ~ normal(0, 1)
    half = rate / 2
    state h: float[N, D] = START
    next h = rate * h + x
    output y = h
"""
NETWORK = """
network A:
    input x: float[Rows, T, 2]
    r = x -> scan(cell(0.5))
    output y = r.y
    output last = r.h
"""


def states(start: Array, rate: float = 0.5) -> Array:
    """The old states [N, T, D] of `cell`, then the last one."""
    h = np.broadcast_to(start, (N, D))
    found = [h]
    for t in range(T):
        h = rate * h + X[:, t]
        found.append(h)
    return np.stack(found, axis=1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tanh(first)", lambda first, _: np.tanh(first)),
        ("first", lambda first, _: first),
        ("expand_dims(first, 0) * rate", lambda first, _: first * 0.5),
        ("first[:1]", lambda first, _: first[:1]),
        ("half * first + N", lambda first, _: 0.25 * first + N),
        ("float(N + D)", lambda *_: np.full(D, N + D)),
        ("softmax(first, axis=-1) -> doubled", lambda first, _: 2 * np.exp(first) / np.exp(first).sum()),
        ("sum([table[i] for i in range(3)][1], keepdims=true)", lambda _, table: table[1].sum(keepdims=True)),
        ("first if rate > 0.4 else table[0]", lambda first, _: first),
        ("rate + half", lambda *_: np.full(D, 0.75)),
    ],
)
def test_expressions(tmp_path: Path, written: str, meant: object) -> None:
    assert callable(meant)
    found = run(tmp_path, CELL.replace("START", written) + NETWORK, {"x": X})
    expected = states(meant(found.weight("first"), found.weight("table")))
    close(found["y"], expected[:, :T])
    close(found["last"], expected[:, T])


NESTED = """
block outer:
    input x: float[N, D]
    inner = cell(0.5)
    state own: float[N, D] = 1
    next own = own * 2
    output y = inner(x) + own


block outermost(cells: int):
    input x: float[N, D]
    for _ in range(cells):
        x = x -> outer
    output y = x


network A:
    input x: float[N, T, 2]
    output y = x -> scan(outermost(2))
"""


def test_a_lifted_state_keeps_its_start(tmp_path: Path) -> None:
    """Two cells in a loop, two levels down: each starts from its own parameter."""
    found = run(tmp_path, CELL.replace("START", "tanh(first)") + NESTED, {"x": X})
    signal = X
    for turn in range(2):
        h = np.broadcast_to(np.tanh(found.weight(f"outer.{turn}.inner.first")), (N, D))
        seen = np.zeros((N, T, D))
        for t in range(T):
            seen[:, t] = h + 2**t
            h = 0.5 * h + signal[:, t]
        signal = seen
    close(found["y"], signal)


def test_a_given_layer_keeps_the_start_of_its_state(tmp_path: Path) -> None:
    text = (
        CELL.replace("START", "tanh(first)")
        + """
block user(held: layer):
    input x: float[N, D]
    output y = held(x)


network A:
    input x: float[N, T, 2]
    shared = cell(0.5)
    output y = x -> scan(user(shared))
    output same = x -> scan(shared)
"""
    )
    found = run(tmp_path, text, {"x": X})
    expected = states(np.tanh(found.weight("shared.first")))[:, :T]
    close(found["y"], expected)
    close(found["same"], expected)


def test_a_start_is_read_among_the_names_of_its_file(tmp_path: Path) -> None:
    """Its blocks are those of the cell's file, whatever they are called where the cell is used."""
    (tmp_path / "cells.dl").write_text(CELL.replace("START", "tanh(first) -> doubled"), encoding="utf-8")
    own = "block doubled:\n    input a: float[*B]\n    output 7 * a\n\n\n"
    found = run(tmp_path, f'import "cells.dl"\n\n\n{own}{NETWORK}', {"x": X})
    close(found["last"], states(2 * np.tanh(found.weight("first")))[:, T])


def test_a_given_state_wins_and_a_border_needs_it(tmp_path: Path) -> None:
    cell = CELL.replace("START", "tanh(first)")
    given = cell + NETWORK.replace("scan(cell(0.5))", "scan(cell(0.5), h=x[:, 0])")
    close(run(tmp_path, given, {"x": X})["last"], states(X[:, 0])[:, T])
    border = cell + "\nnetwork A:\n    input x: float[N, 2]\n    output y = cell(0.5)(x)\n"
    found = run(tmp_path, border, {"x": X[:, 0], "y.h": X[:, 1]})
    close(found["y"], X[:, 1])
    close(found["next y.h"], 0.5 * X[:, 1] + X[:, 0])


def test_a_start_changes_no_parameter_name(tmp_path: Path) -> None:
    """A block without parameters in a start takes no name that the caller's text gives."""
    text = (
        CELL
        + """
network A:
    input x: float[N, T, 2]
    r = x -> scan(cell(0.5))
    doubled = dense(3)
    start_doubled = dense(4)
    output y = r.y
    output z = doubled(x)
    output w = start_doubled(x)
"""
    )
    names: list[list[str]] = []
    for start in ("0", "first -> doubled"):
        path = tmp_path / "spec.dl"
        path.write_text(text.replace("START", start), encoding="utf-8")
        (network,) = elaborate(load_project(path)).unit.networks
        names.append([p.path for p in network_parameters(network.inference, network.training)])
    assert names[0] == names[1]
    assert "start_doubled.weight" in names[0]
