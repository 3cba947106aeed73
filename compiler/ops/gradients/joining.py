"""Gradients of joining and splitting: each is the other."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients


def _concat(b: Builder, use: Applied) -> Cotangents:
    axis = use.attributes["axis"]
    if len(use.operands) == 1:
        return (use.cotangent,)
    parts = tuple(value.shape[axis] for value in use.operands)
    return b.many("split", use.cotangent, parts=parts, axis=axis)


def _stack(b: Builder, use: Applied) -> Cotangents:
    return b.many("unstack", use.cotangent, axis=use.attributes["axis"])


def _split(b: Builder, use: Applied) -> Cotangents:
    return (b("concat", *use.every_cotangent(b), axis=use.attributes["axis"]),)


def _unstack(b: Builder, use: Applied) -> Cotangents:
    return (b("stack", *use.every_cotangent(b), axis=use.attributes["axis"]),)


GRADIENTS: Gradients = {
    "concat": _concat,
    "stack": _stack,
    "split": _split,
    "unstack": _unstack,
}
