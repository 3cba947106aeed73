"""Gradients of slices and gathers: zeros around what comes back, and sums where a place was taken several times."""

from __future__ import annotations

from typing import Any

from dlc.dims import Size, add, multiply, product, subtract
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value, is_float
from dlc.ops.gradients.shaping import one_pad, one_slice
from dlc.spec.record import record

# --- slice -----------------------------------------------------------------------------------------------------


@record
class _Range:
    """start, start + step, ..., before stop, of an axis that is flipped first if `backwards`."""

    start: Size
    stop: Size
    step: int
    backwards: bool


def _slice(b: Builder, use: Applied) -> Cotangents:
    x, g = use.operands[0], use.cotangent
    if 0 in g.shape:
        return (b.zeros(x.type),)
    items: tuple[tuple[Any, ...], ...] = use.attributes["items"]
    for axis, item in enumerate(items):
        g = b("expand_dims", g, axis=axis) if item[0] == "index" else g
    ranges = [_range(item, size) for item, size in zip(items, x.shape, strict=True)]
    for axis, along in enumerate(ranges):
        g = _spaced(b, g, axis, along.step, subtract(along.stop, along.start)) if along.step > 1 else g
    pairs = tuple((along.start, subtract(size, along.stop)) for along, size in zip(ranges, x.shape, strict=True))
    g = g if all(pair == (0, 0) for pair in pairs) else b("pad", g, pairs=pairs)
    for axis, along in enumerate(ranges):
        g = b("flip", g, axis=axis) if along.backwards else g
    return (g,)


def _range(item: tuple[Any, ...], size: Size) -> _Range:
    """Where an item of a slice reads. Symbolic bounds count as in range, as in the type rule."""
    if item[0] == "index":
        return _Range(item[1], add(item[1], 1), 1, False)
    start, stop, step = item[1:]
    if isinstance(size, int) and not any(bound is not None and not isinstance(bound, int) for bound in (start, stop)):
        start, stop, _ = slice(start, stop, step).indices(size)
        stop = None if stop < 0 else stop
    if step > 0:
        return _Range(0 if start is None else start, size if stop is None else stop, step, False)
    last = subtract(size, 1)
    first = 0 if start is None else subtract(last, start)
    return _Range(first, size if stop is None else subtract(last, stop), -step, True)


def _spaced(b: Builder, g: Value, axis: int, step: int, length: Size) -> Value:
    """step - 1 zeros after each element, cut to a length (at most all)."""
    count = g.shape[axis]
    spread = one_pad(b, b("expand_dims", g, axis=axis + 1), axis + 1, 0, step - 1)
    whole = multiply(count, step)
    g = b("reshape", spread, shape=(*g.shape[:axis], whole, *g.shape[axis + 1 :]))
    return g if length == whole else one_slice(b, g, axis, 0, length)


# --- gather ----------------------------------------------------------------------------------------------------


def _gather(b: Builder, use: Applied) -> Cotangents:
    """Each slice is added to the place that it came from."""
    x, indices = use.operands
    axis, g = use.attributes["axis"], use.cotangent
    if not is_float(x):
        return None, None
    rank, wide = len(x.shape), len(indices.shape)
    rest = (*x.shape[:axis], *x.shape[axis + 1 :])
    if axis:
        order = (*range(axis, axis + wide), *range(axis), *range(axis + wide, len(g.shape)))
        g = b("transpose", g, axes=order)
    count = product(indices.shape)
    rows = b("reshape", g, shape=(count, *rest))
    total = b("segment_sum", rows, b("reshape", indices, shape=(count,)), count=x.shape[axis])
    if axis:
        total = b("transpose", total, axes=(*range(1, axis + 1), 0, *range(axis + 1, rank)))
    return total, None


def _take_along_axis(b: Builder, use: Applied) -> Cotangents:
    x, indices = use.operands
    if not is_float(x):
        return None, None
    zeros = b.zeros(x.type)
    return b("scatter", zeros, indices, use.cotangent, axis=use.attributes["axis"], reduction="sum"), None


# --- triangular ------------------------------------------------------------------------------------------------


def _triangular(b: Builder, use: Applied) -> Cotangents:
    return (b("triangular", use.cotangent, **use.attributes),)


GRADIENTS: Gradients = {
    "slice": _slice,
    "gather": _gather,
    "take_along_axis": _take_along_axis,
    "one_hot": None,
    "triangular": _triangular,
}
