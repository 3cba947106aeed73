"""Each op in 64 and 16 bits: it runs, or it is listed here as one that ONNX Runtime has no kernel for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc import ops
from dlc.diagnostics import DlcError
from dlc.ops.samples import draw
from onnx_models import compile_to, op_program, run

#: Ops without a kernel in ONNX Runtime 1.31.1 (CPU), by precision. One that starts to work fails its test: take it out.
MISSING = {
    "f64": {"tan", "erf", "conv", "conv_transpose", "avg_pool"},
    "f16": set[str](),
}
DTYPES = {"f64": np.float64, "f16": np.float16}


@pytest.mark.parametrize("precision", DTYPES)
@pytest.mark.parametrize("name", ops.OPS)
def test_runs(name: str, precision: str, tmp_path: Path):
    op = ops.OPS[name]
    case = draw(op, op.samples[0], precision)
    path = compile_to(tmp_path, op_program(name, case.types, case.attributes), precision=precision)
    inputs = {f"x{index}": array for index, array in enumerate(case.operands)}
    if name in MISSING[precision]:
        with pytest.raises(DlcError, match="E0815"):
            run(path, inputs)
        return
    found = run(path, inputs)
    widened = [array.astype(np.float64) if array.dtype.kind == "f" else array for array in case.operands]
    with np.errstate(all="ignore"):
        exact = op.evaluate(widened, {**case.attributes, "precision": "f64"})
    for index, value in enumerate(exact):
        result = found[f"y{index}"]
        if value.dtype.kind != "f":
            np.testing.assert_array_equal(result, value)
            continue
        assert result.dtype == DTYPES[precision]
        finite = np.isfinite(value)
        np.testing.assert_array_equal(np.isfinite(result), finite)
        error = np.abs(result[finite] - value[finite]).max(initial=0)
        limits = np.finfo(DTYPES[precision])  # below the smallest normal number, eps means nothing
        assert error <= 64 * float(limits.eps) * max(np.abs(value[finite]).max(initial=0), float(limits.tiny))
