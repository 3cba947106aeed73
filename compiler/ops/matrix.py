"""Ops on matrices, the last two axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, subtract
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.dtypes import require_float, require_same_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_one
from dlc.ops.samples import bools, floats, ints, sample, value

# --- diagonal --------------------------------------------------------------------------------------------------


def diagonal_length(x: TensorType, offset: int) -> Size:
    """How many elements the diagonal has. Raises OpError where that depends on which of two sizes is smaller."""
    rows, columns = x.shape[-2:]
    if rows == columns:
        length = subtract(rows, abs(offset))
    elif isinstance(rows, int) and isinstance(columns, int):
        length = min(rows + min(offset, 0), columns - max(offset, 0))
    else:
        raise OpError(
            f"the diagonal of {rows} rows and {columns} columns has no size that is known",
            found=str(x),
            expected="equal or fixed sizes",
            operand=0,
        )
    if isinstance(length, int) and length < 1:
        raise OpError(f"diagonal {offset} lies outside of {x}", found=str(offset))
    return length


def _infer_diagonal(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x = types[0]
    if x.rank < 2:
        raise OpError("diagonal needs at least two axes", found=str(x), expected="[..., M, N]", operand=0)
    return (TensorType(x.dtype, (*x.shape[:-2], diagonal_length(x, attributes["offset"]))),)


def _diagonal(x: Any, attributes: Attributes) -> Any:
    return np.diagonal(x, attributes["offset"], -2, -1)


# --- solve -----------------------------------------------------------------------------------------------------


def _infer_solve(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    a, b = types
    require_float(types, "solve's matrix")
    require_same_dtype(types, "solve")
    if a.rank < 2 or a.shape[-1] != a.shape[-2]:
        raise OpError("solve needs a square matrix", found=str(a), expected="[..., N, N]", operand=0)
    if b.rank != a.rank or b.shape[:-1] != a.shape[:-1]:
        wanted = ", ".join(map(str, (*a.shape[:-1], "K")))
        raise OpError(
            f"solve needs {a.shape[-1]} rows on the right side of {a}", found=str(b), expected=f"[{wanted}]", operand=1
        )
    if 0 in b.shape[-2:]:
        raise OpError(f"solve has nothing to find for {b}", found=str(b), operand=1)
    return (b,)


def _solve(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    try:
        return (np.linalg.solve(*operands),)
    except np.linalg.LinAlgError:
        raise OpError("solve found a singular matrix", operand=0) from None


def _unknowns(types: Sequence[TensorType], attributes: Attributes) -> Size:
    return types[0].shape[-1]


OPS: tuple[Op, ...] = (
    Op(
        "diagonal",
        ("x",),
        (AttributeSpec("offset", "int", 0),),
        _infer_diagonal,
        of_one(_diagonal),
        (
            sample(floats(4, 4)),
            sample(floats(2, 3, 5), offset=1, name="above"),
            sample(floats(2, 5, 3), offset=-2, name="below"),
            sample(floats(2, 2, 3, 3), offset=2, name="corner"),
            sample(ints(0, 9, 3, 3), name="ints"),
            sample(bools(3, 3), offset=-1, name="bools"),
            sample(floats(1, 1), name="size 1"),
            sample(floats(0, 3, 3), name="no rows"),
        ),
        "The elements x[..., i, i + offset] of the last two axes. numpy.diagonal, torch.diagonal.",
    ),
    Op(
        "solve",
        ("a", "b"),
        (),
        _infer_solve,
        _solve,
        (
            sample(value("float", [[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.5, 0.0, 2.0]]), floats(3, 2)),
            sample(value("float", [[0.0, 2.0], [1.0, 1.0]]), floats(2, 1), name="zero pivot"),
            sample(
                value("float", [[[4.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [-2.0, 1.0]]]), floats(2, 2, 3), name="batch"
            ),
            sample(value("float", [[1e-4, 1.0], [1.0, 1.0]]), floats(2, 2), name="small pivot"),
            sample(value("float", [[-0.5]]), floats(1, 4), name="one unknown"),
        ),
        "x with a @ x = b for square matrices a; both have the same leading axes. A singular a is an error. "
        "numpy.linalg.solve.",
        reduction=_unknowns,
    ),
)
