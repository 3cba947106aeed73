"""Room on the stack for deeply nested specs."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from dlc.diagnostics import error

#: Frames. Blocks are nested at most `MAX_NESTING` deep, at some twenty calls each; Python 3.11 keeps these on the heap.
DEEPEST = 20_000


@contextmanager
def deep_recursion() -> Generator[None]:
    """Room for deeply nested specs. Raises DlcError (E0591) where even that is used up."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    except RecursionError as problem:
        raise error("E0591", "the spec is nested too deeply", hint="use a loop in place of nested blocks") from problem
    finally:
        sys.setrecursionlimit(before)
