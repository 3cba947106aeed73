"""Built-in functions that are no ops: of lists, sizes and constants, and shapes by pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dlc.diagnostics import error
from dlc.dims import Dim
from dlc.ir import Static
from dlc.passes import static
from dlc.passes.builder import Builder, static_of
from dlc.passes.patterns import einsum, rearrange
from dlc.passes.things import Items, Thing, describe
from dlc.spec import syntax
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.calls import Argument

Function = Callable[[Builder, "Sequence[Argument]", Span], Thing]


def _positional(name: str, given: Sequence[Argument], low: int, high: int, span: Span) -> list[Thing]:
    for argument in given:
        if argument.name is not None:
            raise error("E0308", f"`{name}` has no argument `{argument.name}`", argument.at)
    if not low <= len(given) <= high:
        wanted = str(low) if low == high else f"{low} to {high}"
        hint = "count from 0 and add: `i + 1`" if name == "enumerate" else None
        raise error("E0306", f"`{name}` takes {wanted} argument(s)", span, found=str(len(given)), hint=hint)
    return [argument.thing for argument in given]


def _items(name: str, thing: Thing, span: Span) -> Items:
    if isinstance(thing, Items):
        return thing
    raise error("E0302", f"`{name}` takes a list", span, found=describe(thing), expected="a list")


def _source(name: str, things: Sequence[Thing]) -> syntax.Expr | None:
    sources = [t.source if isinstance(t, Static | Items) else None for t in things]
    return syntax.Call(syntax.Name(name), tuple(s for s in sources if s)) if all(sources) else None


def _len(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    things = _positional("len", given, 1, 1, span)
    return Static(len(_items("len", things[0], span).items), _source("len", things))


def _range(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    things = _positional("range", given, 1, 3, span)
    values = [static_of(thing, span).value for thing in things]
    for value in values:
        if isinstance(value, Dim):
            raise error(
                "E0503",
                "`range` can't go to a dynamic dimension",
                span,
                found=f"`{value}`, known only when the network runs",
                expected="an integer constant",
                hint="`scan` goes over time steps; `arange` makes a tensor of positions",
            )
        if type(value) is not int:
            raise error("E0502", "`range` takes integers", span, found=describe(Static(value)))
    numbers = [v for v in values if type(v) is int]
    if len(numbers) == 3 and numbers[2] == 0:
        raise error("E0502", "the step of `range` is 0", span)
    sequence = range(*numbers)
    static.check_length(sequence_length(sequence), span)
    b.elaborator.spend(span, sequence_length(sequence) // 16)
    return Items(tuple(Static(i) for i in sequence), _source("range", things))


def sequence_length(sequence: range) -> int:
    """len() of a range of any size."""
    if sequence.step > 0:
        return max(0, -((sequence.start - sequence.stop) // sequence.step))
    return max(0, -((sequence.stop - sequence.start) // -sequence.step))


def _zip(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    things = _positional("zip", given, 1, 16, span)
    lists = [_items("zip", thing, span) for thing in things]
    if len({len(items.items) for items in lists}) > 1:
        found = ", ".join(str(len(items.items)) for items in lists)
        raise error("E0509", "`zip` takes lists of one length", span, found=f"lengths {found}")
    return Items(tuple(Items(row) for row in zip(*(i.items for i in lists), strict=True)), _source("zip", things))


def _enumerate(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    things = _positional("enumerate", given, 1, 1, span)
    items = _items("enumerate", things[0], span).items
    return Items(tuple(Items((Static(i), item)) for i, item in enumerate(items)), _source("enumerate", things))


def _reversed(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    things = _positional("reversed", given, 1, 1, span)
    return Items(_items("reversed", things[0], span).items[::-1], _source("reversed", things))


def _per_axis(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    """`per_axis(kernel, 2)`: a list is itself, if it has that length; a constant is repeated. PyTorch's _ntuple."""
    thing, count = _positional("per_axis", given, 2, 2, span)
    length = static_of(count, span).value
    if type(length) is not int or not 0 <= length <= static.MAX_LIST:
        raise error("E0502", "`per_axis` takes the number of axes second", span, found=describe(count))
    if not isinstance(thing, Items):
        repeated = syntax.ListLiteral((thing.source,) * length) if isinstance(thing, Static) and thing.source else None
        return Items((thing,) * length, repeated)
    if len(thing.items) != length:
        raise error(
            "E0509",
            f"one value for each of {length} axes",
            span,
            found=f"a list of {len(thing.items)}",
            expected=f"a list of {length}, or one value for all",
        )
    return thing


def _constant_function(name: str) -> Function:
    def compute(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
        things = _positional(name, given, 1, 16, span)
        statics = [static_of(thing, span) for thing in things]
        if any(isinstance(s.value, Dim) for s in statics):
            return b.apply(name, statics, {}, span)[0]
        return Static(static.function(name, [s.value for s in statics], span), _source(name, statics))

    return compute


def _arange(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    things = _positional("arange", given, 1, 3, span)
    zero, one = Static(0, syntax.Constant(0)), Static(1, syntax.Constant(1))
    statics = [static_of(thing, span) for thing in things]
    start, stop, step = [(zero, statics[0], one), (*statics, one), tuple(statics)][len(statics) - 1]
    return b.apply("arange", [], {"start": start, "stop": stop, "step": step}, span)[0]


TABLE: dict[str, Function] = {
    "len": _len,
    "range": _range,
    "zip": _zip,
    "enumerate": _enumerate,
    "reversed": _reversed,
    "per_axis": _per_axis,
    "arange": _arange,
    "rearrange": rearrange,
    "einsum": einsum,
    **{name: _constant_function(name) for name in static.FUNCTIONS},
}
