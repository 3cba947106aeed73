"""Every sample of every op, as a one-op model in ONNX Runtime, against the op's own meaning in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc import ops
from dlc.backends.onnx.rules import RULES
from dlc.ops.api import Op, Sample
from dlc.ops.samples import draw
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


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_sample(op: Op, sample: Sample, tmp_path: Path):
    case = draw(op, sample, "f32")
    wide = draw(op, sample, "f64")
    with np.errstate(all="ignore"):
        single = op.evaluate(case.operands, case.attributes)
        widened = [array.astype(np.float64) if array.dtype.kind == "f" else array for array in case.operands]
        exact = op.evaluate(widened, wide.attributes)
    path = compile_to(tmp_path, op_program(op.name, case.types, case.attributes))
    results = run(path, {f"x{index}": array for index, array in enumerate(case.operands)})
    for index, expected in enumerate(exact):
        require_close(results[f"y{index}"], expected, slack_of(exact, single))
