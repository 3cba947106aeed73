"""NumPy, imported at its first use: declaring and typing ops must not cost its start-up time (0.15 s)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:

    class _LazyNumpy:
        def __getattr__(self, name: str) -> object:
            import numpy

            found = getattr(numpy, name)
            setattr(self, name, found)
            return found

    np = _LazyNumpy()

__all__ = ["np"]
