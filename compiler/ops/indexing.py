"""Slices, gathers, one-hot vectors and triangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Dim, Size, add, floor_divide, subtract
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.attributes import is_int
from dlc.ops.dtypes import numpy_dtype, precision_of, require_int
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_one
from dlc.ops.samples import bools, floats, ints, sample, value
from dlc.ops.shapes import require_same_sizes

# --- slice -----------------------------------------------------------------------------------------------------


def slice_length(size: Size, start: Size | None, stop: Size | None, step: int) -> Size:
    """How many elements a slice takes, by Python's rule for non-negative bounds.

    Where a bound or the size is symbolic, the bounds count as in range (start <= stop <= size): a shape can't say
    min(T, 3). Where they are not at run time, the reference finds another shape than the type says.
    """
    numbers = [item for item in (size, start, stop) if item is not None]
    if all(isinstance(item, int) for item in numbers):
        return len(range(*slice(start, stop, step).indices(size)))  # type: ignore[arg-type]
    if step > 0:
        distance = subtract(size if stop is None else stop, 0 if start is None else start)
    else:
        distance = subtract(subtract(size, 1) if start is None else start, -1 if stop is None else stop)
    return floor_divide(add(distance, abs(step) - 1), abs(step))


def _complete_slice(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    items: Any = attributes["items"]
    rank = types[0].rank
    if not isinstance(items, (list, tuple)) or len(items) != rank:
        raise OpError(f"slice needs one item for each of the {rank} axes of {types[0]}", found=str(items))
    return {"items": tuple(tuple(item) for item in items)}


def _infer_slice(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x = types[0]
    shape: list[Size] = []
    for axis, (item, size) in enumerate(zip(attributes["items"], x.shape, strict=True)):
        if item[0] == "index":
            _check_index(x, axis, item[1])
        else:
            shape.append(_sliced(x, axis, size, item))
    return (TensorType(x.dtype, tuple(shape)),)


def _check_index(x: TensorType, axis: int, index: Size) -> None:
    size = x.shape[axis]
    if not is_int(index) and not isinstance(index, Dim):
        raise OpError("an index must be an integer or a dimension", found=str(index), expected="an integer")
    below = isinstance(index, int) and index < 0
    if below or (isinstance(index, int) and isinstance(size, int) and index >= size) or index == size:
        raise OpError(
            f"index {index} is out of range for axis {axis} of {x}",
            found=str(index),
            expected=f"less than {size}",
            operand=0,
        )


def _sliced(x: TensorType, axis: int, size: Size, item: tuple[Any, ...]) -> Size:
    _, start, stop, step = item
    if not is_int(step) or step == 0:
        raise OpError("a slice's step must be an integer other than 0", found=str(step), expected="a non-zero integer")
    for bound in (start, stop):
        if isinstance(bound, int) and bound < 0:
            raise OpError(f"a slice's bound falls before axis {axis} of {x}", found=str(bound), expected="0 or more")
    length = slice_length(size, start, stop, step)
    if isinstance(length, int) and length < 0:
        raise OpError(f"the slice {start}:{stop} of axis {axis} of {x} would have {length} elements", found=str(length))
    return length


def _slice(x: Any, attributes: Attributes) -> Any:
    return x[tuple(item[1] if item[0] == "index" else slice(*item[1:]) for item in attributes["items"])]


# --- gather ----------------------------------------------------------------------------------------------------


def require_in_range(indices: Any, size: int, what: str, operand: int) -> None:
    """Raises OpError where an index is not in 0 <= i < size: NumPy would wrap negative ones."""
    if indices.size == 0:
        return
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or high >= size:
        wrong = low if low < 0 else high
        raise OpError(
            f"{what} {wrong} is out of range", found=str(wrong), expected=f"0 <= {what} < {size}", operand=operand
        )


def _infer_gather(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, indices = types
    axis = attributes["axis"]
    require_int(types, "gather's indices", 1)
    return (TensorType(x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])),)


def _gather(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, indices = operands
    axis = attributes["axis"]
    require_in_range(indices, x.shape[axis], "index", 1)
    return (np.asarray(np.take(x, indices, axis)),)


def _infer_take(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_int(types, "take_along_axis's indices", 1)
    require_same_sizes(types, attributes["axis"], "take_along_axis")
    return (TensorType(types[0].dtype, types[1].shape),)


def _take(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, indices = operands
    axis = attributes["axis"]
    require_in_range(indices, x.shape[axis], "index", 1)
    return (np.take_along_axis(x, indices, axis),)


# --- one_hot, triangular ---------------------------------------------------------------------------------------


def _infer_one_hot(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_int(types, "one_hot's indices")
    depth: Size = attributes["depth"]
    if isinstance(depth, int) and depth < 0:
        raise OpError("one_hot's depth is negative", found=str(depth), expected="0 or more")
    return (TensorType("float", (*types[0].shape, depth)),)


def _one_hot(indices: Any, attributes: Attributes) -> Any:
    depth = attributes["depth"]
    require_in_range(indices, depth, "index", 0)
    hot = indices[..., None] == np.arange(depth)
    return hot.astype(numpy_dtype("float", precision_of(attributes)))


def _infer_triangular(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    if types[0].rank < 2:
        raise OpError("triangular needs at least two axes", found=str(types[0]), expected="[..., M, N]", operand=0)
    return (types[0],)


def _triangular(x: Any, attributes: Attributes) -> Any:
    return (np.triu if attributes["upper"] else np.tril)(x, attributes["diagonal"])


_FULL = ("slice", None, None, 1)

OPS: tuple[Op, ...] = (
    Op(
        "slice",
        ("x",),
        (AttributeSpec("items", "any"),),
        _infer_slice,
        of_one(_slice),
        (
            sample(floats(4, 5), items=(("index", 2), _FULL)),
            sample(floats(4, 5), items=(_FULL, ("slice", 1, 4, 1)), name="range"),
            sample(floats(4, 5), items=(("slice", None, None, 2), ("slice", 1, None, 3)), name="steps"),
            sample(floats(4, 5), items=(("slice", None, None, -1), ("slice", 3, 0, -2)), name="backwards"),
            sample(floats(4, 5), items=(_FULL, ("slice", 2, 2, 1)), name="empty"),
            sample(floats(4), items=(("index", 0),), name="to scalar"),
            sample(ints(0, 9, 3, 2), items=(("slice", 0, 9, 1), ("index", 1)), name="clamped"),
        ),
        "x[...]: an index drops its axis, a slice keeps it; bounds beyond the end are the end. NumPy's basic indexing.",
        complete=_complete_slice,
    ),
    Op(
        "gather",
        ("x", "indices"),
        (AttributeSpec("axis", "axis", 0),),
        _infer_gather,
        _gather,
        (
            sample(floats(5, 3), ints(0, 5, 2, 4)),
            sample(floats(2, 5), ints(0, 5, 3), axis=-1, name="last"),
            sample(floats(2, 5, 3), ints(0, 5, 2, 2), axis=1, name="middle"),
            sample(floats(5, 3), ints(0, 5), name="scalar index"),
            sample(floats(5), ints(0, 5, 0), name="no index"),
            sample(ints(0, 9, 4), ints(0, 4, 3), name="ints"),
        ),
        "The slices of x at those places of the axis; the indices' axes stand where the axis was. numpy.take.",
    ),
    Op(
        "take_along_axis",
        ("x", "indices"),
        (AttributeSpec("axis", "axis", -1),),
        _infer_take,
        _take,
        (
            sample(floats(2, 5), ints(0, 5, 2, 1)),
            sample(floats(4, 3), ints(0, 4, 2, 3), axis=0, name="first axis"),
            sample(floats(2, 5, 3), ints(0, 5, 2, 7, 3), axis=-2, name="longer"),
        ),
        "out[i, j] = x[i, indices[i, j]] for the last of two axes, and so on. numpy.take_along_axis.",
    ),
    Op(
        "one_hot",
        ("indices",),
        (AttributeSpec("depth", "size"),),
        _infer_one_hot,
        of_one(_one_hot),
        (
            sample(ints(0, 4, 2, 3), depth=4),
            sample(ints(0, 1), depth=3, name="scalar"),
            sample(value("int", [0, 0]), depth=1, name="depth 1"),
        ),
        "1 at the index along a new last axis, else 0. torch.nn.functional.one_hot, as floats.",
    ),
    Op(
        "triangular",
        ("x",),
        (AttributeSpec("diagonal", "size", 0), AttributeSpec("upper", "bool", False)),
        _infer_triangular,
        of_one(_triangular),
        (
            sample(floats(4, 4)),
            sample(floats(2, 3, 5), diagonal=1, name="above"),
            sample(floats(3, 5), diagonal=-1, upper=True, name="upper"),
            sample(bools(4, 4), diagonal=1, upper=True, name="bools"),
            sample(floats(3, 3), diagonal=5, name="all"),
            sample(floats(3, 3), diagonal=-5, name="none"),
        ),
        "The lower (or upper) triangle of the last two axes, the rest 0: kept where j <= i + diagonal (upper: >=). "
        "numpy.tril, numpy.triu.",
    ),
)
