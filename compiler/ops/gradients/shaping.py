"""What gradients share: sums back to a broadcast operand's shape, reduced axes put back, windows cut out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, add, subtract
from dlc.ops.gradients.api import Applied, Builder, Value
from dlc.ops.reduction import axes_of

#: The item of a slice that takes all.
FULL = ("slice", None, None, 1)


def summed_to(b: Builder, cotangent: Value, shape: Sequence[Size]) -> Value:
    """The sum over the axes along which a tensor of `shape` was broadcast: leading ones, and those of size 1."""
    leading = len(cotangent.shape) - len(shape)
    wide = cotangent.shape[leading:]
    inner = tuple(leading + axis for axis, size in enumerate(shape) if size == 1 and wide[axis] != 1)
    if inner:
        cotangent = b("sum", cotangent, axis=inner, keepdims=True)
    return b("sum", cotangent, axis=tuple(range(leading))) if leading else cotangent


def spread(b: Builder, value: Value, shape: Sequence[Size]) -> Value:
    """Broadcast to a shape."""
    return value if value.shape == tuple(shape) else b("broadcast_to", value, shape=tuple(shape))


def expanded(b: Builder, value: Value, axes: Sequence[int]) -> Value:
    """With new axes of size 1 at these places of the result."""
    for axis in sorted(axes):
        value = b("expand_dims", value, axis=axis)
    return value


def kept(b: Builder, value: Value, use: Applied) -> Value:
    """A reduction's result, or its cotangent, so that it broadcasts against the operand."""
    if use.attributes["keepdims"] or not value.shape:
        return value
    return expanded(b, value, axes_of(use.attributes))


def swapped(b: Builder, value: Value, first: int = -2, second: int = -1) -> Value:
    """With two axes exchanged."""
    axes = list(range(len(value.shape)))
    axes[first], axes[second] = axes[second], axes[first]
    return b("transpose", value, axes=tuple(axes))


def one_slice(b: Builder, value: Value, axis: int, start: Size, stop: Size) -> Value:
    items: list[Any] = [FULL] * len(value.shape)
    items[axis] = ("slice", start, stop, 1)
    return b("slice", value, items=tuple(items))


def one_pad(b: Builder, value: Value, axis: int, low: Size, high: Size) -> Value:
    pairs: list[tuple[Size, Size]] = [(0, 0)] * len(value.shape)
    pairs[axis] = (low, high)
    return b("pad", value, pairs=tuple(pairs))


def cut_out(b: Builder, value: Value, starts: Sequence[Size], sizes: Sequence[Size], slack: Sequence[int]) -> Value:
    """`sizes` elements from `starts` on along each spatial axis; zeros where they reach beyond the end.

    slack: how far beyond the end they may reach where that depends on a symbol.
    """
    pairs: list[tuple[int, int]] = [(0, 0), (0, 0)]
    items: list[Any] = [FULL, FULL]
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        stop = add(start, size)
        beyond = subtract(stop, value.shape[axis + 2])
        extra = max(beyond, 0) if isinstance(beyond, int) else slack[axis]
        pairs.append((0, extra))
        whole = start == 0 and stop == add(value.shape[axis + 2], extra)
        items.append(FULL if whole else ("slice", start, stop, 1))
    if any(high for _, high in pairs):
        value = b("pad", value, pairs=tuple(pairs))
    return value if all(item == FULL for item in items) else b("slice", value, items=tuple(items))
