"""Gradients of ops on matrices."""

from __future__ import annotations

from dlc.dims import product
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, is_float
from dlc.ops.gradients.shaping import swapped


def _diagonal(b: Builder, use: Applied) -> Cotangents:
    """Put back to its places of the flattened matrices."""
    x, g, offset = use.operands[0], use.cotangent, use.attributes["offset"]
    if not is_float(x):
        return (None,)
    columns, count = x.shape[-1], g.shape[-1]
    first = b.count(columns, "int") * -offset if offset < 0 else offset
    places = b("arange", start=0, stop=count) * (b.count(columns, "int") + 1) + first
    flat = (*x.shape[:-2], product(x.shape[-2:]))
    zeros = b.constant(0, x.type.dtype, flat)
    total = b("scatter", zeros, b("broadcast_to", places, shape=g.shape), g)
    return (b("reshape", total, shape=x.shape),)


def _solve(b: Builder, use: Applied) -> Cotangents:
    """With a x = b: the cotangent of b solves the transposed system, and that of a is its product with -x."""
    right = b("solve", swapped(b, use.operands[0]), use.cotangent)
    return -b("matmul", right, swapped(b, use.results[0])), right


GRADIENTS: Gradients = {"diagonal": _diagonal, "solve": _solve}
