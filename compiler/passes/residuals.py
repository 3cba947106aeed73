"""W0401: a residual that is none. `x + (x -> dense(1))` adds one number to all 64 of x, because shapes broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlc.diagnostics import Diagnostic
from dlc.dims import Size
from dlc.passes.things import Tensor
from dlc.passes.walking import parts
from dlc.spec import syntax

if TYPE_CHECKING:
    from dlc.passes.builder import Builder

#: Standard blocks whose first hyperparameter is the size of an axis, and that axis.
AXES = {"dense": -1, "conv1d": 1, "conv2d": 1, "conv3d": 1}


def check(b: Builder, node: syntax.Binary, left: Tensor, right: Tensor) -> None:
    """Warns where `node` adds to a value what a dense layer or convolution of one feature made of it."""
    shapes = b.type_of(left).shape, b.type_of(right).shape
    if shapes[0] == shapes[1] or len(shapes[0]) != len(shapes[1]):
        return
    for plain, made, wide, narrow in ((node.left, node.right, *shapes), (node.right, node.left, *shapes[::-1])):
        axis = _axis(plain, made)
        if axis is None or axis >= len(wide) or narrow[axis] != 1 or wide[axis] == 1:
            continue
        message = f"this adds one number to each {wide[axis]}: the shapes of the residual differ"
        found = f"{_text(wide)} and {_text(narrow)}"
        hint = f"let the last layer give {wide[axis]}, as `{getattr(plain, 'id', 'x')}` has"
        b.elaborator.warnings.append(
            Diagnostic("W0401", message, node.span, found=found, expected="two equal shapes", hint=hint)
        )
        return


def _axis(plain: syntax.Expr, made: syntax.Expr) -> int | None:
    """The feature axis, where `plain` is a name and `made` is a layer's value that is made of it."""
    if not isinstance(plain, syntax.Name):
        return None
    last = made.target if isinstance(made, syntax.Pipe) else made.function if isinstance(made, syntax.Call) else None
    if not isinstance(last, syntax.Call) or not isinstance(last.function, syntax.Name):
        return None
    mentioned = any(isinstance(part, syntax.Name) and part.id == plain.id for part in parts(made))
    return AXES.get(last.function.id) if mentioned else None


def _text(shape: tuple[Size, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
