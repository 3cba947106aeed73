"""Gradients of functions of one tensor, element by element.

At a kink: `relu` and `abs` have derivative 0 at 0, `clip` has 1 at both ends. `sqrt` and `rsqrt` have an infinite one
at 0. All as torch.
"""

from __future__ import annotations

import math

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value, is_float, unary


def _relu(b: Builder, x: Value, y: Value, g: Value) -> Value:
    return b("where", b("less_equal", x, 0), 0, g)


def _clip(b: Builder, use: Applied) -> Cotangents:
    x, g = use.operands[0], use.cotangent
    above = b("greater_equal", x, use.attributes["low"])
    below = b("less_equal", x, use.attributes["high"])
    return (b("where", b("logical_and", above, below), g, 0),)


def _cast(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    return (b("cast", use.cotangent, dtype=x.type.dtype) if is_float(x) else None,)


GRADIENTS: Gradients = {
    "exp": unary(lambda b, x, y, g: g * y),
    "log": unary(lambda b, x, y, g: g / x),
    "log1p": unary(lambda b, x, y, g: g / (x + 1)),
    "expm1": unary(lambda b, x, y, g: g * (y + 1)),
    "sqrt": unary(lambda b, x, y, g: g / (2 * y)),
    "rsqrt": unary(lambda b, x, y, g: -0.5 * g * (y * y * y)),
    "sin": unary(lambda b, x, y, g: g * b("cos", x)),
    "cos": unary(lambda b, x, y, g: -g * b("sin", x)),
    "tan": unary(lambda b, x, y, g: g * (1 + b("square", y))),
    "tanh": unary(lambda b, x, y, g: g * (1 - b("square", y))),
    "sigmoid": unary(lambda b, x, y, g: g * (y * (1 - y))),
    "erf": unary(lambda b, x, y, g: g * (2 / math.sqrt(math.pi) * b("exp", -b("square", x)))),
    "relu": unary(_relu),
    "negative": unary(lambda b, x, y, g: -g),
    "abs": unary(lambda b, x, y, g: g * b("sign", x)),
    "sign": None,
    "floor": None,
    "ceil": None,
    "round": None,
    "square": unary(lambda b, x, y, g: 2 * g * x),
    "clip": _clip,
    "cast": _cast,
    "stop_gradient": None,
    "logical_not": None,
    "isnan": None,
    "isinf": None,
    "isfinite": None,
}
