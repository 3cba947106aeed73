"""What a rule of `size_rules` is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlc.dims import Size
from dlc.ir import Equation
from dlc.spec.syntax import Expr

#: One expression per axis, over the module's hyperparameters and dimensions; None is what is not known.
Axes = tuple[Expr | None, ...]
Shape = tuple[Size, ...]
Rule = Callable[[Equation, Sequence[Axes], Sequence[Shape], Shape], Axes]
