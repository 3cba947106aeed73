"""Gradients of softmax and its relatives. A softmax over nothing is 0, and so is its gradient."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients
from dlc.ops.gradients.reduction import prod
from dlc.ops.gradients.shaping import kept, swapped


def _softmax(b: Builder, use: Applied) -> Cotangents:
    y, g = use.results[0], use.cotangent
    return (y * (g - b("sum", g * y, axis=use.attributes["axis"], keepdims=True)),)


def _log_softmax(b: Builder, use: Applied) -> Cotangents:
    y, g = use.results[0], use.cotangent
    return (g - b("exp", y) * b("sum", g, axis=use.attributes["axis"], keepdims=True),)


def _logsumexp(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    return (kept(b, use.cotangent, use) * b("softmax", x, axis=use.attributes["axis"]),)


def _cumsum(b: Builder, use: Applied) -> Cotangents:
    """An element is in all sums from its own on: the running sum from the other end."""
    axis = use.attributes["axis"]
    return (b("flip", b("cumsum", b("flip", use.cotangent, axis=axis), axis=axis), axis=axis),)


def _cumprod(b: Builder, use: Applied) -> Cotangents:
    """Through the products written out: row i multiplies the elements up to i, and ones. Right where some are 0."""
    x, axis = use.operands[0], use.attributes["axis"]
    size, last = x.shape[axis], len(x.shape)
    rows = b("expand_dims", x if axis == last - 1 else swapped(b, x, axis), axis=last - 1)
    positions = b("arange", start=0, stop=size)
    earlier = b("less_equal", positions, b("expand_dims", positions, axis=1))
    factors = b("where", earlier, rows, 1)
    products = b("prod", factors, axis=-1)
    g = use.cotangent if axis == last - 1 else swapped(b, use.cotangent, axis)
    reduced = Applied((factors,), (products,), {"axis": (last,), "keepdims": False}, (g,))
    (flowing,) = prod(b, reduced)
    assert flowing is not None
    total = b("sum", b("where", earlier, flowing, 0), axis=-2)
    return (total if axis == last - 1 else swapped(b, total, axis),)


GRADIENTS: Gradients = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
}
