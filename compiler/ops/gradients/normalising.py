"""Gradients of softmax and its relatives. A softmax over nothing is 0, and so is its gradient."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients
from dlc.ops.gradients.shaping import kept


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


GRADIENTS: Gradients = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "cumsum": _cumsum,
}
