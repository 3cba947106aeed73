"""Reductions over one, several or all axes. Axes are an input since opset 18; without it, all are reduced."""

from __future__ import annotations

from collections.abc import Mapping

from dlc import dims
from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule


def _reduce(b: Builder, op: str, x: Value, use: Apply, keepdims: bool) -> Value:
    axes: tuple[int, ...] = use.attributes["axis"]
    if not axes:  # an empty list of axes would mean all of them
        return x
    every = len(axes) == use.types[0].rank
    return b(op, x, None if every else b.integers(axes), keepdims=int(keepdims))


def _reduction(op: str) -> Rule:
    return lambda b, use: _reduce(b, op, use.inputs[0], use, use.attributes["keepdims"])


def _mean_of(b: Builder, x: Value, use: Apply, keepdims: bool) -> Value:
    """`ReduceMean` over nothing is 0 in ONNX Runtime, NaN in the language: an unknown count divides the sum."""
    count = dims.product([use.types[0].shape[axis] for axis in use.attributes["axis"]])
    if isinstance(count, int) and count > 0:
        return _reduce(b, "ReduceMean", x, use, keepdims)
    total = _reduce(b, "ReduceSum", x, use, keepdims)
    return b("Div", total, b.cast(use.sizes.scalar(count), use.types[0].dtype, "count"))


def _mean(b: Builder, use: Apply) -> Value:
    return _mean_of(b, use.inputs[0], use, use.attributes["keepdims"])


def _variance(b: Builder, use: Apply) -> Value:
    centred = b("Sub", use.inputs[0], _mean_of(b, use.inputs[0], use, True), hint="centred")
    return _mean_of(b, b("Mul", centred, centred, hint="squares"), use, use.attributes["keepdims"])


def _logic(op: str, fold: str) -> Rule:
    """Bools reduce since opset 20, but not in ONNX Runtime where the operand may be empty: there their numbers do."""

    def rule(b: Builder, use: Apply) -> Value:
        keepdims = use.attributes["keepdims"]
        if all(isinstance(size, int) and size > 0 for size in use.types[0].shape):
            return _reduce(b, op, use.inputs[0], use, keepdims)
        return b.cast(_reduce(b, fold, b.cast(use.inputs[0], "int"), use, keepdims), "bool")

    return rule


def _index(op: str) -> Rule:
    """The first of several: `select_last_index` is 0."""

    def rule(b: Builder, use: Apply) -> Value:
        axis, keepdims = use.attributes["axis"], use.attributes["keepdims"]
        return b(op, use.inputs[0], axis=axis, keepdims=int(keepdims))

    return rule


RULES: Mapping[str, Rule] = {
    "sum": _reduction("ReduceSum"),
    "mean": _mean,
    "prod": _reduction("ReduceProd"),
    "variance": _variance,
    "max": _reduction("ReduceMax"),
    "min": _reduction("ReduceMin"),
    "any": _logic("ReduceMax", "ReduceSum"),
    "all": _logic("ReduceMin", "ReduceProd"),
    "argmax": _index("ArgMax"),
    "argmin": _index("ArgMin"),
}
