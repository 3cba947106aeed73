"""Every sample of every op: typed and evaluated, and the arrays are what the type rule says."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from dlc.ops import FAMILIES, OPS
from dlc.ops.api import REQUIRED, Op, Sample
from dlc.ops.dtypes import numpy_dtype
from dlc.ops.samples import draw

CASES = [(op, sample) for op in OPS.values() for sample in op.samples]
IDS = [f"{op.name}-{sample.name or 'plain'}" for op, sample in CASES]


@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize(("op", "sample"), CASES, ids=IDS)
def test_evaluates_to_its_type(op: Op, sample: Sample, precision: str) -> None:
    case = draw(op, sample, precision)
    before = [operand.copy() for operand in case.operands]
    inferred = op.infer(case.types, case.attributes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = case.evaluate()
    assert len(results) == len(inferred)
    for result, type_ in zip(results, inferred, strict=True):
        assert isinstance(result, np.ndarray)
        assert result.shape == type_.shape
        assert result.dtype == numpy_dtype(type_.dtype, precision)
    for operand, old in zip(case.operands, before, strict=True):
        np.testing.assert_array_equal(operand, old, err_msg="evaluate changed its operand")


#: Operands that float32 rounds so far that the result is another one: an angle of 1e30, halves above 1e15.
ILL_CONDITIONED = {
    *((name, "extremes") for name in ("sin", "cos", "tan")),
    *((name, "halves") for name in ("floor", "ceil", "round")),
}


@pytest.mark.parametrize(("op", "sample"), CASES, ids=IDS)
def test_float32_is_near_float64(op: Op, sample: Sample) -> None:
    if (op.name, sample.name) in ILL_CONDITIONED:
        return
    exact, rounded = draw(op, sample, "f64"), draw(op, sample, "f32")
    for wide, narrow in zip(exact.evaluate(), rounded.evaluate(), strict=True):
        if narrow.dtype != np.float32:
            continue
        with np.errstate(over="ignore"):
            wide = wide.astype(np.float32).astype(np.float64)
        finite = np.isfinite(wide)
        np.testing.assert_array_equal(np.isfinite(narrow), finite)
        scale = np.abs(wide[finite]).max(initial=1.0)
        difference = np.abs(narrow.astype(np.float64)[finite] - wide[finite])
        assert (difference <= 1e-5 * scale).all()


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_declaration_is_complete(op: Op) -> None:
    assert op.samples
    assert len({sample.name for sample in op.samples}) == len(op.samples), "sample names are test names"
    assert op.doc.endswith(".")
    assert op.promotion in ("none", "common", "float", "select")
    for sample in op.samples:
        variadic = bool(op.operands) and op.operands[-1].startswith("*")
        assert variadic or len(sample.operands) == len(op.operands)
        given = dict(sample.attributes)
        assert all(spec.name in given for spec in op.attributes if spec.default is REQUIRED)


REDUCING = {
    *("sum", "mean", "prod", "variance", "softmax", "log_softmax", "logsumexp", "cumsum", "cumprod"),
    *("matmul", "einsum", "conv", "conv_transpose", "avg_pool"),
    *("scatter", "resize", "grid_sample", "solve"),
    *("segment_sum", "segment_mean", "segment_max", "segment_min", "segment_softmax"),
}


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_reduction_lengths(op: Op) -> None:
    assert (op.reduction is not None) == (op.name in REDUCING)
    if op.reduction is None:
        return
    for sample in op.samples:
        case = draw(op, sample)
        length = op.reduction(case.types, case.attributes)
        assert isinstance(length, int)
        assert length >= 0


def test_known_reduction_lengths() -> None:
    def length(name: str, place: int) -> object:
        case = draw(OPS[name], OPS[name].samples[place])
        reduction = OPS[name].reduction
        assert reduction is not None
        return reduction(case.types, case.attributes)

    assert length("sum", 0) == 24
    assert length("sum", 1) == 3
    assert length("matmul", 0) == 3
    assert length("einsum", 0) == 3  # nd,nsd->ns sums over d
    assert length("conv", 0) == 3 * 3 * 2
    assert length("conv", 4) == 9  # depthwise: one channel
    assert length("conv_transpose", 0) == 3 * 3 * 2
    assert length("avg_pool", 0) == 4
    assert length("segment_sum", 0) == 6


def test_every_op_is_in_one_family() -> None:
    names = [op.name for family in FAMILIES.values() for op in family]
    assert sorted(names) == sorted(OPS)
    assert len(set(names)) == len(names)


def test_declaring_ops_does_not_import_numpy() -> None:
    code = "import sys, dlc.ops; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_draw_is_repeatable() -> None:
    op = OPS["add"]
    first, second = draw(op, op.samples[0]), draw(op, op.samples[0])
    for one, other in zip(first.operands, second.operands, strict=True):
        np.testing.assert_array_equal(one, other)
