"""Elements put into a tensor at places that another tensor names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.dtypes import require_int, require_number
from dlc.ops.indexing import require_in_range
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import INF, bools, floats, ints, sample, value
from dlc.ops.shapes import require_same_sizes, show

_REDUCTIONS = ("set", "sum", "max", "min")


def _infer_scatter(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, indices, updates = types
    reduction = attributes["reduction"]
    if reduction not in _REDUCTIONS:
        raise OpError(f"scatter has no reduction {reduction!r}", found=reduction, expected=", ".join(_REDUCTIONS))
    require_int(types, "scatter's indices", 1)
    if reduction != "set":
        require_number(types, f"scatter's operand, to take a {reduction}")
    if updates.dtype != x.dtype:
        raise OpError(f"scatter puts {x.dtype} into {x}", found=str(updates), expected=f"{x.dtype}[...]", operand=2)
    require_same_sizes((x, indices), attributes["axis"], "scatter")
    if updates.shape != indices.shape:
        raise OpError(
            f"scatter needs one index for each update, not {show(indices.shape)} for {show(updates.shape)}",
            found=show(updates.shape),
            expected=show(indices.shape),
            operand=2,
        )
    return (x,)


def _scatter(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, indices, updates = operands
    axis = attributes["axis"]
    require_in_range(indices, x.shape[axis], "index", 1)
    result = x.copy()
    places = list(np.indices(indices.shape, sparse=True))
    places[axis] = indices
    match attributes["reduction"]:
        case "set":
            result[tuple(places)] = updates
        case "sum":
            np.add.at(result, tuple(places), updates)
        case "max":
            np.maximum.at(result, tuple(places), updates)
        case _:
            np.minimum.at(result, tuple(places), updates)
    return (result,)


def _updates(types: Sequence[TensorType], attributes: Attributes) -> Size:
    """All updates of a row may go to one place."""
    return 1 if attributes["reduction"] != "sum" else types[1].shape[attributes["axis"]]


OPS: tuple[Op, ...] = (
    Op(
        "scatter",
        ("x", "indices", "updates"),
        (AttributeSpec("axis", "axis", -1), AttributeSpec("reduction", "str", "set")),
        _infer_scatter,
        _scatter,
        (
            sample(floats(2, 5), value("int", [[3, 0], [1, 4]]), floats(2, 2)),
            sample(floats(4, 3), value("int", [[0, 3, 1], [2, 1, 0]]), floats(2, 3), axis=0, name="first axis"),
            sample(floats(2, 3), ints(0, 3, 2, 7), floats(2, 7), reduction="sum", name="sum"),
            sample(floats(2, 4, 3), ints(0, 4, 2, 6, 3), floats(2, 6, 3), axis=-2, reduction="sum", name="inner sum"),
            sample(floats(2, 3), ints(0, 3, 2, 7), floats(2, 7), reduction="max", name="max"),
            sample(floats(3, 2), ints(0, 3, 6, 2), floats(6, 2), axis=0, reduction="min", name="min"),
            sample(ints(0, 9, 2, 3), ints(0, 3, 2, 5), ints(0, 9, 2, 5), reduction="sum", name="ints"),
            sample(bools(2, 3), value("int", [[2], [0]]), bools(2, 1), name="bools"),
            sample(
                value("float", [-INF, 0.0, INF]),
                value("int", [0, 1, 2, 1]),
                value("float", [1.0, INF, -INF, -1.0]),
                reduction="max",
                name="infinite",
            ),
            sample(floats(1), value("int", [0, 0, 0]), floats(3), reduction="sum", name="one place"),
            sample(floats(2, 3), ints(0, 3, 2, 0), floats(2, 0), reduction="sum", name="no updates"),
        ),
        "x with updates at places of an axis: out[i, indices[i, j]] = updates[i, j] for the last of two axes, and so "
        "on; with a sum, max or min, of what was there and all updates. Places that are set must differ. "
        "torch.scatter, torch.scatter_reduce.",
        reduction=_updates,
    ),
)
