"""Symbolic sizes as numbers, at a network's border and inside."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.diagnostics import error
from dlc.dims import Size, evaluate, is_symbol, solve, substitute
from dlc.ir import Module, TensorType


def shape_of(type_: TensorType, dims: Mapping[str, int]) -> tuple[int, ...]:
    """The shape in numbers; raises DlcError (E0810) where a size would be negative."""
    shape = tuple(evaluate(size, dims) for size in type_.shape)
    if any(size < 0 for size in shape):
        raise error("E0810", f"a tensor of the type {type_} would have the shape {list(shape)}")
    return shape


def concrete(type_: TensorType, dims: Mapping[str, int]) -> TensorType:
    """The type with numbers for its dimensions."""
    return TensorType(type_.dtype, shape_of(type_, dims))


def solve_sizes(module: Module, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The dynamic dimensions of an entry module from the shapes of its inputs and states.

    Raises DlcError (E0810) where a shape does not fit. A dimension whose home is absent is 0 (a state that may grow).
    """
    dims: dict[str, int] = {}
    types = {port.name: module.types[port.value] for port in (*module.inputs, *module.states)}
    for home in sorted(module.homes, key=lambda home: is_symbol(home.size) is None):
        shape = shapes.get(home.port)
        if shape is None:
            dims.setdefault(home.symbol, 0)
            continue
        if len(shape) != types[home.port].rank:
            expected = f"{types[home.port].rank} axes, {types[home.port]}"
            raise error("E0810", f"`{home.port}` has {len(shape)} axes", found=str(list(shape)), expected=expected)
        known: Mapping[str, Size] = {name: value for name, value in dims.items() if name != home.symbol}
        value = solve(substitute(home.size, known), home.symbol, shape[home.axis])
        if not isinstance(value, int) or value < 0:
            message = f"axis {home.axis} of `{home.port}` is {shape[home.axis]}, which no {home.symbol} gives"
            raise error("E0810", message, expected=str(home.size))
        dims.setdefault(home.symbol, value)
    return dims
