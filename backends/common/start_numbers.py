"""Numbers that loops start from: `total = 0` is a constant, so nothing in the IR says that the name stands for it.

The first turn that computes with the number makes a constant of it. Where the block's text sets a name to a number, and
a loop binds the name to a tensor, that constant and the binding are put where the text has them: before the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlc.backends.common.context import static_names
from dlc.backends.common.evaluate import Unknown, evaluate
from dlc.backends.common.structure import Item, Prepared
from dlc.backends.common.values import agrees
from dlc.ir import Bind, Content, Equation, Origin, Turn
from dlc.spec.record import replace
from dlc.spec.syntax import Assign, Block, Expr, For, If, Statement


@dataclass(frozen=True, slots=True)
class Start:
    """`name = value` in the text, inside of `loops` loops."""

    name: str
    value: Expr
    loops: int


def starts_of(block: Block | None) -> tuple[Start, ...]:
    """Assignments that may be numbers, of names that a loop behind them assigns."""
    return () if block is None else tuple(_starts(block.body, 0))


def _starts(body: Iterable[Statement], loops: int) -> Iterator[Start]:
    statements = tuple(body)
    for place, statement in enumerate(statements):
        match statement:
            case Assign((name,), value) if _is_assigned(name, statements[place + 1 :]):
                yield Start(name, value, loops)
            case For(body=inner):
                yield from _starts(inner, loops + 1)
            case If():
                for _, inner in statement.arms:
                    yield from _starts(inner, loops)
                yield from _starts(statement.orelse, loops)
            case _:
                continue


def _is_assigned(name: str, body: Iterable[Statement]) -> bool:
    """True if a loop assigns the name."""
    return any(isinstance(one, For) and _assigns(name, one.body) for one in body)


def _assigns(name: str, body: Iterable[Statement]) -> bool:
    for statement in body:
        match statement:
            case Assign(targets) if name in targets:
                return True
            case For(body=inner) if _assigns(name, inner):
                return True
            case If() if any(
                _assigns(name, inner) for inner in (*(arm for _, arm in statement.arms), statement.orelse)
            ):
                return True
            case _:
                continue
    return False


def complete(prepared: Prepared, starts: Iterable[Start]) -> Prepared:
    """The module with its numbers where the text has them."""
    for start in starts:
        try:
            value = evaluate(start.value, static_names(prepared.module))
        except Unknown:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            prepared = _with_start(prepared, start, value)
    return prepared


def _with_start(prepared: Prepared, start: Start, value: float) -> Prepared:
    """The constants are moved from the first turns of all loops that the number stands before."""
    for first, last in reversed(list(_loops(prepared, start.loops))):
        inside = prepared.items[first : last + 1]
        bound = next((k for k, item in enumerate(inside) if _binds(item, start.name)), None)
        if bound is None or _reads(inside[:bound], inside[0].names.get(start.name)):
            continue
        found = [k for k in range(bound) if _is_constant(inside[k], value) and _is_first(inside[k], start.loops)]
        for place in found:
            if _reaches(inside[place : bound + 1]):
                prepared = _moved(prepared, start, first, first + place, first + bound)
                break
    return prepared


def _loops(prepared: Prepared, depth: int) -> Iterator[tuple[int, int]]:
    """The first and the last item of each loop inside of `depth` others."""
    key: tuple[Turn, ...] | None = None
    first = 0
    for place, item in enumerate(prepared.items):
        here = _key(item, depth)
        if here == key:
            continue
        if key is not None:
            yield first, place - 1
        key, first = here, place
    if key is not None:
        yield first, len(prepared.items) - 1


def _key(item: Item, depth: int) -> tuple[Turn, ...] | None:
    turns = _turns(item)
    if len(turns) <= depth:
        return None
    return (*turns[:depth], Turn(turns[depth].loop, 0))


def _turns(item: Item) -> tuple[Turn, ...]:
    return tuple(frame for frame in item.origin.frames if isinstance(frame, Turn))


def _is_first(item: Item, depth: int) -> bool:
    return all(turn.index == 0 for turn in _turns(item)[depth:])


def _binds(item: Item, name: str) -> bool:
    target = item.payload.target if isinstance(item.payload, Equation) else None
    return isinstance(target, Bind) and target.name == name


def _reads(items: Iterable[Item], old: Content) -> bool:
    """True if what the name stood for before is still needed: the text has not set it to the number yet."""
    return isinstance(old, int) and any(
        old in item.payload.inputs for item in items if isinstance(item.payload, Equation)
    )


def _is_constant(item: Item, value: float) -> bool:
    equation = item.payload
    if not isinstance(equation, Equation) or equation.op != "constant" or equation.attribute("shape") != ():
        return False
    return agrees(value, equation.attribute("value"), None)


def _reaches(items: tuple[Item, ...]) -> bool:
    """True if what the last item binds is computed from what the first one gives."""
    known: set[int] = set()
    for item in items:
        equation = item.payload
        if not isinstance(equation, Equation):
            continue
        if isinstance(equation.target, Bind):
            continue
        if item is items[0] or known & set(equation.inputs):
            known.update(equation.outputs)
    last = items[-1].payload
    assert isinstance(last, Equation)
    assert isinstance(last.target, Bind)
    return last.target.content in known


def _moved(prepared: Prepared, start: Start, first: int, place: int, bound: int) -> Prepared:
    items = prepared.items
    frames = items[first].origin.frames
    depth = [k for k, frame in enumerate(frames) if isinstance(frame, Turn)][start.loops]
    loop = frames[depth]
    equation = items[place].payload
    assert isinstance(loop, Turn)
    assert isinstance(equation, Equation)
    origin = Origin(items[first].origin.span, prepared.module.loops[loop.loop].statement, frames[:depth])
    (number,) = equation.outputs
    made = Item(replace(equation, origin=origin), origin, items[first].names)
    bind = Item(Equation("bind", (), (), target=Bind(start.name, number), origin=origin), origin, items[first].names)
    between = (
        replace(item, names={**{k: v for k, v in item.names.items() if k != start.name}, start.name: number})
        for item in (*items[first:place], *items[place + 1 : bound + 1])
    )
    return replace(prepared, items=(*items[:first], made, bind, *between, *items[bound + 1 :]))
