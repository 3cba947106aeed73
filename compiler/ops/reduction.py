"""Reductions over one, several or all axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.dims import Size, product
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError, Sample
from dlc.ops.dtypes import require_bool, require_float, require_number
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_one
from dlc.ops.samples import INF, bools, floats, ints, sample, value
from dlc.ops.shapes import reduced

_AXES = (AttributeSpec("axis", "axes", None), AttributeSpec("keepdims", "bool", False))
_AXIS = (AttributeSpec("axis", "axis", -1), AttributeSpec("keepdims", "bool", False))


_VARIANCE = (*_AXES, AttributeSpec("correction", "int", 0))


def axes_of(attributes: Attributes) -> tuple[int, ...]:
    """The axes that are reduced, of either kind."""
    axis = attributes["axis"]
    return (axis,) if isinstance(axis, int) else tuple(axis)


def reduction_length(types: Sequence[TensorType], attributes: Attributes) -> Size:
    """How many elements go into one."""
    return product([types[0].shape[axis] for axis in axes_of(attributes)])


def reduced_type(types: Sequence[TensorType], attributes: Attributes, dtype: str) -> tuple[TensorType, ...]:
    return (TensorType(dtype, reduced(types[0].shape, axes_of(attributes), attributes["keepdims"])),)


def _infer_float(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return reduced_type(types, attributes, require_float(types, "the operand"))


def _infer_number(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return reduced_type(types, attributes, require_number(types, "the operand"))


def _infer_bool(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    return reduced_type(types, attributes, require_bool(types, "the operand"))


def require_some(types: Sequence[TensorType], attributes: Attributes, what: str) -> None:
    """A reduction without a neutral element needs at least one element."""
    for axis in axes_of(attributes):
        if types[0].shape[axis] == 0:
            raise OpError(f"{what} over no elements: axis {axis} of {types[0]} has size 0", found=str(types[0]))


def _infer_extreme(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_some(types, attributes, "a maximum or minimum")
    return _infer_number(types, attributes)


def _infer_index(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "the operand")
    require_some(types, attributes, "a maximum or minimum")
    return reduced_type(types, attributes, "int")


def _options(attributes: Attributes) -> dict[str, Any]:
    return {"axis": attributes["axis"], "keepdims": attributes["keepdims"]}


def _sum(x: Any, attributes: Attributes) -> Any:
    return np.sum(x, dtype=x.dtype, **_options(attributes))


def _prod(x: Any, attributes: Attributes) -> Any:
    return np.prod(x, dtype=x.dtype, **_options(attributes))


def _mean(x: Any, attributes: Attributes) -> Any:
    length = reduction_length([TensorType("float", x.shape)], attributes)
    return _sum(x, attributes) / np.asarray(length, dtype=x.dtype)


def _variance(x: Any, attributes: Attributes) -> Any:
    centred = x - _mean(x, {"axis": attributes["axis"], "keepdims": True})
    length = reduction_length([TensorType("float", x.shape)], attributes) - attributes["correction"]
    centred *= centred
    return _sum(centred, attributes) / np.asarray(length, dtype=x.dtype)


def _infer_variance(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    if attributes["correction"] not in (0, 1):
        raise OpError(
            "variance divides by the count, less its correction", found=str(attributes["correction"]), expected="0 or 1"
        )
    return _infer_float(types, attributes)


def _samples(operand: Callable[..., Any] = floats) -> tuple[Sample, ...]:
    return (
        sample(operand(2, 3, 4)),
        sample(operand(2, 3, 4), axis=1, name="one axis"),
        sample(operand(2, 3, 4), axis=-1, keepdims=True, name="keeps"),
        sample(operand(2, 3, 4), axis=(-1, 0), name="two axes"),
        sample(operand(2, 1), axis=1, name="size 1"),
        sample(operand(), name="scalar"),
        sample(operand(3), axis=(), name="no axes"),
    )


def _small(*shape: int) -> tuple[Any, ...]:
    return ints(-3, 4, *shape)


_INTS = sample(_small(2, 5), axis=1, name="ints")
_COUNT = sample(bools(2, 5), axis=1, name="bools count")
_EMPTY = sample(floats(2, 0), axis=1, name="empty")
_INFINITE = sample(value("float", [[-INF, -INF], [INF, 1.0]]), axis=1, name="infinite")


def _reduction(
    name: str, function: Callable[[Any, Attributes], Any], doc: str, *extra: Sample, promotion: str = "common"
) -> Op:
    infer = {"float": _infer_float, "common": _infer_number}[promotion]
    samples = (*_samples(), *extra)
    evaluate = of_one(function)
    return Op(name, ("x",), _AXES, infer, evaluate, samples, doc, promotion=promotion, reduction=reduction_length)


def _extreme(name: str, function: Callable[[Any, Attributes], Any], doc: str) -> Op:
    samples = (*_samples(), _INTS, _INFINITE)
    return Op(name, ("x",), _AXES, _infer_extreme, of_one(function), samples, doc, promotion="common")


def _logic(name: str, function: Callable[[Any, Attributes], Any], doc: str) -> Op:
    samples = (*_samples(bools), sample(bools(2, 0), axis=1, name="empty"))
    return Op(name, ("x",), _AXES, _infer_bool, of_one(function), samples, doc)


def _index(name: str, function: Callable[[Any, Attributes], Any], doc: str) -> Op:
    samples = (
        sample(floats(2, 3)),
        sample(floats(2, 3, 4), axis=1, keepdims=True, name="keeps"),
        sample(_small(2, 9), axis=-1, name="ties"),
        sample(floats(1, 3), axis=0, name="size 1"),
        sample(value("float", [[-INF, -INF], [0.0, INF]]), name="infinite"),
    )
    return Op(name, ("x",), _AXIS, _infer_index, of_one(function), samples, doc, promotion="common")


OPS: tuple[Op, ...] = (
    _reduction("sum", _sum, "The sum; 0 over nothing. numpy.sum.", _INTS, _COUNT, _EMPTY),
    _reduction(
        "mean", _mean, "The sum over the count; NaN over nothing. numpy.mean.", _INTS, _COUNT, promotion="float"
    ),
    _reduction("prod", _prod, "The product; 1 over nothing. numpy.prod.", _INTS, _EMPTY),
    Op(
        "variance",
        ("x",),
        _VARIANCE,
        _infer_variance,
        of_one(_variance),
        (
            *_samples(),
            _INTS,
            sample(floats(4, 3, 5), axis=(0, 2), correction=1, name="unbiased"),
            sample(floats(4, 3), axis=0, keepdims=True, correction=1, name="unbiased, keeps"),
            sample(floats(7), correction=1, name="unbiased, all"),
        ),
        "sum((x - mean(x)) ** 2) / (count - correction): biased with 0, unbiased with 1. numpy.var, ddof.",
        promotion="float",
        reduction=reduction_length,
    ),
    _extreme("max", lambda x, attributes: np.max(x, **_options(attributes)), "The largest. numpy.max."),
    _extreme("min", lambda x, attributes: np.min(x, **_options(attributes)), "The smallest. numpy.min."),
    _logic("any", lambda x, attributes: np.any(x, **_options(attributes)), "true where any is. numpy.any."),
    _logic("all", lambda x, attributes: np.all(x, **_options(attributes)), "true where all are. numpy.all."),
    _index(
        "argmax",
        lambda x, attributes: np.argmax(x, **_options(attributes)),
        "Where the largest is; of several, the first. numpy.argmax.",
    ),
    _index(
        "argmin",
        lambda x, attributes: np.argmin(x, **_options(attributes)),
        "Where the smallest is; of several, the first. numpy.argmin.",
    ),
)
