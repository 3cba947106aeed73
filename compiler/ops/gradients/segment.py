"""Gradients of segment ops. Rows that equal the largest or smallest of their segment share what flows back, evenly."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value
from dlc.ops.gradients.shaping import expanded


def _per_row(b: Builder, use: Applied, value: Value) -> Value:
    """Of each row's segment."""
    return b("gather", value, use.operands[1], axis=0)


def _total(b: Builder, use: Applied, rows: Value) -> Value:
    return b("segment_sum", rows, use.operands[1], count=use.attributes["count"])


def _sum(b: Builder, use: Applied) -> Cotangents:
    return _per_row(b, use, use.cotangent), None


def _mean(b: Builder, use: Applied) -> Cotangents:
    x, segments = use.operands
    count = b("maximum", b("segment_count", segments, count=use.attributes["count"]), 1)
    sizes = b("cast", expanded(b, count, range(1, len(x.shape))), dtype=x.type.dtype)
    return _per_row(b, use, use.cotangent / sizes), None


def _extreme(b: Builder, use: Applied) -> Cotangents:
    x = use.operands[0]
    chosen = b("cast", b("equal", x, _per_row(b, use, use.results[0])), dtype=x.type.dtype)
    # A segment without rows counts none; no row asks for its share, but a division by 0 would show in the derivative.
    count = b("maximum", _total(b, use, chosen), 1)
    return chosen * _per_row(b, use, use.cotangent / count), None


def _softmax(b: Builder, use: Applied) -> Cotangents:
    y, g = use.results[0], use.cotangent
    return y * (g - _per_row(b, use, _total(b, use, g * y))), None


GRADIENTS: Gradients = {
    "segment_sum": _sum,
    "segment_mean": _mean,
    "segment_max": _extreme,
    "segment_min": _extreme,
    "segment_softmax": _softmax,
    "segment_count": None,
}
