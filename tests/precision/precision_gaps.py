"""What no framework offers, by backend and precision, and the judgement of a case by it."""

from __future__ import annotations

import re

from dlc.verify.report import AGREES, INCONCLUSIVE, SKIPPED, Case

PRECISIONS = ("f64", "bf16", "f16")
BACKENDS = ("torch", "tensorflow", "onnx")

#: Ops without a kernel on the CPU, by the frameworks' names for them (PyTorch 2.13, TensorFlow 2.21, ONNX Runtime
#: 1.31). One that is found takes its name out (`test_each_op`).
GAPS = {
    ("torch", "f64"): set[str](),
    ("torch", "f16"): {"avg_pool3d_out_frame"},
    ("torch", "bf16"): {"avg_pool3d_out_frame"},
    ("tensorflow", "f64"): {"MaxPool3D", "AvgPool3D"},
    ("tensorflow", "f16"): {"MaxPool3D", "AvgPool3D"},
    ("tensorflow", "bf16"): set[str](),
    ("onnx", "f64"): {"Conv", "ConvTranspose", "AveragePool", "Erf", "Tan"},
    ("onnx", "f16"): set[str](),
}
NAMES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "onnx": "ONNX Runtime"}


def lacking(case: Case, precision: str) -> str | None:
    """The op that a skipped case lacks; asserts that it is told in the one way that docs/errors.md has."""
    if case.status != SKIPPED:
        return None
    assert "\n" not in case.message
    if case.message.startswith("E0709: "):
        found = re.match(rf"E0709: ONNX has no `(\w+)` in {precision}; .*", case.message)
    else:
        name = NAMES[case.backend]
        found = re.match(
            rf"E0815: {name} has no (`\w+`|arrays) in {precision} on the CPU; every backend has f32; .*", case.message
        )
    assert found is not None, case.message
    return found[1].strip("`")


def require_right(case: Case, precision: str) -> None:
    """It agrees; or is inconclusive because of a half's own rounding; or lacks what is known to be lacking."""
    where = f"{case.network} on {case.backend} in {precision} ({case.mode})"
    told = [f"{output.name}: {output.verdict}: {output.message}" for output in case.outputs if output.verdict != AGREES]
    lacks = lacking(case, precision)
    if lacks is not None:
        if (case.backend, precision) != ("onnx", "bf16"):  # which has next to nothing
            assert lacks in GAPS[case.backend, precision], f"{where}: {case.message}"
        return
    if precision == "f64":
        assert case.status == AGREES, f"{where}: {case.status} {case.message} {told} {case.cause}"
        return
    assert case.status in (AGREES, INCONCLUSIVE), f"{where}: {case.status} {case.message} {told} {case.cause}"
    for output in case.outputs:
        assert output.verdict == AGREES or "rounding alone" in output.message or "beyond the range" in output.message
