"""Indexing and slicing mean what NumPy means, except for `x[:, -M:]` with M = 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.diagnostics import DlcError
from language_runs import close, normal, run

X = normal(3, 7, 4)
#: Expressions that Python and the language write alike.
ALIKE = [
    "x[0]",
    "x[-1]",
    "x[:, 2]",
    "x[:, -3]",
    "x[1:, 2:5]",
    "x[:, :-2]",
    "x[:, -3:]",
    "x[:, -5:-1]",
    "x[:, ::2]",
    "x[:, 1::3]",
    "x[:, 1:6:2, 3]",
    "x[:, ::-1]",
    "x[0, 1:3, -1]",
    "x[:, 3:3]",
    "x[:][1]",
    "x[...]",
    "x[..., 0]",
    "x[1, ...]",
    "x[1, ..., ::2]",
    "x[..., 1:3, :]",
    "x[0, 1, ..., 2]",
]


@pytest.mark.parametrize("shape", ["3, 7, 4", "N, T, 4"])
@pytest.mark.parametrize("expression", ALIKE)
def test_as_numpy(tmp_path: Path, expression: str, shape: str) -> None:
    found = run(tmp_path, f"network A:\n    input x: float[{shape}]\n    output {expression}\n", {"x": X})
    close(found.output, eval(expression, {"x": X}))


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_the_last_m(tmp_path: Path, count: int) -> None:
    text = f"network A(M: int = {count}):\n    input x: float[N, 7, 4]\n    output x[:, -M:]\n"
    close(run(tmp_path, text, {"x": X}).output, X[:, 7 - count :])


@pytest.mark.parametrize("count", [0, 2, 5])
def test_the_last_m_where_m_is_dynamic(tmp_path: Path, count: int) -> None:
    """M is another input's length, known when the network runs; 0 takes none, where NumPy would take all."""
    text = """
network A:
    input x: float[N, T, 4]
    input other: float[N, M]
    output last = x[:, -M:]
    output first = x[:, :M]
    output rest = x[:, M:]
"""
    found = run(tmp_path, text, {"x": X, "other": np.zeros((3, count))})
    close(found["last"], X[:, 7 - count :])
    close(found["first"], X[:, :count])
    close(found["rest"], X[:, count:])


def test_one_integer_tensor_gathers(tmp_path: Path) -> None:
    text = """
network A:
    input x: float[N, T, 4]
    input i: int[K, 2] in 0..T
    output rows = x[:, i]
    output first = x[0, i]
    output part = x[1:, i, 1:3]
"""
    index = np.array([[0, 6], [3, 3], [5, 1]])
    found = run(tmp_path, text, {"x": X, "i": index})
    close(found["rows"], X[:, index])
    close(found["first"], X[0][index])
    close(found["part"], X[1:][:, index][..., 1:3])


@pytest.mark.parametrize("expression", ["x[i, :, 0]", "x[0, i, :]", "x[:, i, 0]", "x[:, 0, j]", "x[i, 0]"])
def test_a_tensor_beside_an_index(tmp_path: Path, expression: str) -> None:
    text = f"""
network A:
    input x: float[3, 7, 4]
    input i: int[2, 2]
    input j: int[2, 2]
    output {expression}
"""
    index, other = np.array([[0, 2], [1, 1]]), np.array([[3, 2], [0, 1]])
    close(
        run(tmp_path, text, {"x": X, "i": index, "j": other}).output, eval(expression, {"x": X, "i": index, "j": other})
    )


@pytest.mark.parametrize("expression", ["x[0, :, i]", "x[:, 0, :, i]", "x[0, 1:, i]"])
def test_a_slice_between_an_index_and_a_tensor_is_told(tmp_path: Path, expression: str) -> None:
    """NumPy moves the tensor's axes to the front there, which nobody expects."""
    rank = "float[3, 7, 4, 2]"
    with pytest.raises(DlcError, match="E0405"):
        run(tmp_path, f"network A:\n    input x: {rank}\n    input i: int[2]\n    output {expression}\n", {})
