"""Channels-last arithmetic: which ops care, and how axes, shapes and attributes are renamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dlc import ir
from dlc.dims import Size
from dlc.spec.syntax import ListLiteral

T = TypeVar("T")

#: These ask for channels-last.
ASKING = frozenset({"conv", "conv_transpose", "max_pool", "avg_pool", "resize", "grid_sample"})

#: These compute each element from the elements at the same place.
ELEMENTWISE = frozenset(
    {"exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "sin", "cos", "tan", "tanh", "sigmoid", "erf", "relu", "square"}
    | {"negative", "abs", "sign", "floor", "ceil", "round", "stop_gradient", "where", "cast", "clip", "divide"}
    | {"add", "subtract", "multiply", "maximum", "minimum", "power", "floor_divide", "remainder"}
    | {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
    | {"logical_not", "logical_and", "logical_or", "logical_xor", "isnan", "isinf", "isfinite"}
)

#: These reduce: their axes may vanish.
REDUCING = frozenset({"sum", "mean", "max", "min", "prod", "any", "all", "argmax", "argmin", "variance", "logsumexp"})

#: One array (or several alike) in, the same rank out; only attributes name axes.
ALIGNED = frozenset(
    {"softmax", "log_softmax", "cumsum", "cumprod", "flip", "roll", "pad", "repeat", "concat", "split", "slice"}
    | {"sort", "argsort", "topk"}
)


def permutation(rank: int) -> tuple[int, ...]:
    """Channels-last order: the spec's axis that each axis holds."""
    return (0, *range(2, rank), 1)


def place(axis: int, rank: int) -> int:
    """Where the spec's axis (maybe negative) stands in channels-last order."""
    return permutation(rank).index(axis % rank)


def permuted(items: Sequence[T]) -> tuple[T, ...]:
    """One entry per axis, put in channels-last order."""
    return tuple(items[axis] for axis in permutation(len(items)))


def eligible(shape: Sequence[Size]) -> bool:
    """Whether a value of this shape may be held channels-last."""
    return len(shape) >= 3


def lone_axis(shape: Sequence[Size]) -> int | None:
    """The axis, counted from the end (negative), that alone is not 1; None where there is none or several."""
    wide = [axis - len(shape) for axis, size in enumerate(shape) if size != 1]
    return wide[0] if len(wide) == 1 else None


def same_order(shape: Sequence[Size], order: Sequence[int]) -> bool:
    """Whether permuting by `order` leaves the elements where they are in memory."""
    wide = [axis for axis in order if shape[axis] != 1]
    return wide == sorted(wide)


def permuted_static(static: ir.Static) -> ir.Static:
    """A tuple with one entry per axis, and its source, in channels-last order."""
    value = static.value
    assert isinstance(value, tuple)
    source = static.source
    if isinstance(source, ListLiteral) and len(source.items) == len(value):
        return ir.Static(permuted(value), ListLiteral(permuted(source.items)))
    return ir.Static(permuted(value))


def renamed_axes(equation: ir.Equation, rank: int) -> tuple[tuple[str, ir.Static], ...]:
    """The attributes of an equation whose operands (of `rank`) have become channels-last."""
    return tuple((name, _renamed(equation.op, name, static, rank)) for name, static in equation.attributes)


def _renamed(op: str, name: str, static: ir.Static, rank: int) -> ir.Static:
    if name in ("axis", "axes"):
        return axes_static(static, lambda axis: place(axis, rank))
    if (op, name) in (("pad", "pairs"), ("slice", "items")):
        return permuted_static(static)
    return static


def axes_static(static: ir.Static, rename: Callable[[int], int]) -> ir.Static:
    """An `axis` (int), `axes` (tuple) or none, with each axis renamed; tuples keep `roll`'s pairing with its shifts."""
    value = static.value
    if value is None:
        return static
    if isinstance(value, int):
        return ir.Static(rename(value))
    assert isinstance(value, tuple)
    return ir.Static(tuple(rename(axis) for axis in value if isinstance(axis, int)))


def reduced_axes(equation: ir.Equation, rank: int) -> tuple[int, ...]:
    """The spec's axes that a reduction takes away, non-negative."""
    attributes = dict(equation.attributes)
    static = attributes.get("axis") or attributes.get("axes")
    value = static.value if static else None
    if value is None:
        return tuple(range(rank))
    return (value % rank,) if isinstance(value, int) else tuple(int(axis) % rank for axis in value)  # type: ignore[union-attr]
