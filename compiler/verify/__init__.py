"""Proof by comparison: every backend against a NumPy reference in float64.

`verify` is in `dlc.verify.run`, what it returns in `dlc.verify.report`. Importing this package loads nothing heavy.
The package can be called: `dlc.verify("net.dl")` is `dlc.api.verify`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package that is a function too: `dlc.verify` names both in the public API."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        from dlc import api

        return api.verify(*arguments, **keywords)


sys.modules[__name__].__class__ = _Callable
