"""Every sample of every op, as generated torch code, against the op's own meaning in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc import ops
from dlc.backends.torch.rules import RULES
from dlc.ops.api import Op, Sample
from dlc.ops.samples import draw
from torch_models import op_unit, require_close, run

EPS = float(np.finfo(np.float32).eps)
CASES = [
    pytest.param(op, sample, id=f"{name}-{sample.name or index}")
    for name, op in ops.OPS.items()
    for index, sample in enumerate(op.samples)
]


def test_every_op_has_a_rule_and_every_rule_an_op():
    assert set(RULES) == set(ops.OPS)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_sample_agrees(op: Op, sample: Sample, tmp_path: Path):
    single, exact = draw(op, sample, "f32"), draw(op, sample, "f64")
    found = run(op_unit(op, single.types, single.attributes), single.operands, tmp_path)
    narrow, wide = single.evaluate(), exact.evaluate()
    slack = 32 * EPS
    for a, b in zip(narrow, wide, strict=True):
        fine = np.isfinite(a) & np.isfinite(b) if b.dtype.kind == "f" else np.zeros(b.shape, bool)
        scale = np.abs(b[fine]).max(initial=0.0)
        if scale > 0:
            slack = max(slack, 8 * float(np.abs(a[fine] - b[fine]).max(initial=0.0) / scale))
    for got, want in zip(found.values(), wide, strict=True):
        require_close(got, want, slack)
