"""The gradient of every op in ONNX Runtime, for every sample and at a size that is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.ir import TensorType
from dlc.ops import OPS
from dlc.ops.api import Attributes, Op, Sample
from dlc.ops.samples import Case, draw
from gradient_programs import expected, flows, symbolic_forms
from onnx_models import compile_to, require_close, run
from small_networks import NETWORKS, differentiated

CASES = [
    pytest.param(op, sample, id=f"{op.name}-{sample.name or 'plain'}")
    for op in OPS.values()
    for sample in op.samples
    if flows(op, sample)
]


def require_agreement(
    case: Case, types: tuple[TensorType, ...], attributes: Attributes, size: int, folder: Path
) -> None:
    wanted = expected(case, types, attributes, {"S": size})
    found = run(compile_to(folder, wanted.network), wanted.inputs)
    for name, result in wanted.results.items():
        require_close(found[name], result, wanted.slack)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_sample(op: Op, sample: Sample, tmp_path: Path) -> None:
    case = draw(op, sample, "f32")
    require_agreement(case, case.types, case.attributes, 0, tmp_path)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_dynamic_sample(op: Op, sample: Sample, tmp_path: Path) -> None:
    """With the largest size that can be a symbol."""
    forms = symbolic_forms(draw(op, sample, "f32"))
    if forms:
        form = forms[-1]
        require_agreement(form.case, form.types, form.attributes, form.size, tmp_path)


@pytest.mark.parametrize("name", ["LeNet5", "GAT", "UNet", "Seq2Seq"])
def test_network(name: str, tmp_path: Path) -> None:
    """All weights' gradients in training, to a part of the largest of them."""
    found = differentiated(NETWORKS[name], True, tmp_path)
    expected = found.tape.run(found.arrays, [item for item in found.gradients if item is not None])
    single = [array.astype("float32") if array.dtype.kind == "f" else array for array in found.arrays]
    results = run(compile_to(tmp_path, found.network()), {f"x{index}": array for index, array in enumerate(single)})
    largest = max(float(np.abs(array).max()) for array in expected)
    for index, array in enumerate(expected):
        assert np.abs(results[f"g{index}"] - array).max() <= 1e-5 * max(float(np.abs(array).max()), 1e-3 * largest)


def test_most_samples_have_a_dynamic_form() -> None:
    assert sum(bool(symbolic_forms(draw(*item.values))) for item in CASES) > 330
