"""Sorted order along an axis: sort, argsort, topk. Of equals, the first comes first, in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.dtypes import require_number
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import INF, bools, floats, ints, sample, value
from dlc.ops.shapes import replaced

_AXIS = AttributeSpec("axis", "axis", -1)
_DESCENDING = AttributeSpec("descending", "bool", False)


def _infer_sort(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "sort's operand")
    return (types[0],)


def _infer_argsort(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "argsort's operand")
    return (TensorType("int", types[0].shape),)


def _infer_topk(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    dtype = require_number(types, "topk's operand")
    x, k, axis = types[0], attributes["k"], attributes["axis"]
    size = x.shape[axis]
    if isinstance(k, int) and (k < 0 or (isinstance(size, int) and k > size)):
        raise OpError(
            f"topk cannot take {k} of the {size} elements of axis {axis} of {x}",
            found=str(k),
            expected=f"0 to {size}",
        )
    shape = replaced(x.shape, axis, k)
    return TensorType(dtype, shape), TensorType("int", shape)


def order(x: Any, axis: int, descending: bool) -> Any:
    """The places of the elements in sorted order, the first of equals first; NaN counts as the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    last = x.shape[axis] - 1
    return last - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def _argsort(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    return (order(operands[0], attributes["axis"], attributes["descending"]),)


def _sort(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, axis = operands[0], attributes["axis"]
    return (np.take_along_axis(x, order(x, axis, attributes["descending"]), axis),)


def _topk(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, axis = operands[0], attributes["axis"]
    places = order(x, axis, attributes["largest"])
    chosen = np.take(places, range(attributes["k"]), axis)
    return np.take_along_axis(x, chosen, axis), chosen


_SAMPLES = (
    sample(floats(2, 5)),
    sample(floats(2, 5), descending=True, name="descending"),
    sample(floats(4, 3, 2), axis=0, name="first axis"),
    sample(floats(2, 4, 3), axis=-2, descending=True, name="negative axis"),
    sample(ints(-2, 3, 2, 9), name="ties"),
    sample(ints(-2, 3, 2, 9), descending=True, name="descending ties"),
    sample(value("float", [[INF, -INF, 0.0, 1e30], [-1e-3, 1e-3, 0.0, -1e30]]), name="extremes"),
    sample(floats(3, 1), descending=True, name="size 1"),
    sample(floats(2, 0), name="empty"),
    sample(floats(0, 2), name="no rows"),
    sample(bools(6), name="bools count"),
)

OPS: tuple[Op, ...] = (
    Op(
        "sort",
        ("x",),
        (_AXIS, _DESCENDING),
        _infer_sort,
        _sort,
        _SAMPLES,
        "The elements in ascending (or descending) order along an axis. numpy.sort. Where NaN stands is left open.",
        promotion="common",
    ),
    Op(
        "argsort",
        ("x",),
        (_AXIS, _DESCENDING),
        _infer_argsort,
        _argsort,
        _SAMPLES,
        "The places that the sorted elements come from; of equals, the first first. numpy.argsort, stable.",
        promotion="common",
    ),
    Op(
        "topk",
        ("x",),
        (AttributeSpec("k", "size"), _AXIS, AttributeSpec("largest", "bool", True)),
        _infer_topk,
        _topk,
        (
            sample(floats(2, 6), k=3),
            sample(floats(2, 6), k=2, largest=False, name="smallest"),
            sample(floats(5, 2, 3), k=2, axis=0, name="first axis"),
            sample(floats(2, 5, 3), k=4, axis=-2, largest=False, name="negative axis"),
            sample(ints(0, 3, 3, 8), k=5, name="ties"),
            sample(ints(0, 3, 3, 8), k=5, largest=False, name="smallest ties"),
            sample(value("float", [INF, -INF, 0.0, 1e30, -1e30]), k=4, name="extremes"),
            sample(floats(2, 4), k=4, name="all"),
            sample(floats(2, 4), k=0, name="none"),
            sample(floats(3, 1), k=1, name="size 1"),
            sample(floats(0, 3), k=2, name="no rows"),
        ),
        "values, indices: the k largest (or smallest) along an axis, the best first, of equals the first, and where "
        "they stand. torch.topk.",
        promotion="common",
    ),
)
