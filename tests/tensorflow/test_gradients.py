"""The gradient of every op as generated TensorFlow code, for one sample of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.api import Network, Unit
from dlc.backends.tensorflow.runner import Runner
from dlc.ops import OPS
from dlc.ops.api import Op, Sample
from dlc.ops.samples import draw
from gradient_programs import expected, flows
from keras_models import compiled
from onnx_models import require_close

CASES = [
    pytest.param(op, next(sample for sample in op.samples if flows(op, sample)), id=name)
    for name, op in OPS.items()
    if op.gradient is not None
]


@pytest.mark.slow
@pytest.mark.parametrize(("op", "sample"), CASES)
def test_sample_agrees(op: Op, sample: Sample, tmp_path: Path) -> None:
    case = draw(op, sample, "f32")
    wanted = expected(case, case.types, case.attributes, {})
    unit = Unit(f"gradient_of_{op.name}", "0", None, (Network("Net", wanted.network, wanted.network),))
    runner = Runner()
    runner.load(str(tmp_path), compiled(unit, tmp_path)["Net"], None, "f32")
    found = runner.run(wanted.inputs, False)
    for name, result in wanted.results.items():
        require_close(found[name], result, wanted.slack)
