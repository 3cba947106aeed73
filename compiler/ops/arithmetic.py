"""Functions of two tensors, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.ir import TensorType
from dlc.ops.api import Attributes, Op, OpError, Sample
from dlc.ops.dtypes import require_float, require_number, require_same_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_operands
from dlc.ops.samples import INF, NAN, between, bools, floats, ints, sample, value
from dlc.ops.shapes import broadcast


def _infer(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "the first operand")
    dtype = require_same_dtype(types, "arithmetic")
    return (TensorType(dtype, broadcast([item.shape for item in types])),)


def _infer_float(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "the first operand")
    return _infer(types, attributes)


def broadcasting(left: Callable[..., Any] = floats, right: Callable[..., Any] = floats) -> tuple[Sample, ...]:
    """Samples of every way in which two shapes may meet."""
    return (
        sample(left(2, 3), right(2, 3)),
        sample(left(2, 1, 3), right(4, 1), name="both broadcast"),
        sample(left(2, 3), right(3), name="trailing"),
        sample(left(), right(2, 3), name="scalar"),
        sample(left(1, 1), right(1), name="size 1"),
        sample(left(0, 3), right(1, 3), name="empty"),
    )


def _ints(*shape: int) -> tuple[Any, ...]:
    return ints(-4, 5, *shape)


def _nonzero(*shape: int) -> tuple[Any, ...]:
    return between(0.5, 3.0, *shape)


def _binary(
    name: str, function: Callable[[Any, Any], Any], doc: str, *samples: Sample, promotion: str = "common"
) -> Op:
    infer = _infer_float if promotion == "float" else _infer
    return Op(name, ("a", "b"), (), infer, of_operands(function), samples, doc, promotion=promotion)


def _power(a: Any, b: Any) -> Any:
    if b.dtype.kind == "i" and (b < 0).any():
        raise OpError("an integer to a negative power; make it a float first, as in float(x)", operand=1)
    return np.power(a, b)


_INTS = sample(_ints(2, 3), _ints(3), name="ints")
_MIXED = sample(_ints(2, 3), floats(3), name="int and float")
_BOOLS = sample(bools(2, 3), bools(3), name="bools count")
_NANS = sample(value("float", [NAN, 1.0, -INF, INF]), value("float", [1.0, NAN, INF, -INF]), name="extremes")
_SIGNS = sample(value("int", [7, -7, 7, -7, 6]), value("int", [2, 2, -2, -2, 3]), name="signs of ints")
_FLOAT_SIGNS = sample(value("float", [7, -7, 7, -7, 6]), value("float", [2, 2, -2, -2, 3]), name="signs")

OPS: tuple[Op, ...] = (
    _binary("add", lambda a, b: np.add(a, b), "a + b. numpy.add.", *broadcasting(), _INTS, _MIXED, _BOOLS, _NANS),
    _binary("subtract", lambda a, b: np.subtract(a, b), "a - b. numpy.subtract.", *broadcasting(), _INTS, _MIXED),
    _binary("multiply", lambda a, b: np.multiply(a, b), "a * b. numpy.multiply.", *broadcasting(), _INTS, _MIXED),
    _binary(
        "divide",
        lambda a, b: np.divide(a, b),
        "a / b, always a float; by 0 it is inf or NaN. numpy.divide.",
        *broadcasting(floats, _nonzero),
        sample(value("int", [1, 7, -7]), value("int", [2, 2, 2]), name="ints"),
        sample(value("float", [1.0, -1.0, 0.0]), value("float", [0.0, 0.0, 0.0]), name="by zero"),
        promotion="float",
    ),
    _binary(
        "maximum",
        lambda a, b: np.maximum(a, b),
        "The larger; NaN if either is. numpy.maximum.",
        *broadcasting(),
        _INTS,
        _NANS,
    ),
    _binary(
        "minimum",
        lambda a, b: np.minimum(a, b),
        "The smaller; NaN if either is. numpy.minimum.",
        *broadcasting(),
        _INTS,
        _NANS,
    ),
    _binary(
        "power",
        _power,
        "a ** b; 0 ** 0 is 1; an integer to a negative power is an error. numpy.power.",
        *broadcasting(_nonzero, floats),
        sample(value("float", [-2.0, 0.0, 0.0, 4.0]), value("float", [3.0, 0.0, 2.0, -0.5]), name="corners"),
        sample(value("int", [-2, 0, 3]), value("int", [3, 0, 2]), name="ints"),
    ),
    _binary(
        "floor_divide",
        lambda a, b: np.floor_divide(a, b),
        "The largest integer <= a / b, so -7 // 2 is -4. numpy.floor_divide.",
        *broadcasting(floats, _nonzero),
        _SIGNS,
        _FLOAT_SIGNS,
    ),
    _binary(
        "remainder",
        lambda a, b: np.remainder(a, b),
        "a - b * floor(a / b), with the sign of b. numpy.remainder.",
        *broadcasting(floats, _nonzero),
        _SIGNS,
        _FLOAT_SIGNS,
    ),
)
