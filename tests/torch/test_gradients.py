"""The gradient of every op as generated torch code, for every sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.backends.api import Network, Unit
from dlc.ops import OPS
from dlc.ops.api import Op, Sample
from dlc.ops.samples import draw
from gradient_programs import expected, flows
from torch_models import require_close, run

CASES = [
    pytest.param(op, sample, id=f"{op.name}-{sample.name or 'plain'}")
    for op in OPS.values()
    for sample in op.samples
    if flows(op, sample)
]


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_sample_agrees(op: Op, sample: Sample, tmp_path: Path) -> None:
    case = draw(op, sample, "f32")
    wanted = expected(case, case.types, case.attributes, {})
    unit = Unit("one", "0", None, (Network("Net", wanted.network, wanted.network),))
    found = run(unit, list(wanted.inputs.values()), tmp_path)
    for name, result in wanted.results.items():
        with np.errstate(over="ignore"):  # rsqrt's gradient at 1e-30 is 1e45
            require_close(found[name], result.astype("float32"), wanted.slack)
