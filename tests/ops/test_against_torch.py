"""The NumPy meaning of every op against torch's, in float64."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlc.ops import OPS
from dlc.ops.api import Op, Sample
from dlc.ops.samples import draw

sys.path.insert(0, str(Path(__file__).parent))
from torch_meanings import MEANINGS

#: Samples where the language differs from torch, and why; `test_known_values.py` has these by hand.
DIFFERENT = {
    ("softmax", "all masked"): "torch gives NaN over nothing, the language 0",
    ("log_softmax", "all masked"): "torch gives NaN over nothing, the language -inf",
}
CASES = [(op, sample) for op in OPS.values() for sample in op.samples if (op.name, sample.name) not in DIFFERENT]
IDS = [f"{op.name}-{sample.name or 'plain'}" for op, sample in CASES]


def require_equal(ours: Any, theirs: torch.Tensor) -> None:
    """Raises AssertionError unless dtype and shape are equal and floats are within 1e-12 of the largest value."""
    expected = theirs.detach().numpy()
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if ours.dtype.kind != "f":
        np.testing.assert_array_equal(ours, expected)
        return
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    np.testing.assert_array_equal(ours[np.isinf(ours)], expected[np.isinf(ours)])
    finite = np.isfinite(expected)
    np.testing.assert_allclose(ours[finite], expected[finite], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("op", "sample"), CASES, ids=IDS)
def test_agrees_with_torch(op: Op, sample: Sample) -> None:
    case = draw(op, sample, "f64")
    tensors = [torch.from_numpy(operand.copy()) for operand in case.operands]
    theirs = MEANINGS[op.name](tensors, case.attributes)
    results = case.evaluate()
    expected = list(theirs) if isinstance(theirs, (tuple, list)) else [theirs]
    assert len(results) == len(expected)
    for ours, tensor in zip(results, expected, strict=True):
        require_equal(ours, tensor)


@pytest.mark.parametrize(("name", "sample"), DIFFERENT, ids=lambda value: value)
def test_torch_still_differs(name: str, sample: str) -> None:
    op = OPS[name]
    case = draw(op, next(item for item in op.samples if item.name == sample))
    theirs = MEANINGS[name]([torch.from_numpy(operand) for operand in case.operands], case.attributes)
    with pytest.raises(AssertionError):
        require_equal(case.evaluate()[0], theirs)


def test_every_op_has_a_second_meaning() -> None:
    assert set(MEANINGS) == set(OPS)


def test_a_wrong_meaning_is_caught() -> None:
    case = draw(OPS["conv"], OPS["conv"].samples[0])
    right = case.evaluate()[0]
    flipped = case.operands[1][..., ::-1]
    wrong = OPS["conv"].evaluate((case.operands[0], flipped), case.attributes)[0]
    with pytest.raises(AssertionError):
        require_equal(wrong, torch.from_numpy(right))
