"""Tensors out of nothing."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.onnx.graph import Builder, Literal, Value
from dlc.backends.onnx.rule import Apply, Rule


def _constant(b: Builder, use: Apply) -> Value:
    value, dtype, shape = (use.attributes[name] for name in ("value", "dtype", "shape"))
    if not shape:
        return b.number(value, dtype)
    number = Literal(b.element(dtype), (1,), (value,))
    return use.sizes.filled(shape, number)


def _dimension(b: Builder, use: Apply) -> Value:
    return use.sizes.scalar(use.attributes["size"])


def _arange(b: Builder, use: Apply) -> Value:
    start, stop, step = (use.attributes[name] for name in ("start", "stop", "step"))
    if start == 0 and step == 1:
        return use.sizes.positions(stop)
    return b("Range", use.sizes.scalar(start), use.sizes.scalar(stop), b.number(step, "int"))


RULES: Mapping[str, Rule] = {"constant": _constant, "dimension": _dimension, "arange": _arange}
