"""Element types: what NumPy calls them, and the checks that type rules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.ir import FLOATS, INTS, TensorType
from dlc.ops.api import Attributes, OpError
from dlc.ops.lazy_numpy import np

_NUMPY = {"bool": "bool", "f16": "float16", "f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64"}
_FAMILY = {"float64": "float", "float32": "float", "float16": "float", "int64": "int", "int32": "int", "bool": "bool"}


def numpy_dtype(dtype: str, precision: str = "f64") -> Any:
    """NumPy's element type; the family float has the width `precision`, the family int 64 bits."""
    width = {"float": precision, "int": "i64"}.get(dtype, dtype)
    if width == "bf16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(_NUMPY[width])


def precision_of(attributes: Attributes) -> str:
    """The width of the family float in this evaluation."""
    return str(attributes.get("precision", "f64"))


def family_of(array: Any) -> str:
    """The family of an array's element type."""
    return _FAMILY[str(array.dtype)]


def require_float(types: Sequence[TensorType], what: str, operand: int = 0) -> str:
    return _require(types, what, operand, FLOATS, "float")


def require_int(types: Sequence[TensorType], what: str, operand: int = 0) -> str:
    return _require(types, what, operand, INTS, "int")


def require_bool(types: Sequence[TensorType], what: str, operand: int = 0) -> str:
    return _require(types, what, operand, ("bool",), "bool")


def require_number(types: Sequence[TensorType], what: str, operand: int = 0) -> str:
    return _require(types, what, operand, (*FLOATS, *INTS), "float or int")


def require_same_dtype(types: Sequence[TensorType], what: str) -> str:
    """The dtype that all operands share."""
    first = types[0].dtype
    for index, other in enumerate(types):
        if other.dtype != first:
            raise OpError(
                f"{what} needs operands of one element type; cast one of them, as in {first}(x)",
                found=f"{first} and {other.dtype}",
                expected=f"{first}",
                operand=index,
            )
    return first


def _require(types: Sequence[TensorType], what: str, operand: int, allowed: Sequence[str], name: str) -> str:
    dtype = types[operand].dtype
    if dtype not in allowed:
        raise OpError(f"{what} must be {name}, not {dtype}", found=str(types[operand]), expected=name, operand=operand)
    return dtype
