"""Gradients of pools.

Of several equal largest of a window, the first one in row-major order gets what flows back, as in torch. (In a window
of nothing but -inf that may be padding.)
"""

from __future__ import annotations

import math

from dlc.dims import Size, add, multiply, product
from dlc.ops.api import Attributes
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Operand, Value
from dlc.ops.gradients.shaping import cut_out, expanded, spread

# --- max_pool --------------------------------------------------------------------------------------------------


def _max_pool(b: Builder, use: Applied) -> Cotangents:
    """The windows, gathered; where in each the largest is; and what comes back, added up at those places."""
    x, g, attributes = use.operands[0], use.cotangent, use.attributes
    counts = g.shape[2:]
    hanging = [step - 1 if attributes["ceil_mode"] else 0 for step in attributes["stride"]]
    frame = [(low, high + more) for (low, high), more in zip(attributes["padding"], hanging, strict=True)]
    padded = x
    if any(pair != (0, 0) for pair in frame):
        padded = b("pad", x, pairs=((0, 0), (0, 0), *frame), value=float("-inf"))
    starts = _starts(b, counts, attributes)
    best = b("argmax", _windows(b, padded, starts, attributes), axis=-1)
    places = _places(b, best, starts, padded.shape[2:], attributes)
    flat = (product(x.shape[:2]), product(counts))
    rows, where = b("reshape", g, shape=flat), b("reshape", places, shape=flat)
    zeros = b.constant(0, g.type.dtype, (flat[0], product(padded.shape[2:])))
    total = b("scatter", zeros, where, rows, reduction="sum")
    total = b("reshape", total, shape=padded.shape)
    return (cut_out(b, total, [low for low, _ in frame], x.shape[2:], (0,) * len(frame)),)


def _starts(b: Builder, counts: tuple[Size, ...], attributes: Attributes) -> list[Value]:
    """Where the windows start in the padded input, one vector per spatial axis."""
    return [_multiples(b, count, step) for count, step in zip(counts, attributes["stride"], strict=True)]


def _multiples(b: Builder, count: Size, step: int) -> Value:
    """0, step, ..., [count]."""
    return b("arange", start=0, stop=multiply(count, step), step=step)


def _windows(b: Builder, padded: Value, starts: list[Value], attributes: Attributes) -> Value:
    """[N, C, *counts, K]: the elements of each window in row-major order."""
    kernel, rank = attributes["kernel"], len(starts)
    found = padded
    for axis, start in enumerate(starts):
        # Spread first: onnx's data propagation takes a column of known numbers for a row, and refuses the sum.
        column = spread(b, b("expand_dims", start, axis=1), (*start.shape, kernel[axis]))
        inside = _multiples(b, kernel[axis], attributes["dilation"][axis])
        found = b("gather", found, column + inside, axis=2 + 2 * axis)
    if rank > 1:
        found = b("transpose", found, axes=(0, 1, *range(2, 2 + 2 * rank, 2), *range(3, 3 + 2 * rank, 2)))
    return b("reshape", found, shape=(*found.shape[: 2 + rank], product(kernel)))


def _places(b: Builder, best: Value, starts: list[Value], sizes: tuple[Size, ...], attributes: Attributes) -> Value:
    """The place in the padded plane, row-major, of element `best` of each window."""
    kernel, rank = attributes["kernel"], len(starts)
    place: Operand = 0
    for axis, start in enumerate(starts):
        inner, step = math.prod(kernel[axis + 1 :]), attributes["dilation"][axis]
        within = best if inner == 1 else b("floor_divide", best, inner)
        within = b("remainder", within, kernel[axis]) if axis else within
        along = expanded(b, start, range(1, rank - axis)) + (within if step == 1 else within * step)
        place = along if axis == 0 else place * b.count(sizes[axis], "int") + along
    assert isinstance(place, Value)
    return place


# --- avg_pool --------------------------------------------------------------------------------------------------


def _avg_pool(b: Builder, use: Applied) -> Cotangents:
    """Each window hands an equal part to each of its elements: a transposed convolution with ones, per channel."""
    x, attributes = use.operands[0], use.attributes
    kernel, stride = attributes["kernel"], attributes["stride"]
    share = use.cotangent / _divisor(b, x, use.cotangent.shape[2:], attributes)
    planes = b("reshape", share, shape=(product(x.shape[:2]), 1, *share.shape[2:]))
    ones = b.constant(1, x.type.dtype, (1, 1, *kernel))
    spread = b("conv_transpose", planes, ones, stride=stride)
    lows = [low for low, _ in attributes["padding"]]
    inside = cut_out(b, spread, lows, x.shape[2:], [step - 1 for step in stride])
    return (b("reshape", inside, shape=x.shape),)


def _divisor(b: Builder, x: Value, counts: tuple[Size, ...], attributes: Attributes) -> Operand:
    """How many elements each window counts, as in `dlc.ops.pooling`: a number, or a tensor of the windows' sizes."""
    padded = any(pair != (0, 0) for pair in attributes["padding"])
    if not attributes["ceil_mode"] and (attributes["include_padding"] or not padded):
        return b.count(product(attributes["kernel"]), x.type.dtype)
    rank, found = len(counts), None
    for axis, start in enumerate(_starts(b, counts, attributes)):
        low, high = attributes["padding"][axis]
        margins = (low, high) if attributes["include_padding"] else (0, 0)
        end = b("minimum", start + attributes["kernel"][axis], b.count(add(x.shape[axis + 2], low + margins[1]), "int"))
        along = expanded(b, end - b("maximum", start, low - margins[0]), range(1, rank - axis))
        found = along if found is None else found * along
    assert found is not None
    return b("cast", found, dtype=x.type.dtype)


GRADIENTS: Gradients = {
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
}
