"""Sorted order, all by `TopK`: of equals the lower index comes first, in either direction."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule
from dlc.dims import Size


def _ordered(b: Builder, use: Apply, count: Size, largest: bool) -> list[Value]:
    """Values and places of the first `count` in order. ONNX Runtime's `TopK` has no 16 bits."""
    x, dtype = use.inputs[0], use.types[0].dtype
    half = b.element(dtype) in ("FLOAT16", "BFLOAT16")
    if half:
        x = b.cast(x, "f32")
    attributes = {"axis": use.attributes["axis"], "largest": int(largest)}
    values, places = b.many("TopK", [x, use.sizes.one(count)], ["values", "indices"], attributes)
    return [b.cast(values, dtype) if half else values, places]


def _all(b: Builder, use: Apply) -> list[Value]:
    size = use.types[0].shape[use.attributes["axis"]]
    return _ordered(b, use, size, use.attributes["descending"])


def _sort(b: Builder, use: Apply) -> Value:
    return _all(b, use)[0]


def _argsort(b: Builder, use: Apply) -> Value:
    return _all(b, use)[1]


def _topk(b: Builder, use: Apply) -> list[Value]:
    return _ordered(b, use, use.attributes["k"], use.attributes["largest"])


RULES: Mapping[str, Rule] = {"sort": _sort, "argsort": _argsort, "topk": _topk}
