"""Tensors out of nothing: constants, sizes and ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, add, floor_divide, subtract
from dlc.ir import INTS, TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.attributes import show
from dlc.ops.dtypes import numpy_dtype, precision_of
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import INF, sample
from dlc.ops.shapes import require_no_negative


def _infer_constant(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    value, dtype = attributes["value"], attributes["dtype"]
    allowed = (bool,) if dtype == "bool" else (int,) if dtype in INTS else (int, float)
    wrong_bool = isinstance(value, bool) and dtype != "bool"
    if not isinstance(value, allowed) or wrong_bool:
        raise OpError(f"a constant of type {dtype} can't be {show(value)}", found=show(value), expected=dtype)
    shape = tuple(attributes["shape"])
    require_no_negative(shape, "a constant")
    return (TensorType(dtype, shape),)


def _constant(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    dtype = numpy_dtype(attributes["dtype"], precision_of(attributes))
    return (np.full(attributes["shape"], attributes["value"], dtype=dtype),)


def _infer_dimension(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return (TensorType("int", ()),)


def _dimension(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    return (np.asarray(attributes["size"], dtype=numpy_dtype("int")),)


def arange_length(start: Size, stop: Size, step: int) -> Size:
    """How many numbers; with symbolic bounds, the range counts as not running backwards."""
    if isinstance(start, int) and isinstance(stop, int):
        return len(range(start, stop, step))
    distance = subtract(stop, start) if step > 0 else subtract(start, stop)
    return floor_divide(add(distance, abs(step) - 1), abs(step))


def _infer_arange(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    step = attributes["step"]
    if step == 0:
        raise OpError("arange's step is 0", found="0", expected="a non-zero integer")
    return (TensorType("int", (arange_length(attributes["start"], attributes["stop"], step),)),)


def _arange(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    return (np.arange(attributes["start"], attributes["stop"], attributes["step"], dtype=numpy_dtype("int")),)


OPS: tuple[Op, ...] = (
    Op(
        "constant",
        (),
        (AttributeSpec("value", "any"), AttributeSpec("dtype", "dtype"), AttributeSpec("shape", "sizes", ())),
        _infer_constant,
        _constant,
        (
            sample(value=2.5, dtype="float"),
            sample(value=-3, dtype="int", name="int"),
            sample(value=True, dtype="bool", name="bool"),
            sample(value=-INF, dtype="float", shape=(2, 3), name="filled"),
            sample(value=1, dtype="float", shape=(2,), name="int as float"),
            sample(value=0.5, dtype="f32", name="f32"),
        ),
        "A number, or a tensor filled with it. numpy.full.",
    ),
    Op(
        "dimension",
        (),
        (AttributeSpec("size", "size"),),
        _infer_dimension,
        _dimension,
        (sample(size=7), sample(size=0, name="zero")),
        "A size as an integer tensor.",
    ),
    Op(
        "arange",
        (),
        (AttributeSpec("start", "size"), AttributeSpec("stop", "size"), AttributeSpec("step", "int", 1)),
        _infer_arange,
        _arange,
        (
            sample(start=0, stop=5, step=1),
            sample(start=2, stop=9, step=3, name="step"),
            sample(start=5, stop=0, step=-2, name="backwards"),
            sample(start=3, stop=3, step=1, name="empty"),
        ),
        "start, start + step, ..., before stop. numpy.arange.",
    ),
)
