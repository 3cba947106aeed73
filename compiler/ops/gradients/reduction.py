"""Gradients of reductions. All that are equal to a maximum or minimum share what flows back, evenly (torch.amax)."""

from __future__ import annotations

from dlc.dims import subtract
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients
from dlc.ops.gradients.shaping import kept, spread
from dlc.ops.reduction import axes_of, reduction_length


def _sum(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    return (spread(b, kept(b, use.cotangent, use), x.shape),)


def _mean(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    length = b.count(reduction_length([x.type], use.attributes), x.type.dtype)
    return (spread(b, kept(b, use.cotangent / length, use), x.shape),)


def _variance(b: Builder, use: Applied) -> Cotangents:
    """2 (x - mean) / (count - correction)."""
    x, attributes = use.operands[0], use.attributes
    centred = x - b("mean", x, axis=axes_of(attributes), keepdims=True)
    length = subtract(reduction_length([x.type], attributes), attributes["correction"])
    return (centred * kept(b, 2 * use.cotangent / b.count(length, x.type.dtype), use),)


def prod(b: Builder, use: Applied) -> Cotangents:
    """The product of all others, also where some are 0; right for its own derivative too.

    That is the product of the others that are not 0, by a division, times the product of those that are: 1 for none,
    that one for one, 0 for more.
    """
    x, axes = use.operands[0], axes_of(use.attributes)
    none = b("equal", x, 0)
    nonzero = b("where", none, 1, x)
    zero = b("where", none, x, 0)
    one = b("cast", none, dtype=x.type.dtype)
    count = b("sum", one, axis=axes, keepdims=True) - one
    lone = b("where", b("equal", count, 1), b("sum", zero, axis=axes, keepdims=True) - zero, 0)
    zeros = b("where", b("equal", count, 0), 1, lone)
    others = b("prod", nonzero, axis=axes, keepdims=True) / nonzero * zeros
    return (kept(b, use.cotangent, use) * others,)


def _extreme(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    chosen = b("cast", b("equal", x, kept(b, use.results[0], use)), dtype=x.type.dtype)
    count = b("sum", chosen, axis=axes_of(use.attributes), keepdims=True)
    return (kept(b, use.cotangent, use) * (chosen / count),)


GRADIENTS: Gradients = {
    "sum": _sum,
    "mean": _mean,
    "prod": prod,
    "variance": _variance,
    "max": _extreme,
    "min": _extreme,
    "any": None,
    "all": None,
    "argmax": None,
    "argmin": None,
}
