"""Segment reductions: rows that name the same segment are folded into one (the messages that reach a node)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.dims import Size
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError, Sample
from dlc.ops.dtypes import require_float, require_int, require_number
from dlc.ops.indexing import require_in_range
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import floats, ints, sample, value
from dlc.ops.shapes import show


def _infer(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, segments = types
    require_number(types, "a segment op's input")
    require_int(types, "segments", 1)
    if segments.rank != 1 or x.rank < 1 or segments.shape[0] != x.shape[0]:
        raise OpError(
            f"segments name the segment of each row: of shape {show(x.shape[:1])} for {x}, not {show(segments.shape)}",
            found=str(segments),
            expected=f"int{show(x.shape[:1])}",
            operand=1,
        )
    count: Size = attributes["count"]
    if isinstance(count, int) and count < 0:
        raise OpError("the count of segments is negative", found=str(count), expected="0 or more")
    return (TensorType(x.dtype, (count, *x.shape[1:])),)


def _infer_mean(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "segment_mean's input")
    return _infer(types, attributes)


def _fold(fold: Callable[[], Any], x: Any, segments: Any, count: int) -> Any:
    """Sorts the rows by segment, then reduces each run; a segment without rows stays 0."""
    require_in_range(segments, count, "segment", 1)
    result = np.zeros((count, *x.shape[1:]), dtype=x.dtype)
    if segments.size == 0:
        return result
    order = np.argsort(segments, kind="stable")
    ordered = segments[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    result[ordered[starts]] = fold().reduceat(x[order], starts, axis=0)
    return result


def _folding(ufunc: Callable[[], Any]) -> Callable[[Sequence[Any], Attributes], tuple[Any, ...]]:
    def evaluate(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
        return (_fold(ufunc, operands[0], operands[1], attributes["count"]),)

    return evaluate


def _mean(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, segments = operands
    count = attributes["count"]
    total = _fold(lambda: np.add, x, segments, count)
    sizes = np.maximum(np.bincount(segments, minlength=count), 1).astype(x.dtype)
    return (total / sizes.reshape(-1, *([1] * (x.ndim - 1))),)


def _length(types: Sequence[TensorType], attributes: Attributes) -> Size:
    return types[0].shape[0]


def _infer_softmax(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "segment_softmax's input")
    _infer(types, attributes)
    return (types[0],)


def _softmax(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, segments = operands
    count = attributes["count"]
    largest = _fold(lambda: np.maximum, x, segments, count)[segments]
    # A segment that is all -inf has nothing to share: its weights are 0.
    with np.errstate(all="ignore"):
        weights = np.exp(x - np.where(np.isneginf(largest), 0, largest))
        total = _fold(lambda: np.add, weights, segments, count)[segments]
        return ((weights / np.where(total == 0, 1, total)).astype(x.dtype),)


def _infer_count(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_int(types, "segments")
    if types[0].rank != 1:
        raise OpError("segments name the segment of each row", found=str(types[0]), expected="int[E]")
    return (TensorType(types[0].dtype, (attributes["count"],)),)


def _count(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    (segments,) = operands
    require_in_range(segments, attributes["count"], "segment", 0)
    return (np.bincount(segments, minlength=attributes["count"]).astype(segments.dtype),)


_SEGMENTS = value("int", [2, 0, 2, 4, 2, 0])
_FLOATS: tuple[Sample, ...] = (
    sample(floats(6, 3), _SEGMENTS, count=5),
    sample(floats(6), _SEGMENTS, count=6, name="vector"),
    sample(floats(6, 2, 3), _SEGMENTS, count=5, name="more axes"),
    sample(floats(0, 3), value("int", []), count=2, name="empty"),
    sample(floats(20, 4), ints(0, 7, 20), count=7, name="many"),
    sample(floats(1, 1), value("int", [0]), count=1, name="size 1"),
    sample(value("float", [[-5.0], [-3.0], [-4.0]]), value("int", [1, 1, 2]), count=3, name="negative"),
)
_INTS = sample(ints(-9, 10, 6, 2), _SEGMENTS, count=5, name="ints")


def _segment(
    name: str, evaluate: Callable[[Sequence[Any], Attributes], tuple[Any, ...]], doc: str, mean: bool = False
) -> Op:
    samples = _FLOATS if mean else (*_FLOATS, _INTS)
    infer = _infer_mean if mean else _infer
    count = (AttributeSpec("count", "size"),)
    return Op(name, ("x", "segments"), count, infer, evaluate, samples, doc, reduction=_length)


OPS: tuple[Op, ...] = (
    _segment(
        "segment_sum", _folding(lambda: np.add), "The sum of the rows of each segment. tf.math.unsorted_segment_sum."
    ),
    _segment("segment_mean", _mean, "The mean of the rows of each segment; 0 for none.", mean=True),
    _segment("segment_max", _folding(lambda: np.maximum), "The largest of each segment; 0 for none."),
    _segment("segment_min", _folding(lambda: np.minimum), "The smallest of each segment; 0 for none."),
    Op(
        "segment_softmax",
        ("x", "segments"),
        (AttributeSpec("count", "size"),),
        _infer_softmax,
        _softmax,
        (
            *_FLOATS,
            sample(
                value("float", [[float("-inf"), 1.0], [float("-inf"), -1e4], [0.5, float("-inf")], [2.0, 3.0]]),
                value("int", [0, 0, 1, 1]),
                count=3,
                name="nothing to attend to",
            ),
        ),
        "exp(x) over its sum among the rows of one segment; 0 where a segment is all -inf.",
        reduction=_length,
    ),
    Op(
        "segment_count",
        ("segments",),
        (AttributeSpec("count", "size"),),
        _infer_count,
        _count,
        (
            sample(_SEGMENTS, count=6),
            sample(value("int", []), count=2, name="empty"),
            sample(ints(0, 7, 20), count=7, name="many"),
        ),
        "How many rows each segment has. numpy.bincount.",
    ),
)
