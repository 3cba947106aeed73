"""Functions of one tensor, element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.ir import INTS, TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError, Sample
from dlc.ops.dtypes import numpy_dtype, precision_of, require_bool, require_float, require_number
from dlc.ops.erf import erf
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_one, of_operands
from dlc.ops.samples import INF, NAN, between, bools, floats, ints, sample, value

_EXTREMES = value("float", [-INF, -1e30, -1.0, -1e-30, 0.0, 1e-30, 1.0, 1e30, INF, NAN])


def _infer_float(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "the operand")
    return (types[0],)


def _infer_number(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "the operand")
    return (types[0],)


def _infer_bool(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_bool(types, "the operand")
    return (types[0],)


def _infer_any(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return (types[0],)


def _float_op(name: str, function: Callable[[Any], Any], doc: str, *samples: Sample) -> Op:
    common = (sample(floats(2, 3)), sample(floats(), name="scalar"), sample(floats(0, 3), name="empty"))
    extremes = (sample(ints(-2, 3, 4), name="ints"), sample(_EXTREMES, name="extremes"))
    return Op(
        name, ("x",), (), _infer_float, of_operands(function), (*common, *extremes, *samples), doc, promotion="float"
    )


def _number_op(name: str, function: Callable[[Any], Any], doc: str, *samples: Sample) -> Op:
    common = (sample(floats(2, 3)), sample(ints(-3, 4, 5), name="ints"), sample(floats(), name="scalar"))
    return Op(name, ("x",), (), _infer_number, of_operands(function), (*common, *samples), doc, promotion="common")


def _rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(x)


def _sigmoid(x: Any) -> Any:
    # Of exp(-|x|), which never overflows, both branches are ratios.
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + decay), decay / (1 + decay))


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _rounding(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An integer is its own floor; NumPy would make it a float."""

    def rounded(x: Any) -> Any:
        return x if x.dtype.kind == "i" else function(x)

    return rounded


def _identity(x: Any) -> Any:
    return x


def _logical_not(x: Any) -> Any:
    return np.logical_not(x)


