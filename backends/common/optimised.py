"""What `--optimize` asks of a backend that has nothing to offer for it."""

from __future__ import annotations

from dlc.backends.api import Options
from dlc.diagnostics import error


def refuse_optimize(backend: str, options: Options) -> None:
    """Raises DlcError (E0710) where batch norms should be folded."""
    if options.optimize:
        hint = "`--backend onnx`, or leave `--optimize` out"
        raise error("E0710", f"the {backend} backend has no `--optimize`", hint=hint, exit_code=3)
