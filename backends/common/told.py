"""What the Python emitter can't print is a diagnostic, never a traceback."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dlc.backends.common.evaluate import Unknown
from dlc.diagnostics import error


@contextmanager
def unknowns_told(backend: str) -> Generator[None]:
    """Raises DlcError E0701 where a value that generated code needs can't be printed."""
    try:
        yield
    except Unknown as problem:
        raise error(
            "E0701",
            f"the {backend} backend can't write a block of this network",
            found=str(problem),
            hint="`--backend onnx` has no such limit",
        ) from None
