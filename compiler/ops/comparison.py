"""Comparisons, logic, and the choice between two tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.ir import TensorType
from dlc.ops.api import Attributes, Op
from dlc.ops.arithmetic import broadcasting
from dlc.ops.dtypes import require_bool, require_same_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_operands
from dlc.ops.samples import INF, NAN, bools, floats, ints, sample, value
from dlc.ops.shapes import broadcast


def _infer_compare(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_same_dtype(types, "a comparison")
    return (TensorType("bool", broadcast([item.shape for item in types])),)


def _infer_logic(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_bool(types, "the first operand", 0)
    require_bool(types, "the second operand", 1)
    return (TensorType("bool", broadcast([item.shape for item in types])),)


def _infer_where(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_bool(types, "where's condition")
    dtype = require_same_dtype(types[1:], "where")
    return (TensorType(dtype, broadcast([item.shape for item in types])),)


def _where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b)


def _small(*shape: int) -> tuple[Any, ...]:
    return ints(0, 3, *shape)


def _compare(name: str, function: Callable[[Any, Any], Any], sign: str) -> Op:
    return Op(
        name,
        ("a", "b"),
        (),
        _infer_compare,
        of_operands(function),
        (
            *broadcasting(_small, _small),
            sample(_small(5), floats(5), name="int and float"),
            sample(bools(4), bools(4), name="bools count"),
            sample(
                value("float", [NAN, NAN, 0.0, INF, -INF]), value("float", [NAN, 1.0, -0.0, INF, INF]), name="extremes"
            ),
        ),
        f"a {sign} b; a comparison with NaN is false, but for not_equal. numpy.{name}.",
        promotion="common",
    )


def _logic(name: str, function: Callable[[Any, Any], Any], doc: str) -> Op:
    return Op(name, ("a", "b"), (), _infer_logic, of_operands(function), broadcasting(bools, bools), doc)


WHERE = Op(
    "where",
    ("condition", "a", "b"),
    (),
    _infer_where,
    of_operands(_where),
    (
        sample(bools(2, 3), floats(2, 3), floats(2, 3)),
        sample(bools(2, 1), floats(3), floats(), name="broadcast"),
        sample(bools(2), ints(0, 9, 3, 2), floats(1), name="int and float"),
        sample(bools(3), bools(3), bools(3), name="bools stay"),
        sample(bools(3), ints(0, 9, 3), ints(0, 9), name="ints"),
        sample(value("bool", [True, False]), value("float", [1.0, NAN]), value("float", [INF, 2.0]), name="hides NaN"),
    ),
    "a where the condition is true, else b; what is not chosen has no effect. numpy.where.",
    promotion="select",
)

OPS: tuple[Op, ...] = (
    _compare("equal", lambda a, b: np.equal(a, b), "=="),
    _compare("not_equal", lambda a, b: np.not_equal(a, b), "!="),
    _compare("less", lambda a, b: np.less(a, b), "<"),
    _compare("less_equal", lambda a, b: np.less_equal(a, b), "<="),
    _compare("greater", lambda a, b: np.greater(a, b), ">"),
    _compare("greater_equal", lambda a, b: np.greater_equal(a, b), ">="),
    _logic("logical_and", lambda a, b: np.logical_and(a, b), "true where both are. numpy.logical_and."),
    _logic("logical_or", lambda a, b: np.logical_or(a, b), "true where either is. numpy.logical_or."),
    _logic("logical_xor", lambda a, b: np.logical_xor(a, b), "true where just one is. numpy.logical_xor."),
    WHERE,
)
