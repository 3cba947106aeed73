"""Every sample of every op, as a one-op model in ONNX Runtime, against the op's own meaning in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from _pytest.mark import ParameterSet
from dlc import ops
from dlc.backends.onnx.rules import RULES
from dlc.dims import symbol
from dlc.ir import TensorType
from dlc.ops.api import Op, OpError, Sample
from dlc.ops.samples import Case, draw
from onnx_models import compile_to, op_program, require_close, run

EPS = float(np.finfo(np.float32).eps)
CASES = [
    pytest.param(op, sample, id=f"{name}-{sample.name or index}")
    for name, op in ops.OPS.items()
    for index, sample in enumerate(op.samples)
]


def test_every_op_has_a_rule_and_every_rule_an_op():
    assert set(RULES) == set(ops.OPS)


def slack_of(exact: tuple, single: tuple) -> float:
    """8 times the error of float32 against float64, 4 eps at least."""
    worst = 4 * EPS
    for wide, narrow in zip(exact, single, strict=True):
        if wide.dtype.kind != "f" or wide.size == 0:
            continue
        finite = np.isfinite(wide) & np.isfinite(narrow)
        scale = np.abs(wide[finite]).max(initial=0.0)
        if scale > 0:
            worst = max(worst, float(np.abs(wide[finite] - narrow[finite]).max(initial=0.0) / scale))
    return 8 * worst


def dynamic(case: Case) -> tuple[TensorType, ...]:
    """The types with a dynamic dimension for each axis as long as the first operand's first."""
    size = case.types[0].shape[0]
    return tuple(
        TensorType(type_.dtype, tuple(symbol("N") if axis == size else axis for axis in type_.shape))
        for type_ in case.types
    )


def with_dynamic_types() -> list[ParameterSet]:
    """The samples whose types hold for any size of that dimension."""
    found = []
    for op in ops.OPS.values():
        for index, sample in enumerate(op.samples):
            case = draw(op, sample, "f32")
            if not case.types or not case.types[0].rank:
                continue
            try:
                op.infer(dynamic(case), case.attributes)
            except OpError:
                continue
            found.append(pytest.param(op, sample, id=f"{op.name}-{sample.name or index}"))
    return found


DYNAMIC = with_dynamic_types()


def test_most_samples_have_a_dynamic_form():
    assert len(DYNAMIC) > 300


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_sample(op: Op, sample: Sample, tmp_path: Path):
    case = draw(op, sample, "f32")
    require_agreement(op, sample, case, case.types, tmp_path)


@pytest.mark.parametrize(("op", "sample"), DYNAMIC)
def test_dynamic_sample(op: Op, sample: Sample, tmp_path: Path):
    case = draw(op, sample, "f32")
    require_agreement(op, sample, case, dynamic(case), tmp_path)


def require_agreement(op: Op, sample: Sample, case: Case, types: tuple[TensorType, ...], folder: Path) -> None:
    wide = draw(op, sample, "f64")
    with np.errstate(all="ignore"):
        single = op.evaluate(case.operands, case.attributes)
        widened = [array.astype(np.float64) if array.dtype.kind == "f" else array for array in case.operands]
        exact = op.evaluate(widened, wide.attributes)
    path = compile_to(folder, op_program(op.name, types, case.attributes))
    results = run(path, {f"x{index}": array for index, array in enumerate(case.operands)})
    for index, expected in enumerate(exact):
        require_close(results[f"y{index}"], expected, slack_of(exact, single))
