"""What type rules share: broadcasting, reduced shapes, and messages that name both shapes."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.dims import Size
from dlc.ir import TensorType
from dlc.ops.api import OpError

Shape = tuple[Size, ...]


def show(shape: Sequence[Size]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The common shape, by NumPy's rule; different symbols never broadcast, nor does a symbol with a number but 1."""
    result: Shape = ()
    for index, shape in enumerate(shapes):
        result = _broadcast_two(result, shape, index)
    return result


def _broadcast_two(left: Shape, right: Shape, operand: int) -> Shape:
    rank = max(len(left), len(right))
    wide_left = (1,) * (rank - len(left)) + left
    wide_right = (1,) * (rank - len(right)) + right
    out: list[Size] = []
    for position, (a, b) in enumerate(zip(wide_left, wide_right, strict=True)):
        if a != b and a != 1 and b != 1:
            axis = position - rank
            raise OpError(
                f"shapes {show(left)} and {show(right)} do not broadcast: {a} against {b} at axis {axis}",
                found=show(right),
                expected=f"a shape that broadcasts with {show(left)}",
                operand=operand,
            )
        out.append(b if a == 1 else a)
    return tuple(out)


def reduced(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    """The shape after a reduction over `axes` (non-negative)."""
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def replaced(shape: Shape, axis: int, size: Size) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def require_same_sizes(types: Sequence[TensorType], axis: int, what: str) -> None:
    """All types have one rank, and equal sizes at every axis but `axis`."""
    first = types[0]
    for index, other in enumerate(types[1:], 1):
        same_rank = other.rank == first.rank
        if same_rank and all(
            a == b or i == axis for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True))
        ):
            continue
        raise OpError(
            f"{what} needs equal shapes but for axis {axis}, not {show(first.shape)} and {show(other.shape)}",
            found=str(other),
            expected=show(replaced(first.shape, axis, other.shape[axis] if same_rank else first.shape[axis])),
            operand=index,
        )


def require_no_negative(shape: Shape, what: str) -> None:
    """Raises OpError where a fixed size is below 0."""
    for size in shape:
        if isinstance(size, int) and size < 0:
            raise OpError(f"{what} has a negative size: {show(shape)}", found=str(size), expected="0 or more")
