"""Where the sizes of a callee's dimensions come from, in the caller's names. (Filled in by `trace`.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlc.spec.syntax import Expr

if TYPE_CHECKING:
    from dlc.backends.common.context import Context
    from dlc.backends.common.fold import Folding
    from dlc.backends.common.structure import Creation


def dimension_source(folding: Folding, context: Context, creation: Creation, name: str) -> Expr | None:
    """An expression for the size of the callee's dimension `name`, or None."""
    return None
