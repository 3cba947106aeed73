"""The one error for an op that a framework cannot compute in the element type asked for."""

from __future__ import annotations

from dlc.diagnostics import DlcError, error

#: What element types are called in dlc, by what the frameworks call them.
_NAMES = {
    "double": "f64",
    "float64": "f64",
    "half": "f16",
    "float16": "f16",
    "bfloat16": "bf16",
}


def no_kernel(framework: str, what: str, dtype: str) -> DlcError:
    """E0815. `what` it lacks, as "`Conv`"; `dtype`: the framework's name for it or dlc's."""
    width = _NAMES.get(dtype.lower(), dtype)
    hint = "every backend has f32; another backend may have this precision"
    return error("E0815", f"{framework} has no {what} in {width} on the CPU", hint=hint, exit_code=3)
