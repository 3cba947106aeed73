"""Softmax and its relatives, running sums and products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule

_INF = float("inf")


def _guarded(op: str, name: str, otherwise: float, doc: str) -> Rule:
    """ONNX gives NaN where everything along the axis is -inf; the language gives `otherwise`."""

    def rule(b: Builder, use: Apply) -> Value:
        axis, dtype = use.attributes["axis"], use.types[0].dtype
        if use.above[0]:
            return b(op, use.inputs[0], axis=axis)

        def build(b: Builder, given: Sequence[Value]) -> Value:
            (x,) = given
            largest = b("ReduceMax", x, b.integers([axis]), hint="largest", keepdims=1)
            nothing = b("Equal", largest, b.number(-_INF, dtype), hint="nothing")
            return b("Where", nothing, b.number(otherwise, dtype), b(op, x, axis=axis))

        return b.library.helper(b, name, (axis, dtype), [("x", use.inputs[0])], build, doc)

    return rule


def _logsumexp(b: Builder, use: Apply) -> Value:
    """ONNX Runtime subtracts the maximum, unless that is infinite."""
    axes = b.integers([use.attributes["axis"]])
    return b("ReduceLogSumExp", use.inputs[0], axes, keepdims=int(use.attributes["keepdims"]))


def _cumsum(b: Builder, use: Apply) -> Value:
    return b("CumSum", use.inputs[0], b.number(use.attributes["axis"], "int", "axis"))


def _cumprod(b: Builder, use: Apply) -> Value:
    """ONNX has none. Row i of a matrix holds the elements up to i and ones beyond; its product is the i-th."""
    axis, dtype, rank = use.attributes["axis"], use.types[0].dtype, use.types[0].rank

    def build(b: Builder, given: Sequence[Value]) -> Value:
        (x,) = given
        order = (*(place for place in range(rank) if place != axis), axis)
        if axis != rank - 1:
            x = b("Transpose", x, hint="moved", perm=order)
        size = b("Squeeze", b("Shape", x, hint="length", start=rank - 1), hint="size")
        positions = b("Range", b.number(0, "int"), size, b.number(1, "int"), hint="positions")
        row = b("Unsqueeze", positions, b.integers([1]), hint="row")
        earlier = b("LessOrEqual", positions, row, hint="earlier")
        rows = b("Unsqueeze", x, b.integers([-2]), hint="rows")
        factors = b("Where", earlier, rows, b.number(1, dtype), hint="factors")
        # Trap: ONNX Runtime (1.31.1) ignores a negative axis where there are no elements.
        products = b("ReduceProd", factors, b.integers([rank]), hint="products", keepdims=0)
        if axis == rank - 1:
            return products
        return b("Transpose", products, perm=tuple(order.index(place) for place in range(rank)))

    return b.library.helper(b, "cumprod", (axis, dtype, rank), [("x", use.inputs[0])], build, "The running product.")


RULES: Mapping[str, Rule] = {
    "softmax": _guarded("Softmax", "softmax", 0.0, "Softmax; 0 everywhere where all along the axis are -inf."),
    "log_softmax": _guarded("LogSoftmax", "log_softmax", -_INF, "LogSoftmax; -inf where all along the axis are."),
    "logsumexp": _logsumexp,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
}
