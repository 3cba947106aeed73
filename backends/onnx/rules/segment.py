"""Sums, means and extremes over the rows of each segment.

Trap: `ScatterND` with a reduction races between threads in ONNX Runtime (wrong results from 10k edges on), so these use
`ScatterElements`, flattened to one axis, which is right and four times as fast as along the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Literal, Value, is_float
from dlc.backends.onnx.rule import Apply, Rule
from dlc.backends.onnx.rules.shape import INT_MAX, INT_MIN

#: Writes a fold: rows, segments, count, element type, rank of the rows.
_Fold = Callable[[Builder, Value, Value, Value, str, int], Value]

_START = {"add": 0.0, "max": float("-inf"), "min": float("inf")}
_START_INT = {"add": 0, "max": INT_MIN, "min": INT_MAX}
_START_I32 = {"add": 0, "max": -(2**31), "min": 2**31 - 1}


def _start(b: Builder, dtype: str, reduction: str) -> Literal:
    """What nothing reduces to."""
    table = _START if is_float(dtype) else _START_I32 if dtype == "i32" else _START_INT
    return Literal(b.element(dtype), (1,), (table[reduction],))


def _scatter(b: Builder, reduction: str, x: Value, segments: Value, count: Value, dtype: str, rank: int) -> Value:
    """[count, ...] from rows x [E, ...]. Row e goes to segment s: element m of it to place s * M + m."""
    start = _start(b, dtype, reduction)
    if rank == 1:
        empty = b("ConstantOfShape", count, hint="start", value=start)
        return b("ScatterElements", empty, segments, x, hint="folded", axis=0, reduction=reduction)
    row = b("Shape", x, hint="row", start=1)
    width = b("ReduceProd", row, hint="width", keepdims=1)
    first = b("Unsqueeze", b("Mul", segments, width), b.integers([1]), hint="first")
    zero, one = b.number(0, "int"), b.number(1, "int")
    within = b("Range", zero, b("Squeeze", width), one, hint="within")
    flat = b.integers([-1])
    places = b("Reshape", b("Add", first, within), flat, hint="places")
    rows = b("Reshape", x, flat, hint="elements")
    empty = b("ConstantOfShape", b("Mul", count, width), hint="start", value=start)
    folded = b("ScatterElements", empty, places, rows, hint="folded", axis=0, reduction=reduction)
    return b("Reshape", folded, b("Concat", count, row, hint="shape", axis=0), allowzero=1)


def _sizes(b: Builder, segments: Value, count: Value, dtype: str, rank: int) -> Value:
    """How many rows each segment has, [count, 1, ...]."""
    ones = b("ConstantOfShape", b("Shape", segments), hint="ones", value=Literal(b.element(dtype), (1,), (1,)))
    sizes = _scatter(b, "add", ones, segments, count, dtype, 1)
    return sizes if rank == 1 else b("Unsqueeze", sizes, b.integers(range(1, rank)), hint="sizes")


def _sum(b: Builder, x: Value, segments: Value, count: Value, dtype: str, rank: int) -> Value:
    return _scatter(b, "add", x, segments, count, dtype, rank)


def _mean(b: Builder, x: Value, segments: Value, count: Value, dtype: str, rank: int) -> Value:
    total = _scatter(b, "add", x, segments, count, dtype, rank)
    return b("Div", total, b("Max", _sizes(b, segments, count, dtype, rank), b.number(1.0, dtype)))


def _extreme(reduction: str) -> _Fold:
    """An empty segment is told by its size, not by the start value: a segment of -inf alone stays -inf."""

    def fold(b: Builder, x: Value, segments: Value, count: Value, dtype: str, rank: int) -> Value:
        folded = _scatter(b, reduction, x, segments, count, dtype, rank)
        empty = b("Equal", _sizes(b, segments, count, dtype, rank), b.number(0, dtype), hint="empty")
        return b("Where", empty, b.number(0, dtype), folded)

    return fold


def _softmax(b: Builder, x: Value, segments: Value, count: Value, dtype: str, rank: int) -> Value:
    """Over the rows of each segment; a segment of -inf alone gets 0."""

    def of_row(reduction: str, values: Value, hint: str) -> Value:
        folded = _scatter(b, reduction, values, segments, count, dtype, rank)
        return b("Gather", folded, segments, hint=hint, axis=0)

    zero, one = b.number(0.0, dtype), b.number(1.0, dtype)
    largest = of_row("max", x, "largest")
    nothing = b("Equal", largest, b.number(float("-inf"), dtype), hint="nothing")
    shift = b("Where", nothing, zero, largest, hint="shift")
    weights = b("Exp", b("Sub", x, shift, hint="shifted"), hint="weights")
    total = of_row("add", weights, "total")
    return b("Div", weights, b("Where", b("Equal", total, zero, hint="none"), one, total, hint="divisor"))


def _count(b: Builder, use: Apply) -> Value:
    count = use.sizes.one(use.attributes["count"])
    return _sizes(b, use.inputs[0], count, use.types[0].dtype, 1)


def _segment(name: str, fold: _Fold, doc: str) -> Rule:
    def rule(b: Builder, use: Apply) -> Value:
        x, segments = use.inputs
        dtype, rank = use.types[0].dtype, use.types[0].rank
        half = b.element(dtype) == "FLOAT16"  # which ONNX Runtime does not scatter
        if half:
            x, dtype = b.cast(x, "f32"), "f32"

        def build(b: Builder, given: Sequence[Value]) -> Value:
            x, segments, count = given
            return fold(b, x, segments, count, dtype, rank)

        inputs = [("x", x), ("segments", segments), ("count", use.sizes.one(use.attributes["count"]))]
        folded = b.library.helper(b, name, (dtype, rank), inputs, build, doc)
        return b.cast(folded, use.types[0].dtype) if half else folded

    return rule


RULES: Mapping[str, Rule] = {
    "segment_sum": _segment("segment_sum", _sum, "The sum of each segment's rows; 0 for none."),
    "segment_mean": _segment("segment_mean", _mean, "The mean of each segment's rows; 0 for none."),
    "segment_max": _segment("segment_max", _extreme("max"), "The largest of each segment's rows; 0 for none."),
    "segment_min": _segment("segment_min", _extreme("min"), "The smallest of each segment's rows; 0 for none."),
    "segment_softmax": _segment("segment_softmax", _softmax, "Softmax over the rows of each segment."),
    "segment_count": _count,
}
