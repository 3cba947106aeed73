"""`scan` against the same recurrence written as a loop in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import Ran, close, normal, run

N, T, I, D = 3, 5, 4, 2  # noqa: E741
X = normal(N, T, I)
ALL = np.full(N, T)
LENGTHS = np.array([5, 2, 0])
CELL = """
block cell(units: int):
    input x: float[N, I]
    state h: float[N, units] = 0.25
    next h = tanh(dense(units)(x) + dense(units, bias=false)(h))
    output y = 2 * next h
    output seen = h
"""


def recurrence(
    ran: Ran, start: np.ndarray, lengths: np.ndarray = ALL, reverse: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of `cell`, row by row: its outputs y and seen [N, T, D], and its final states."""
    weight, bias, recurrent = ran.weight("dense.weight"), ran.weight("dense.bias"), ran.weight("dense_2.weight")
    y, seen, final = np.zeros((N, T, D)), np.zeros((N, T, D)), np.zeros((N, D))
    for row in range(N):
        h = start[row]
        steps = range(lengths[row])
        for t in reversed(steps) if reverse else steps:
            seen[row, t] = h
            h = np.tanh(weight @ X[row, t] + bias + recurrent @ h)
            y[row, t] = 2 * h
        final[row] = h
    return y, seen, final


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [False, True])
def test_directions_and_lengths(tmp_path: Path, reverse: bool, lengths: bool) -> None:
    """Outputs past the length are 0, the state stays; a reversed scan starts at the last valid step."""
    text = (
        CELL
        + f"""
network A:
    input x: float[N, T, 4]
    input lengths: int[N] in 0..T + 1
    r = x -> scan(cell(2), axis=1, reverse={str(reverse).lower()}{", lengths=lengths" * lengths})
    output y = r.y
    output seen = r.seen
    output final = r.h
"""
    )
    found = run(tmp_path, text, {"x": X, "lengths": LENGTHS})
    used = LENGTHS if lengths else ALL
    for name, expected in zip(
        ("y", "seen", "final"), recurrence(found, np.full((N, D), 0.25), used, reverse), strict=True
    ):
        close(found[name], expected)


def test_a_given_state_and_another_axis(tmp_path: Path) -> None:
    text = (
        CELL
        + """
network A:
    input x: float[T, N, 4]
    input start: float[N, 2]
    r = scan(cell(2), x, axis=0, h=start)
    output y = r.y
    output final = r.h
"""
    )
    start = normal(N, D, seed=5)
    found = run(tmp_path, text, {"x": X.swapaxes(0, 1), "start": start})
    y, _, final = recurrence(found, start)
    close(found["y"], y.swapaxes(0, 1))
    close(found["final"], final)


def test_two_scanned_inputs_and_a_captured_one(tmp_path: Path) -> None:
    text = """
block cell:
    input a: float[N, D]
    input b: float[N, D]
    input rate: float[D]
    state h: float[N, D] = 1
    next h = rate * h + a * b
    output next h

network A:
    input a: float[N, T, 2]
    input b: float[N, T, 2]
    input rate: float[2]
    output y = scan(cell, a, b, rate=rate)
"""
    a, b, rate = normal(N, T, D), normal(N, T, D, seed=3), np.array([0.5, -0.9])
    h, expected = np.ones((N, D)), np.zeros((N, T, D))
    for t in range(T):
        h = expected[:, t] = rate * h + a[:, t] * b[:, t]
    close(run(tmp_path, text, {"a": a, "b": b, "rate": rate}).output, expected)


def test_steps_without_a_scanned_input(tmp_path: Path) -> None:
    """Fibonacci, ten steps."""
    text = """
block cell:
    input start: float[N]
    state a: float[N]
    state b: float[N] = 1
    next a = b
    next b = a + b
    output a * start

network A:
    input start: float[N]
    r = scan(cell, steps=10, start=start, a=start * 0, b=start * 0 + 1)
    output y = r.output
    output last = r.b
"""
    found = run(tmp_path, text, {"start": np.array([1.0, 2.0])})
    fibonacci = np.array([0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
    close(found["y"], np.stack([fibonacci, 2 * fibonacci]))
    close(found["last"], [89.0, 89.0])


LIFTED = """
block counter:
    input x: float[N, D]
    state total: float[N, D] = 0
    next total = total + x
    output next total

block outer:
    input x: float[N, D]
    state own: float[N, D] = 1
    first = counter()
    second = counter()
    next own = own * 0.5
    output y = second(first(x)) + own
"""


def test_lifted_states_and_bundles(tmp_path: Path) -> None:
    """A nested cell's states belong to the cell around it, and continue where they are given back as a bundle."""
    text = (
        LIFTED
        + """
network A:
    input x: float[N, T, 2]
    r = x -> scan(outer)
    again = scan(outer, x, own=r.own, first=r.first, second=r.second)
    output y = r.y
    output total = r.first.total
    output later = again.y
"""
    )
    x = normal(N, T, D)
    both = np.concatenate([x, x], axis=1)
    first = np.cumsum(both, axis=1)
    expected = np.cumsum(first, axis=1) + 0.5 ** np.arange(2 * T)[:, None]
    found = run(tmp_path, text, {"x": x})
    close(found["y"], expected[:, :T])
    close(found["total"], first[:, T - 1])
    close(found["later"], expected[:, T:])


def test_states_of_a_network_are_inputs_and_outputs(tmp_path: Path) -> None:
    text = LIFTED + "\nnetwork A:\n    input x: float[N, 2]\n    output y = outer(x)\n"
    x, total = normal(N, D), normal(N, D, seed=3)
    given = {"x": x, "outer.own": x * 0 + 4, "outer.first.total": total, "outer.second.total": 2 * total}
    found = run(tmp_path, text, given)
    close(found["y"], (x + total) + 2 * total + 4)
    close(found["next outer.first.total"], x + total)
    close(found["next outer.second.total"], x + 3 * total)
    close(found["next outer.own"], x * 0 + 2)
    close(run(tmp_path, text, {"x": x})["y"], x + 1)


def test_a_pure_call_is_one_step(tmp_path: Path) -> None:
    text = (
        CELL
        + """
network A:
    input x: float[N, 4]
    input start: float[N, 2]
    r = cell(2)(x, h=start)
    output y = r.y
    output after = r.h
"""
    )
    start = normal(N, D, seed=5)
    found = run(tmp_path, text, {"x": X[:, 0], "start": start})
    weight, bias, recurrent = (found.weight(p) for p in ("dense.weight", "dense.bias", "dense_2.weight"))
    after = np.tanh(X[:, 0] @ weight.T + bias + start @ recurrent.T)
    close(found["after"], after)
    close(found["y"], 2 * after)
