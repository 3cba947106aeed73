"""Small pieces of code that several rules build."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping

from dlc.backends.common import given_sizes
from dlc.backends.common.quote import call, literal, same
from dlc.backends.common.rule import Site
from dlc.ir import INTS, TensorType

#: Element types as Keras names them; the families as the usual precision has them.
DTYPE_NAMES: Mapping[str, str] = {
    "float": "float32",
    "int": "int64",
    "bool": "bool",
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "f64": "float64",
    "i32": "int32",
    "i64": "int64",
}


def dtype_code(dtype: str) -> ast.expr:
    return literal(DTYPE_NAMES[dtype])


def is_int(site: Site, operand: int = 0) -> bool:
    return site.types[operand].dtype in INTS


def function(name: str, *args: ast.expr, **keywords: ast.expr | None) -> ast.expr:
    """A call; keywords that are None are left out."""
    return call(name, *args, **keywords)


def unless(site: Site, attribute: str, default: object) -> ast.expr | None:
    """An attribute's code, or None where it is the default in all modules."""
    if site.known(attribute) and site.value(attribute) == default:
        return None
    return site.attribute(attribute)


def is_last(site: Site) -> bool:
    """Whether the layout pass gives and wants channels-last."""
    return site.values.get("channels_last") is True


def data_last(site: Site) -> ast.expr:
    """The first operand, channels-last."""
    if is_last(site):
        return site.operands[0]
    return function("ops.transpose", site.operands[0], literal((0, *range(2, site.types[0].rank), 1)))


def from_last(site: Site, node: ast.expr) -> ast.expr:
    """A channels-last result in the order that is wanted."""
    if is_last(site):
        return node
    rank = site.types[0].rank
    return function("ops.transpose", node, literal((0, rank - 1, *range(1, rank - 1))))


def filled(shape: ast.expr, code: ast.expr, value: object, kind: TensorType) -> ast.expr:
    """A tensor of one number; `value`: the number where it is known."""
    dtype = None if DTYPE_NAMES[kind.dtype] == "float32" else dtype_code(kind.dtype)
    if isinstance(value, int | float) and value in (0, 1) and not is_minus_zero(value):
        return call("ops.ones" if value == 1 else "ops.zeros", shape, dtype=dtype)
    return call("ops.full", shape, code, dtype=dtype_code(kind.dtype))


def is_minus_zero(value: object) -> bool:
    return isinstance(value, float) and value == 0.0 and math.copysign(1, value) < 0


def minus_zero(kind: TensorType) -> ast.expr:
    """TensorFlow 2.21 keeps eager constants by value: for -0.0 it takes a 0.0 that it has, so it is computed."""
    zero = (
        literal(0.0) if DTYPE_NAMES[kind.dtype] == "float32" else call("ops.cast", literal(0.0), dtype_code(kind.dtype))
    )
    return call("ops.negative", zero)


def elements(node: ast.expr) -> list[ast.expr]:
    """The items of a tuple or list for splicing into a display: themselves where they are spelled out, else `*node`."""
    if isinstance(node, ast.Tuple | ast.List):
        return list(node.elts)
    return [ast.Starred(node, ast.Load())]


def one_for_all(node: ast.expr) -> ast.expr:
    """`(2, 2)` as `2`; anything else as it is."""
    if isinstance(node, ast.Tuple) and node.elts and all(same(item, node.elts[0]) for item in node.elts):
        return node.elts[0]
    return node


def is_size(code: ast.expr) -> bool:
    """Whether code reads a run-time size."""
    return any(
        given_sizes.is_variable(node) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "ops.shape")
        for node in ast.walk(code)
    )
