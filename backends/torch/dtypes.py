"""Element types in torch."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import dotted

_NAMES = {
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "f64": "float64",
    "i32": "int32",
    "i64": "int64",
    "int": "int64",
    "bool": "bool",
}


def dtype_name(dtype: str, precision: str) -> str:
    """The name below `torch`; the family `float` has the compile's precision."""
    return _NAMES[precision if dtype == "float" else dtype]


def dtype_code(dtype: str, precision: str) -> ast.expr:
    return dotted(f"torch.{dtype_name(dtype, precision)}")


def is_default(dtype: str, precision: str) -> bool:
    """True where torch takes this type by itself for new float tensors."""
    return dtype_name(dtype, precision) == "float32"
