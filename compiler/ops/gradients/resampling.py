"""Gradients of resampling. `resize` is a product with a matrix along each axis, and back one with its transpose.
`grid_sample` reads four neighbours for each place: each gets its part back, and the place moves between them."""

from __future__ import annotations

from dataclasses import dataclass

from dlc.dims import Size, multiply, product, subtract
from dlc.ops.api import Attributes
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Operand, Value, is_float
from dlc.ops.gradients.shaping import FULL, spread, swapped
from dlc.ops.resampling import cubic_weights


def _resize(b: Builder, use: Applied) -> Cotangents:
    x, g = use.operands[0], use.cotangent
    if not is_float(x):
        return (None,)
    last = len(x.shape) - 1
    for axis in range(2, last + 1):
        if x.shape[axis] == g.shape[axis]:
            continue
        matrix = _matrix(b, x.shape[axis], g.shape[axis], use.attributes, x.type.dtype)
        turned = g if axis == last else swapped(b, g, axis)
        product = b("matmul", turned, matrix)
        g = product if axis == last else swapped(b, product, axis)
    return (g,)


def _matrix(b: Builder, source: Size, target: Size, attributes: Attributes, dtype: str) -> Value:
    """[target, source]: what each element of the source counts in each of the target."""
    positions = b("arange", start=0, stop=target)
    if attributes["mode"] == "nearest":
        places = b("floor_divide", positions * b.count(source, "int"), b.count(target, "int"))
        return b("cast", b("one_hot", places, depth=source), dtype=dtype)
    place = _coordinates(b, b("cast", positions, dtype=dtype), source, target, attributes["align_corners"])
    last = b.count(subtract(source, 1), dtype)
    if attributes["mode"] == "linear":
        place = b("maximum", b("minimum", place, last), 0)
    first = b("floor", place)
    t = place - first
    weights = (1 - t, t) if attributes["mode"] == "linear" else cubic_weights(t)
    matrix = None
    for offset, weight in enumerate(weights, 1 - len(weights) // 2):
        tap = b("maximum", b("minimum", first + offset, last), 0)
        row = b("cast", b("one_hot", b("cast", tap, dtype="int"), depth=source), dtype=dtype)
        part = row * b("expand_dims", weight, axis=1)
        matrix = part if matrix is None else matrix + part
    assert matrix is not None
    return matrix


def _coordinates(b: Builder, positions: Value, source: Size, target: Size, align_corners: bool) -> Value:
    """As `dlc.ops.resampling.coordinates`."""
    dtype = positions.type.dtype
    if align_corners:
        gaps: Operand = b.count(subtract(source, 1), dtype)
        steps = b("maximum", _value(b, b.count(subtract(target, 1), dtype), dtype), 1)
        return positions * (gaps / steps)
    ratio = _value(b, b.count(source, dtype), dtype) / b.count(target, dtype)
    return (positions + 0.5) * ratio - 0.5


def _value(b: Builder, number: Operand, dtype: str) -> Value:
    return number if isinstance(number, Value) else b.constant(number, dtype)


# --- grid_sample -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """A neighbour of each place along an axis: its index, what it counts, and how that changes with the place."""

    index: Value
    weight: Value
    slope: Value


def _grid_sample(b: Builder, use: Applied) -> Cotangents:
    x, grid = use.operands
    n, channels, height, width = x.shape
    count = product(grid.shape[1:3])
    g = b("reshape", use.cotangent, shape=(n, channels, count))
    flat = b("reshape", x, shape=(n, channels, multiply(height, width)))
    columns, rows = (_sides(b, grid, place, size, use.attributes) for place, size in enumerate((width, height)))
    back, across, down = b.zeros(flat.type), None, None
    for row in rows:
        for column in columns:
            index = b("broadcast_to", row.index * b.count(width, "int") + column.index, shape=g.shape)
            back = b("scatter", back, index, g * (row.weight * column.weight), reduction="sum")
            seen = b("sum", g * b("take_along_axis", flat, index), axis=1, keepdims=True)
            across = _plus(across, seen * (row.weight * column.slope))
            down = _plus(down, seen * (row.slope * column.weight))
    assert across is not None
    assert down is not None
    moved = [b("reshape", one, shape=grid.shape[:3]) for one in (across, down)]
    return b("reshape", back, shape=x.shape), b("stack", *moved, axis=3)


def _plus(total: Value | None, part: Value) -> Value:
    return part if total is None else total + part


def _sides(b: Builder, grid: Value, axis: int, size: Size, attributes: Attributes) -> list[_Side]:
    """Both neighbours along the image's axis of width (0) or height (1), as [N, 1, places]."""
    shape = (grid.shape[0], 1, product(grid.shape[1:3]))
    item = (FULL, FULL, FULL, ("index", axis))
    dtype = grid.type.dtype
    half = _value(b, b.count(subtract(size, 1) if attributes["align_corners"] else size, dtype), dtype) * 0.5
    last = b.count(subtract(size, 1), dtype)
    place = (b("reshape", b("slice", grid, items=item), shape=shape) + 1) * half
    place = place if attributes["align_corners"] else place - 0.5
    slope = spread(b, half, shape)
    if attributes["padding"] == "border":
        inside = b("logical_and", b("greater", place, 0), b("less", place, last))
        slope = b("where", inside, slope, 0)
        place = b("maximum", b("minimum", place, last), 0)
    first = b("floor", place)
    t = place - first
    ends = ((first, 1 - t, -slope), (first + 1, t, slope))
    return [_side(b, index, weight, change, last) for index, weight, change in ends]


def _side(b: Builder, index: Value, weight: Value, slope: Value, last: Operand) -> _Side:
    """Beyond the image a neighbour counts nothing."""
    inside = b("logical_and", b("greater_equal", index, 0), b("less_equal", index, last))
    kept = b("cast", b("maximum", b("minimum", index, last), 0), dtype="int")
    return _Side(kept, b("where", inside, weight, 0), b("where", inside, slope, 0))


GRADIENTS: Gradients = {"resize": _resize, "grid_sample": _grid_sample}
