"""Gradients of sort and topk: each element's cotangent goes back to where the element came from."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, is_float


def _sort(b: Builder, use: Applied) -> Cotangents:
    axis = use.attributes["axis"]
    order = b("argsort", use.operands[0], **use.attributes)
    return (b("take_along_axis", use.cotangent, b("argsort", order, axis=axis), axis=axis),)


def _topk(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    if not is_float(x):
        return (None,)
    zeros = b.zeros(x.type)
    return (b("scatter", zeros, use.results[1], use.cotangent, axis=use.attributes["axis"]),)


GRADIENTS: Gradients = {
    "sort": _sort,
    "argsort": None,
    "topk": _topk,
}
