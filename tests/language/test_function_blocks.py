"""Functions of one tensor where a block or layer is asked for: `residual(relu)`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.diagnostics import DlcError
from language_runs import close, normal, run

SPEC = """
block each(fs: list[block]):
    input x: float[N, D]
    for f in fs:
        x = x -> f
    output x


block twice(f: layer):
    input x: float[N, D]
    output f(f(x))


block activated(f: block = tanh):
    input x: float[N, D]
    output f(x) + x


network Functions:
    input x: float[N, 4]
    output by_default = activated()(x)
    output given = activated(exp)(x)
    output bound = activated(softmax(axis=0))(x)
    output other = activated(softmax)(x)
    output listed = each([tanh, exp, sigmoid])(x)
    output layer = twice(square)(x)
"""
X = normal(3, 4)


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def test_functions_are_blocks(tmp_path: Path) -> None:
    ran = run(tmp_path, SPEC, {"x": X})
    close(ran["by_default"], np.tanh(X) + X)
    close(ran["given"], np.exp(X) + X)
    close(ran["bound"], softmax(X, 0) + X)
    close(ran["other"], softmax(X, 1) + X)
    y = np.exp(np.tanh(X))
    close(ran["listed"], 1 / (1 + np.exp(-y)))
    close(ran["layer"], X**4)
    assert not ran.weights


@pytest.mark.parametrize("function", ["concat", "clip", "where", "matmul", "len", "sum"])
def test_others_are_not(tmp_path: Path, function: str) -> None:
    """Functions of several tensors, or with arguments that must be given; `sum` changes the shape, but is one."""
    text = SPEC.replace("activated(exp)(x)", f"activated({function})(x)")
    if function == "sum":
        assert run(tmp_path, text, {"x": X})["given"].shape == X.shape
        return
    with pytest.raises(DlcError) as raised:
        run(tmp_path, text, {"x": X})
    assert raised.value.diagnostics[0].code == "E0310"
