"""Promotion, division, remainders and broadcasting, on tensors and on constants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import close, normal, run

I = np.array([[-7, -6, -1], [0, 5, 8]])  # noqa: E741
J = np.array([[2, -4, 3], [-3, 2, -5]])
F = normal(2, 3)
B = np.array([[True, False, True], [False, False, True]])
HEAD = """
network A:
    input i: int[N, 3]
    input j: int[N, 3]
    input f: float[N, 3]
    input b: bool[N, 3]
    output y = """
CASES = {
    "i + f": I + F,
    "i - 2": I - 2,
    "i * 1.5": I * 1.5,
    "2.5 - i": 2.5 - I,
    "f * b": F * B,
    "i + b": I + B,
    "b + b": B.astype(int) + B,
    "i / 2": I / 2,
    "i / j": I / J,
    "b / 4": B / 4,
    "i // 2": I // 2,
    "i // j": I // J,
    "i % 4": I % 4,
    "i % j": I % J,
    "i % -4": I % -4,
    "f // 0.3": F // 0.3,
    "f % 0.3": F % 0.3,
    "7 // j": 7 // J,
    "i ** 2": I**2,
    "2.0 ** i": 2.0**I,
    "-i": -I,
    "-f ** 2": -(F**2),
    "2 ** 3 ** 2 + i": 512 + I,
    "-7 // 2 + i": -4 + I,
    "-7 % 3 + i": 2 + I,
    "7 % -3 + i": -2 + I,
    "i - 3 - j": I - 3 - J,
    "i / 2 * j": I / 2 * J,
    "float(i) // 2": np.floor(I / 2),
    "int(f * 10)": np.trunc(F * 10).astype(int),
    "int(b)": B.astype(int),
    "bool(i)": I != 0,
    "i > j": I > J,
    "(i > 0) & (f < 0.5) | ~b": (I > 0) & (F < 0.5) | ~B,
    "i == 5": I == 5,
    "f != f": F != F,
    "where(b, i, 0)": np.where(B, I, 0),
    "where(b, i, 0.5)": np.where(B, I, 0.5),
    "where(b, 1, f)": np.where(B, 1, F),
    "sum(int(b))": B.sum(),
    "mean(float(i), axis=0)": I.mean(axis=0),
    "N + i": 2 + I,
    "N / 4 + f": 0.5 + F,
    "(N + 5) // 3 * i": 2 * I,
}


@pytest.mark.parametrize("expression", CASES)
def test_value_and_type(tmp_path: Path, expression: str) -> None:
    found = run(tmp_path, HEAD + expression + "\n", {"i": I, "j": J, "f": F, "b": B})["y"]
    expected = np.asarray(CASES[expression])
    assert found.dtype.kind == expected.dtype.kind, f"{found.dtype}, not {expected.dtype}"
    close(found, expected)


@pytest.mark.parametrize(
    ("first", "second", "expression"),
    [
        ("N, 3", "3", "a + b"),
        ("N, 3", "N, 1", "a * b"),
        ("N, 1", "1, 4", "a - b"),
        ("N, T, 1", "T, 5", "a / b"),
        ("N, 1, T", "N, 5, 1", "maximum(a, b)"),
        ("1", "N, T", "a < b"),
        ("2, 1, 3", "4, 1", "a ** 2 + b"),
        ("N, 2, 3", "N, 3, 4", "a @ b"),
        ("N, 2, 3", "3, 4", "a @ b"),
        ("N, 2, 3", "3", "a @ b"),
        ("3", "N, 3, 2", "a @ b"),
    ],
)
def test_broadcasting(tmp_path: Path, first: str, second: str, expression: str) -> None:
    sizes = {"N": 2, "T": 3}
    a, b = (
        normal(*(sizes.get(part) or int(part) for part in shape.split(", ")), seed=seed)
        for seed, shape in enumerate((first, second))
    )
    text = f"network A:\n    input a: float[{first}]\n    input b: float[{second}]\n    output y = {expression}\n"
    found = run(tmp_path, text, {"a": a, "b": b})["y"]
    close(found, eval(expression, {"a": a, "b": b, "maximum": np.maximum}))
