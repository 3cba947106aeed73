"""Several tensors into one, and one into several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, add, exact_divide
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.dtypes import require_same_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import bools, floats, ints, sample
from dlc.ops.shapes import replaced, require_same_sizes, show


def _infer_concat(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    axis = attributes["axis"]
    dtype = require_same_dtype(types, "concat")
    require_same_sizes(types, axis, "concat")
    total: Size = 0
    for item in types:
        total = add(total, item.shape[axis])
    return (TensorType(dtype, replaced(types[0].shape, axis, total)),)


def _infer_stack(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    axis = attributes["axis"]
    dtype = require_same_dtype(types, "stack")
    first = types[0].shape
    for index, item in enumerate(types):
        if item.shape != first:
            raise OpError(
                f"stack needs equal shapes, not {show(first)} and {show(item.shape)}",
                found=show(item.shape),
                expected=show(first),
                operand=index,
            )
    return (TensorType(dtype, (*first[:axis], len(types), *first[axis:])),)


def split_sizes(x: TensorType, attributes: Attributes) -> tuple[Size, ...]:
    """The sizes of the parts along the axis. Raises OpError where they do not make up the whole."""
    axis, parts = attributes["axis"], attributes["parts"]
    whole = x.shape[axis]
    if isinstance(parts, int):
        part = exact_divide(whole, parts)
        if part is None:
            raise OpError(
                f"{whole}, the size of axis {axis} of {x}, does not split into {parts} equal parts",
                found=str(whole),
                expected=f"a multiple of {parts}",
                operand=0,
            )
        return (part,) * parts
    total: Size = 0
    for size in parts:
        total = add(total, size)
    if total != whole:
        raise OpError(
            f"the parts {show(parts)} add up to {total}; axis {axis} of {x} has size {whole}",
            found=str(total),
            expected=str(whole),
            operand=0,
        )
    return tuple(parts)


def _complete_split(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    parts: Any = attributes["parts"]
    if isinstance(parts, (list, tuple)):
        if not parts or any(isinstance(size, (bool, float, str)) for size in parts):
            raise OpError("split's parts must be sizes", found=str(parts), expected="a list of sizes")
        if any(isinstance(size, int) and size < 0 for size in parts):
            raise OpError("a part of a split has a negative size", found=show(parts), expected="0 or more")
        return {"parts": tuple(parts)}
    if not isinstance(parts, int) or isinstance(parts, bool) or parts < 1:
        raise OpError("split's parts must be a positive integer or a list of sizes", found=str(parts))
    return {}


def _infer_split(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x = types[0]
    sizes = split_sizes(x, attributes)
    return tuple(TensorType(x.dtype, replaced(x.shape, attributes["axis"], size)) for size in sizes)


def _infer_unstack(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, axis = types[0], attributes["axis"]
    count = x.shape[axis]
    if not isinstance(count, int):
        raise OpError(
            f"unstack needs a fixed number of parts; axis {axis} of {x} has the dynamic size {count}",
            found=str(count),
            expected="a fixed size",
            operand=0,
        )
    return (TensorType(x.dtype, (*x.shape[:axis], *x.shape[axis + 1 :])),) * count


def _concat(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    return (np.concatenate(list(operands), axis=attributes["axis"]),)


def _stack(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    return (np.stack(list(operands), axis=attributes["axis"]),)


def _split(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x = operands[0]
    sizes = split_sizes(TensorType("float", x.shape), attributes)
    borders = np.cumsum(np.asarray(sizes, dtype="int64"))[:-1]
    return tuple(np.split(x, borders, axis=attributes["axis"]))


def _unstack(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, axis = operands[0], attributes["axis"]
    return tuple(np.asarray(np.take(x, index, axis)) for index in range(x.shape[axis]))


_LAST = AttributeSpec("axis", "axis", -1)

OPS: tuple[Op, ...] = (
    Op(
        "concat",
        ("*values",),
        (_LAST,),
        _infer_concat,
        _concat,
        (
            sample(floats(2, 3), floats(2, 1)),
            sample(floats(2, 3), floats(4, 3), floats(0, 3), axis=0, name="first axis, one empty"),
            sample(floats(2, 3), name="one"),
            sample(ints(0, 9, 2), ints(0, 9, 1), name="ints"),
            sample(bools(2, 2), bools(2, 2), axis=-2, name="bools"),
        ),
        "The tensors one after another along an axis. numpy.concatenate.",
    ),
    Op(
        "stack",
        ("*values",),
        (AttributeSpec("axis", "new_axis", 0),),
        _infer_stack,
        _stack,
        (
            sample(floats(2, 3), floats(2, 3)),
            sample(floats(2, 3), floats(2, 3), floats(2, 3), axis=-1, name="last"),
            sample(floats(2, 3), floats(2, 3), axis=1, name="middle"),
            sample(floats(), floats(), name="scalars"),
            sample(ints(0, 9, 2), name="one"),
        ),
        "The tensors side by side along a new axis. numpy.stack.",
    ),
    Op(
        "split",
        ("x",),
        (AttributeSpec("parts", "any"), _LAST),
        _infer_split,
        _split,
        (
            sample(floats(2, 6), parts=3),
            sample(floats(2, 6), parts=(1, 2, 3), name="sizes"),
            sample(floats(4, 3), parts=2, axis=0, name="first axis"),
            sample(floats(4, 3), parts=(3, 0, 1), axis=-2, name="one empty"),
            sample(floats(2, 2), parts=1, name="one"),
        ),
        "Consecutive parts along an axis: that many equal ones, or of the given sizes. numpy.split, torch.split.",
        complete=_complete_split,
    ),
    Op(
        "unstack",
        ("x",),
        (AttributeSpec("axis", "axis", 0),),
        _infer_unstack,
        _unstack,
        (
            sample(floats(3, 2)),
            sample(floats(2, 3), axis=-1, name="last"),
            sample(ints(0, 9, 2), name="to scalars"),
            sample(floats(1, 2), name="one"),
        ),
        "The slices along an axis, without it. torch.unbind.",
    ),
)
