"""Softmax and its relatives, running sums and products: ops along one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, Sample
from dlc.ops.dtypes import require_float, require_number
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_one
from dlc.ops.reduction import reduced_type, reduction_length
from dlc.ops.samples import INF, bools, floats, ints, sample, value

_AXIS = AttributeSpec("axis", "axis", -1)
_KEEPDIMS = AttributeSpec("keepdims", "bool", False)


def _infer_float(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "the operand")
    return (types[0],)


def _infer_number(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "the operand")
    return (types[0],)


def _infer_reduced(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return reduced_type(types, attributes, require_float(types, "the operand"))


def _shift(x: Any, axis: int) -> Any:
    """What to subtract so that exp can't overflow: the maximum, but 0 where all are -inf."""
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(largest == -np.inf, np.zeros_like(largest), largest)


def softmax(x: Any, attributes: Attributes) -> Any:
    axis = attributes["axis"]
    weights = np.exp(x - _shift(x, axis))
    total = np.sum(weights, axis=axis, keepdims=True)
    return weights / np.where(total == 0, np.ones_like(total), total)


def logsumexp(x: Any, attributes: Attributes) -> Any:
    axis = attributes["axis"]
    shift = _shift(x, axis)
    # The largest may be +inf: inf - inf is NaN, and the answer is inf.
    shift = np.where(shift == np.inf, np.zeros_like(shift), shift)
    result = np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return result if attributes["keepdims"] else np.squeeze(result, axis)


def log_softmax(x: Any, attributes: Attributes) -> Any:
    axis = attributes["axis"]
    shifted = x - _shift(x, axis)
    total = np.sum(np.exp(shifted), axis=axis, keepdims=True)
    return shifted - np.where(total == 0, np.zeros_like(total), np.log(total))


def _cumsum(x: Any, attributes: Attributes) -> Any:
    return np.cumsum(x, axis=attributes["axis"], dtype=x.dtype)


def _cumprod(x: Any, attributes: Attributes) -> Any:
    return np.cumprod(x, axis=attributes["axis"], dtype=x.dtype)


_SAMPLES: tuple[Sample, ...] = (
    sample(floats(2, 3)),
    sample(floats(2, 3, 4), axis=1, name="inner axis"),
    sample(floats(2, 3), axis=0, name="first axis"),
    sample(floats(4, 1), name="size 1"),
    sample(value("float", [[1000.0, 999.0, -1000.0], [-1e4, -1e4, -1e4]]), name="large"),
    sample(value("float", [[-INF, 0.0, 1.0], [-INF, -INF, 2.0]]), name="masked"),
)
_NOTHING = sample(value("float", [[-INF, -INF, -INF], [0.0, 1.0, -INF]]), name="all masked")


def _along(name: str, function: Callable[[Any, Attributes], Any], doc: str) -> Op:
    return Op(
        name,
        ("x",),
        (_AXIS,),
        _infer_float,
        of_one(function),
        (*_SAMPLES, _NOTHING),
        doc,
        promotion="float",
        reduction=reduction_length,
    )


LOGSUMEXP = Op(
    "logsumexp",
    ("x",),
    (_AXIS, _KEEPDIMS),
    _infer_reduced,
    of_one(logsumexp),
    (*_SAMPLES, _NOTHING, sample(floats(2, 3), axis=0, keepdims=True, name="keeps")),
    "log(sum(exp(x))) along an axis, without overflow; -inf where all are -inf. torch.logsumexp.",
    promotion="float",
    reduction=reduction_length,
)

CUMSUM = Op(
    "cumsum",
    ("x",),
    (_AXIS,),
    _infer_number,
    of_one(_cumsum),
    (
        sample(floats(2, 5)),
        sample(floats(2, 3, 4), axis=0, name="first axis"),
        sample(ints(-3, 4, 6), name="ints"),
        sample(bools(6), name="bools count"),
        sample(floats(2, 0), name="empty"),
    ),
    "The running sum, each element included. numpy.cumsum.",
    promotion="common",
    reduction=reduction_length,
)

CUMPROD = Op(
    "cumprod",
    ("x",),
    (_AXIS,),
    _infer_number,
    of_one(_cumprod),
    (
        sample(floats(2, 5)),
        sample(floats(2, 3, 4), axis=0, name="first axis"),
        sample(value("float", [[2.0, 0.0, 3.0, 4.0], [0.0, 5.0, 0.0, 2.0]]), name="zeros"),
        sample(ints(-3, 4, 2, 4, 3), axis=-2, name="ints"),
        sample(floats(3, 1), name="size 1"),
        sample(floats(2, 0), name="empty"),
        sample(value("float", [1e-30, 1e30, 1e30, INF, -2.0]), name="extremes"),
    ),
    "The running product, each element included. numpy.cumprod.",
    promotion="common",
    reduction=reduction_length,
)

OPS: tuple[Op, ...] = (
    _along("softmax", softmax, "exp(x) / sum(exp(x)) along an axis; 0 everywhere where all are -inf. torch.softmax."),
    _along("log_softmax", log_softmax, "log(softmax(x)); -inf where all are -inf. torch.log_softmax."),
    LOGSUMEXP,
    CUMSUM,
    CUMPROD,
)
