"""Softmax and its relatives, and the running sum."""

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


RULES: Mapping[str, Rule] = {
    "softmax": _guarded("Softmax", "softmax", 0.0, "Softmax; 0 everywhere where all along the axis are -inf."),
    "log_softmax": _guarded("LogSoftmax", "log_softmax", -_INF, "LogSoftmax; -inf where all along the axis are."),
    "logsumexp": _logsumexp,
    "cumsum": _cumsum,
}
