"""Gradient of scatter. What was overwritten gets nothing; equals that are the largest or smallest share evenly."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value


def _scatter(b: Builder, use: Applied) -> Cotangents:
    _, indices, updates = use.operands
    axis, g = use.attributes["axis"], use.cotangent
    match use.attributes["reduction"]:
        case "set":
            kept = b("scatter", g, indices, b.zeros(updates.type), axis=axis)
            return kept, None, b("take_along_axis", g, indices, axis=axis)
        case "sum":
            return g, None, b("take_along_axis", g, indices, axis=axis)
        case _:
            return _extreme(b, use)


def _extreme(b: Builder, use: Applied) -> Cotangents:
    """Those that equal the result of their place have equal shares."""
    x, indices, updates = use.operands
    axis = use.attributes["axis"]

    def taken(value: Value) -> Value:
        return b("take_along_axis", value, indices, axis=axis)

    result = use.results[0]
    stays = b("cast", b("equal", x, result), dtype=x.type.dtype)
    chosen = b("cast", b("equal", updates, taken(result)), dtype=x.type.dtype)
    share = use.cotangent / b("scatter", stays, indices, chosen, axis=axis, reduction="sum")
    return stays * share, None, chosen * taken(share)


GRADIENTS: Gradients = {"scatter": _scatter}
