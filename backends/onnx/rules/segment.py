"""Sums, means and extremes over the rows of each segment.

Trap: `ScatterND` with a reduction races between threads in ONNX Runtime (wrong results from 10k edges on), so these use
`ScatterElements`, flattened to one axis, which is right and four times as fast as along the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dlc.backends.onnx.graph import Builder, Literal, Value, is_float
from dlc.backends.onnx.rule import Apply, Rule
from dlc.backends.onnx.rules.shape import INT_MAX, INT_MIN

_START = {"add": 0.0, "max": float("-inf"), "min": float("inf")}
_START_INT = {"add": 0, "max": INT_MIN, "min": INT_MAX}
_START_I32 = {"add": 0, "max": -(2**31), "min": 2**31 - 1}


def _start(b: Builder, dtype: str, reduction: str) -> Literal:
    """What nothing reduces to."""
    table = _START if is_float(dtype) else _START_I32 if dtype == "i32" else _START_INT
    return Literal(b.element(dtype), (1,), (table[reduction],))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one function: x [E, ...], the segment of each, how many segments there are.

    `places`: where in the result each element goes, `length`: how many places there are. A row that is one number goes
    to its segment's place. Else all is flattened: element m of a row of M goes to place s * M + m of segment s, and the
    result gets its `shape` afterwards.
    """

    b: Builder
    x: Value
    segments: Value
    count: Value
    dtype: str
    rank: int
    places: Value
    length: Value
    shape: Value | None = None

    @classmethod
    def of(cls, b: Builder, x: Value, segments: Value, count: Value, dtype: str, rank: int) -> _Rows:
        if rank == 1:
            return cls(b, x, segments, count, dtype, rank, segments, count)
        row = b("Shape", x, hint="row", start=1)
        width = b("ReduceProd", row, hint="width", keepdims=1)
        first = b("Unsqueeze", b("Mul", segments, width), b.integers([1]), hint="first")
        within = b("Range", b.number(0, "int"), b("Squeeze", width), b.number(1, "int"), hint="within")
        places = b("Reshape", b("Add", first, within), b.integers([-1]), hint="places")
        length, shape = b("Mul", count, width, hint="length"), b("Concat", count, row, hint="shape", axis=0)
        return cls(b, x, segments, count, dtype, rank, places, length, shape)

    def fold(self, reduction: str, x: Value) -> Value:
        """[count, ...] from rows like x."""
        b, start = self.b, _start(self.b, self.dtype, reduction)
        elements = b("Reshape", x, b.integers([-1]), hint="elements") if self.shape else x
        folded = _scattered(b, reduction, self.length, self.places, elements, start)
        return b("Reshape", folded, self.shape, allowzero=1) if self.shape else folded

    def sizes(self) -> Value:
        """How many rows each segment has, [count, 1, ...]."""
        sizes = _sizes(self.b, self.segments, self.count, self.dtype)
        return (
            sizes if self.rank == 1 else self.b("Unsqueeze", sizes, self.b.integers(range(1, self.rank)), hint="sizes")
        )

    def number(self, value: float) -> Value:
        return self.b.number(value, self.dtype)


def _scattered(b: Builder, reduction: str, size: Value, places: Value, x: Value, start: Literal) -> Value:
    empty = b("ConstantOfShape", size, hint="start", value=start)
    return b("ScatterElements", empty, places, x, hint="folded", axis=0, reduction=reduction)


def _sizes(b: Builder, segments: Value, count: Value, dtype: str) -> Value:
    ones = b("ConstantOfShape", b("Shape", segments), hint="ones", value=Literal(b.element(dtype), (1,), (1,)))
    return _scattered(b, "add", count, segments, ones, _start(b, dtype, "add"))


_Fold = Callable[[_Rows], Value]


def _sum(rows: _Rows) -> Value:
    return rows.fold("add", rows.x)


def _mean(rows: _Rows) -> Value:
    return rows.b("Div", rows.fold("add", rows.x), rows.b("Max", rows.sizes(), rows.number(1.0)))


def _extreme(reduction: str) -> _Fold:
    """An empty segment is told by its size, not by the start value: a segment of -inf alone stays -inf."""

    def fold(rows: _Rows) -> Value:
        folded = rows.fold(reduction, rows.x)
        empty = rows.b("Equal", rows.sizes(), rows.number(0), hint="empty")
        return rows.b("Where", empty, rows.number(0), folded)

    return fold


def _softmax(rows: _Rows) -> Value:
    """Over the rows of each segment; a segment of -inf alone gets 0."""
    b, zero, one = rows.b, rows.number(0.0), rows.number(1.0)
    largest = b("Gather", rows.fold("max", rows.x), rows.segments, hint="largest", axis=0)
    nothing = b("Equal", largest, rows.number(float("-inf")), hint="nothing")
    shift = b("Where", nothing, zero, largest, hint="shift")
    weights = b("Exp", b("Sub", rows.x, shift, hint="shifted"), hint="weights")
    total = b("Gather", rows.fold("add", weights), rows.segments, hint="total", axis=0)
    return b("Div", weights, b("Where", b("Equal", total, zero, hint="none"), one, total, hint="divisor"))


def _count(b: Builder, use: Apply) -> Value:
    count = use.sizes.one(use.attributes["count"])
    return _sizes(b, use.inputs[0], count, use.types[0].dtype)


def _segment(name: str, fold: _Fold, doc: str) -> Rule:
    def rule(b: Builder, use: Apply) -> Value:
        x, segments = use.inputs
        dtype, rank = use.types[0].dtype, use.types[0].rank
        half = b.element(dtype) == "FLOAT16"  # which ONNX Runtime does not scatter
        if half:
            x, dtype = b.cast(x, "f32"), "f32"

        def build(b: Builder, given: Sequence[Value]) -> Value:
            x, segments, count = given
            return fold(_Rows.of(b, x, segments, count, dtype, rank))

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
