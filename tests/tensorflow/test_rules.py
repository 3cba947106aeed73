"""Every op's samples through its TensorFlow rule, against the op's NumPy meaning."""

from __future__ import annotations

import numpy as np
import pytest
from dlc.backends.tensorflow.rules import RULES
from dlc.ops import OPS
from dlc.ops.api import Sample
from dlc.ops.dtypes import numpy_dtype
from dlc.ops.samples import draw
from tensorflow_rules import run

#: Where TensorFlow itself is at fault, and how.
GAPS = {
    "conv-empty batch": "the result has the shape of the input (oneDNN)",
    "max_pool-negative and -inf": "a window of nothing but -inf gives the lowest finite number on CPU",
}


def _marks(identity: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=GAPS[identity], strict=True)] if identity in GAPS else []


CASES = [
    pytest.param(name, sample, id=(identity := f"{name}-{sample.name or index}"), marks=_marks(identity))
    for name, op in OPS.items()
    for index, sample in enumerate(op.samples)
]
EPS = float(np.finfo("float32").eps)


def test_every_op_has_a_rule() -> None:
    assert set(RULES) == set(OPS)


def allowance(found: np.ndarray, exact: np.ndarray) -> float:
    """8 times the error of a plain float32 computation, which is at least 4 eps of the largest value."""
    finite = np.isfinite(found)
    scale = np.abs(exact[finite]).max(initial=0.0)
    error = np.abs(found[finite].astype("float64") - exact[finite]).max(initial=0.0)
    return 8 * max(error, 4 * EPS * scale)


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_rule(name: str, sample: Sample) -> None:
    op = OPS[name]
    case = draw(op, sample, "f32")
    plain = op.evaluate(case.operands, case.attributes)
    operands = [a.astype("float64") if a.dtype.kind == "f" else a for a in case.operands]
    exact = op.evaluate(operands, case.attributes | {"precision": "f64"})
    found = run(name, case)
    assert len(found) == len(exact)
    types = op.infer(case.types, case.attributes)
    assert [got.dtype for got in found] == [numpy_dtype(type_.dtype, "f32") for type_ in types]
    for got, rounded, want in zip(found, plain, exact, strict=True):
        assert got.shape == want.shape
        assert_close(got, np.asarray(rounded), np.asarray(want))


def assert_close(got: np.ndarray, rounded: np.ndarray, want: np.ndarray) -> None:
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    # What overflows float32 is infinite in the float32 meaning too.
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(np.where(finite, 0, got), np.where(finite, 0, rounded))
    error = np.abs(got[finite].astype("float64") - want[finite]).max(initial=0.0)
    assert error <= allowance(np.where(finite, rounded, np.nan), want)