def _infer_clip(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    dtype = require_number(types, "the operand")
    low, high = attributes["low"], attributes["high"]
    if low > high:
        raise OpError(f"clip's low, {low}, is above its high, {high}", found=f"{low}, {high}", expected="low <= high")
    for name, bound in (("low", low), ("high", high)):
        if dtype in INTS and isinstance(bound, float):
            raise OpError(
                f"clip's {name} must be an integer, as {types[0]} is", found=str(bound), expected="an integer"
            )
    return (types[0],)


def _clip(x: Any, attributes: Attributes) -> Any:
    return np.clip(x, attributes["low"], attributes["high"])


def _infer_cast(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return (TensorType(attributes["dtype"], types[0].shape),)


def _cast(x: Any, attributes: Attributes) -> Any:
    return x.astype(numpy_dtype(attributes["dtype"], precision_of(attributes)))


_POSITIVE = sample(between(0.1, 4.0, 2, 3), name="positive")
_HALVES = sample(value("float", [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e15 + 0.5]), name="halves")

CLIP = Op(
    "clip",
    ("x",),
    (AttributeSpec("low", "number"), AttributeSpec("high", "number")),
    _infer_clip,
    of_one(_clip),
    (
        sample(floats(2, 3), low=-0.5, high=0.5),
        sample(ints(-5, 6, 7), low=-2, high=3, name="ints"),
        sample(floats(4), low=0, high=6, name="relu6"),
        sample(value("float", [-INF, 0.5, INF, NAN]), low=0.0, high=1.0, name="extremes"),
    ),
    "min(max(x, low), high). numpy.clip.",
    promotion="common",
)

CAST = Op(
    "cast",
    ("x",),
    (AttributeSpec("dtype", "dtype"),),
    _infer_cast,
    of_one(_cast),
    (
        sample(ints(-3, 4, 2, 3), dtype="float"),
        sample(value("float", [-1.9, -0.5, 0.0, 0.5, 1.9]), dtype="int", name="truncates"),
        sample(value("float", [-1.0, 0.0, 0.5, NAN]), dtype="bool", name="to bool"),
        sample(value("int", [-1, 0, 2]), dtype="bool", name="int to bool"),
        sample(bools(4), dtype="float", name="bool to float"),
        sample(bools(4), dtype="int", name="bool to int"),
        sample(floats(2, 2), dtype="float", name="identity"),
        sample(floats(3), dtype="f32", name="to f32"),
        sample(ints(0, 9, 3), dtype="i32", name="to i32"),
    ),
    "x in another element type; float to int truncates towards 0, to bool is x != 0. numpy.ndarray.astype.",
)

STOP_GRADIENT = Op(
    "stop_gradient",
    ("x",),
    (),
    _infer_any,
    of_operands(_identity),
    (sample(floats(2, 3)), sample(ints(0, 3, 2), name="ints")),
    "x; no gradient passes. tf.stop_gradient, torch's detach.",
)

LOGICAL_NOT = Op(
    "logical_not",
    ("x",),
    (),
    _infer_bool,
    of_operands(_logical_not),
    (sample(bools(2, 3)), sample(value("bool", True), name="scalar")),
    "true where x is false. numpy.logical_not.",
)


def _infer_asked(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "the operand")
    return (TensorType("bool", types[0].shape),)


def _question(name: str, function: Callable[[Any], Any], doc: str) -> Op:
    samples = (sample(floats(2, 3)), sample(_EXTREMES, name="extremes"), sample(floats(0, 3), name="empty"))
    return Op(name, ("x",), (), _infer_asked, of_operands(function), samples, doc)


OPS: tuple[Op, ...] = (
    _float_op("exp", lambda x: np.exp(x), "e ** x. numpy.exp."),
    _float_op("log", lambda x: np.log(x), "The natural logarithm; -inf at 0, NaN below. numpy.log.", _POSITIVE),
    _float_op("log1p", lambda x: np.log1p(x), "log(1 + x), exact near 0. numpy.log1p.", _POSITIVE),
    _float_op("expm1", lambda x: np.expm1(x), "exp(x) - 1, exact near 0. numpy.expm1."),
    _float_op("sqrt", lambda x: np.sqrt(x), "The square root; NaN below 0. numpy.sqrt.", _POSITIVE),
    _float_op("rsqrt", _rsqrt, "1 / sqrt(x); inf at 0. torch.rsqrt.", _POSITIVE),
    _float_op("sin", lambda x: np.sin(x), "numpy.sin, x in radians."),
    _float_op("cos", lambda x: np.cos(x), "numpy.cos, x in radians."),
    _float_op("tan", lambda x: np.tan(x), "numpy.tan, x in radians."),
    _float_op("tanh", lambda x: np.tanh(x), "numpy.tanh."),
    _float_op("sigmoid", _sigmoid, "1 / (1 + exp(-x)), without overflow. torch.sigmoid."),
    _float_op("erf", erf, "2 / sqrt(pi) * integral of exp(-t**2) from 0 to x. math.erf."),
    _float_op("relu", _relu, "max(x, 0); NaN stays. torch.relu."),
    _number_op("negative", lambda x: np.negative(x), "-x. numpy.negative."),
    _number_op("abs", lambda x: np.abs(x), "|x|. numpy.abs."),
    _number_op(
        "sign",
        lambda x: np.sign(x),
        "-1, 0 or 1. numpy.sign.",
        sample(value("float", [-INF, -0.5, 0.0, 0.5, INF]), name="extremes"),
    ),
    _number_op(
        "floor", _rounding(lambda x: np.floor(x)), "The largest integer <= x; an int stays. numpy.floor.", _HALVES
    ),
    _number_op(
        "ceil", _rounding(lambda x: np.ceil(x)), "The smallest integer >= x; an int stays. numpy.ceil.", _HALVES
    ),
    _number_op("round", _rounding(lambda x: np.rint(x)), "The nearest integer, halves to even. numpy.rint.", _HALVES),
    _number_op("square", lambda x: np.square(x), "x * x. numpy.square."),
    CLIP,
    CAST,
    STOP_GRADIENT,
    LOGICAL_NOT,
    _question("isnan", lambda x: np.isnan(x), "true where x is NaN. numpy.isnan."),
    _question("isinf", lambda x: np.isinf(x), "true where x is inf or -inf. numpy.isinf."),
    _question("isfinite", lambda x: np.isfinite(x), "true where x is a number: not NaN, inf or -inf. numpy.isfinite."),
)
