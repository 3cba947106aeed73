"""Bounds: `in low..high` of a hyperparameter or of an integer input, half open as `range`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dlc.diagnostics import Note, error
from dlc.dims import Dim, Size
from dlc.ir import Static
from dlc.passes import static
from dlc.passes.things import BlockDeclaration, Items, Thing, describe
from dlc.spec import syntax

if TYPE_CHECKING:
    from dlc.passes.builder import Builder
    from dlc.spec.source import Span


def check_bounds(
    b: Builder,
    declaration: BlockDeclaration,
    declared: syntax.Hyperparameter,
    closed: Mapping[str, Thing],
    span: Span,
) -> None:
    """Raises DlcError (E0311) where a hyperparameter, or a number of its list, is out of its declared bounds.

    `closed` are the hyperparameters so far: bounds may name them. A dynamic size is not compared: it has no number.
    """
    from dlc.passes.builder import Builder

    assert declared.bounds is not None
    scope = Builder(b.elaborator, declaration, b.training, env=dict(closed))
    low = _number(scope, declared.bounds.low)
    high = math.inf if declared.bounds.high is None else _number(scope, declared.bounds.high)
    for value in _numbers(closed[declared.name]):
        if low <= value < high:
            continue
        raise error(
            "E0311",
            f"`{declared.name}` of `{declaration.id.name}` is out of its range",
            span,
            found=f"{declared.name} = {value}",
            expected=_range(declared.name, low, high),
            hint=_hint(declaration, declared.name, value),
            notes=(Note("declared here", declared.span),),
        )


def _hint(declaration: BlockDeclaration, name: str, value: float) -> str | None:
    """`dropout(50)`, `batch_norm(64)`: what is meant by numbers that other libraries take."""
    if name == "p" and 1 < value <= 100:
        return f"a share of 1: `{value / 100:g}` is {value:g} %"
    if name == "epsilon" and value >= 1 and value == int(value):
        return f"the sizes of inputs are known from their shapes: `{declaration.id.name}` is told no size"
    return None


def _range(name: str, low: float, high: float) -> str:
    if high == math.inf:
        return f"{name} >= {low}"
    return f"{low} <= {name} < {high}"


def _number(scope: Builder, side: syntax.Expr) -> float:
    from dlc.passes.expressions import evaluate

    thing = evaluate(scope, side)
    if isinstance(thing, Static) and isinstance(thing.value, int | float) and not isinstance(thing.value, bool):
        return thing.value
    raise error("E0302", "a bound is a number", side.span, found=describe(thing), expected="a constant number")


def _numbers(thing: Thing) -> Iterator[float]:
    match thing:
        case Static(value=bool()):
            return
        case Static(value=int() | float() as value):
            yield value
        case Items(items=items):
            for item in items:
                yield from _numbers(item)
        case _:
            return


def input_bounds(b: Builder, declared: syntax.Input) -> tuple[Size, Size] | None:
    """The bounds of an input as sizes, which may be below 0. Raises DlcError E0302, E0505."""
    if declared.bounds is None:
        return None
    assert declared.bounds.high is not None
    low, high = _size(b, declared.bounds.low), _size(b, declared.bounds.high)
    static.check_size((low, high), declared.bounds.span)
    return low, high


def _size(b: Builder, side: syntax.Expr) -> Size:
    from dlc.passes import dimensions
    from dlc.passes.expressions import evaluate

    dimensions.require_known(b, side)
    thing = evaluate(b, side)
    if isinstance(thing, Static) and (type(thing.value) is int or isinstance(thing.value, Dim)):
        return thing.value
    raise error("E0302", "a bound is an integer", side.span, found=describe(thing), expected="an integer or a size")
