"""Gradients of functions of two tensors, element by element: each summed back to its operand's shape.

Of two equals, each gets half of what flows back through `maximum` and `minimum`. `0 ** b` has derivative 0 by b for
b >= 0, and `0 ** 0` by its base too. As torch.
"""

from __future__ import annotations

from collections.abc import Callable

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradient, Gradients, Value
from dlc.ops.gradients.shaping import summed_to

#: (b, left, right, result, cotangent) -> the cotangent of one operand before the sum.
_Partial = Callable[[Builder, Value, Value, Value, Value], Value]


def _binary(left: _Partial, right: _Partial) -> Gradient:
    def gradient(b: Builder, use: Applied) -> Cotangents:
        x, z = use.operands
        arguments = (b, x, z, use.results[0], use.cotangent)
        return summed_to(b, left(*arguments), x.shape), summed_to(b, right(*arguments), z.shape)

    return gradient


def _chosen(loses: str) -> _Partial:
    """What flows to the operand that `loses` (left of right) marks as not chosen."""

    def partial(b: Builder, x: Value, z: Value, y: Value, g: Value) -> Value:
        shared = b("where", b("equal", x, z), g / 2, g)
        return b("where", b(loses, x, z), 0, shared)

    return partial


def _power_base(b: Builder, x: Value, z: Value, y: Value, g: Value) -> Value:
    """z * x ** (z - 1); where both are 0, x ** (z - 1) would be infinite and z times it NaN."""
    both = b("logical_and", b("equal", x, 0), b("equal", z, 0))
    return g * (z * b("power", x, b("where", both, 1, z) - 1))


def _power_exponent(b: Builder, x: Value, z: Value, y: Value, g: Value) -> Value:
    """x ** z * log(x); 0 ** z has no slope for z >= 0, and log(0) must not meet it."""
    flat = b("logical_and", b("equal", x, 0), b("greater_equal", z, 0))
    return g * (y * b("log", b("where", flat, 1, x)))


GRADIENTS: Gradients = {
    "add": _binary(lambda b, x, z, y, g: g, lambda b, x, z, y, g: g),
    "subtract": _binary(lambda b, x, z, y, g: g, lambda b, x, z, y, g: -g),
    "multiply": _binary(lambda b, x, z, y, g: g * z, lambda b, x, z, y, g: g * x),
    "divide": _binary(lambda b, x, z, y, g: g / z, lambda b, x, z, y, g: -g * (y / z)),
    "maximum": _binary(_chosen("less"), _chosen("greater")),
    "minimum": _binary(_chosen("greater"), _chosen("less")),
    "power": _binary(_power_base, _power_exponent),
    "floor_divide": None,
    "remainder": _binary(lambda b, x, z, y, g: g, lambda b, x, z, y, g: -g * b("floor_divide", x, z)),
}
