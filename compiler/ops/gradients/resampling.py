"""Gradient of resize: along each axis it is a product with a matrix, and back with its transpose."""

from __future__ import annotations

from dlc.dims import Size, subtract
from dlc.ops.api import Attributes
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Operand, Value, is_float
from dlc.ops.gradients.shaping import swapped
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


GRADIENTS: Gradients = {"resize": _resize}
