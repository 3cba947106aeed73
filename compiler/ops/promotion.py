"""Promotion of element types: the families bool < int < float; a fixed width mixes with itself and numbers only.

`int[N] + float[N]` is float, `bool[N] + bool[N]` is int (a bool counts as 0 or 1), `f32[N] + float[N]` is an error
that asks for a cast. A plain number in the text takes the type of the tensor beside it, unless it is a float beside an
integer.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlc.ir import FLOATS, INTS
from dlc.ops.api import OpError

FAMILIES = ("bool", "int", "float")
PROMOTIONS = ("none", "common", "float", "select")


def promote(dtypes: Sequence[str], kind: str, literals: Sequence[bool] = ()) -> str:
    """The type that operands of these types are cast to.

    kind: "common", "float" or "select" (as "common", but bools stay bool; give it the types of the two choices only).
    literals: true where the operand is a number in the text; all false where it is left out.
    Raises OpError where only a cast written by the user can say what is meant.
    """
    if kind not in PROMOTIONS[1:]:
        raise ValueError(f"nothing to promote for {kind!r}")
    weak = list(literals) or [False] * len(dtypes)
    strong = [dtype for dtype, literal in zip(dtypes, weak, strict=True) if not literal]
    numbers = [dtype for dtype, literal in zip(dtypes, weak, strict=True) if literal]
    joined = _join_tensors(strong) if strong else _highest(numbers)
    if strong:
        joined = _join_numbers(joined, numbers)
    if joined == "bool" and kind != "select":
        joined = "int"
    if kind == "float" and joined not in FLOATS:
        joined = _as_float(joined)
    return joined


def _join_tensors(dtypes: Sequence[str]) -> str:
    fixed = [dtype for dtype in dtypes if dtype not in FAMILIES]
    if not fixed:
        return _highest(dtypes)
    for dtype in dtypes:
        if dtype != fixed[0]:
            raise _cast_needed(fixed[0], dtype)
    return fixed[0]


def _join_numbers(dtype: str, numbers: Sequence[str]) -> str:
    if not numbers:
        return dtype
    highest = _highest(numbers)
    if dtype in FAMILIES:
        return _highest([dtype, highest])
    if highest == "float" and dtype in INTS:
        raise _cast_needed(dtype, "a float number")
    return dtype


def _as_float(dtype: str) -> str:
    if dtype not in FAMILIES:
        raise OpError(
            f"this needs a float, and {dtype} has a fixed width; cast it, as in float(x) or f32(x)",
            found=dtype,
            expected="float",
        )
    return "float"


def _highest(dtypes: Sequence[str]) -> str:
    return max(dtypes, key=FAMILIES.index)


def _cast_needed(fixed: str, other: str) -> OpError:
    return OpError(
        f"{fixed} and {other} do not mix; cast one of them, as in {fixed}(x)",
        found=f"{fixed} and {other}",
        expected=f"{fixed} on both sides",
    )
