"""Lists that start empty: `skips = []` is a constant, so nothing in the IR says that the name stands for a list then.

Where a name that the block's text sets to `[]` first holds tensors inside of a loop, the empty list is put before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from dlc.backends.common.structure import Item, Prepared
from dlc.ir import Bind, Content, Equation, Origin, Turn
from dlc.spec.record import replace
from dlc.spec.syntax import Assign, Block, For, If, ListLiteral, Statement


def names_of(block: Block | None) -> frozenset[str]:
    """Names that the text sets to an empty list."""
    return frozenset() if block is None else frozenset(_names(block.body))


def _names(body: Iterable[Statement]) -> Iterable[str]:
    for statement in body:
        match statement:
            case Assign((name,), ListLiteral(())):
                yield name
            case For(body=inner):
                yield from _names(inner)
            case If():
                for _, inner in statement.arms:
                    yield from _names(inner)
            case _:
                continue


def complete(prepared: Prepared, names: frozenset[str]) -> Prepared:
    """The module with its empty lists."""
    for name in sorted(names):
        starts = [place for place, item in enumerate(prepared.items) if _starts(item, name)]
        for place in reversed(starts):
            prepared = _with_start(prepared, name, place, len(starts) == 1)
    return prepared


def _starts(item: Item, name: str) -> bool:
    """True if a list begins here, in the first turn of a loop: it holds no more than one entry and none of before."""
    content = _bound(item, name)
    before = item.names.get(name)
    if (
        not isinstance(content, tuple)
        or len(content) != 1
        or (isinstance(before, tuple) and content[: len(before)] == before)
    ):
        return False
    turn = next((frame for frame in reversed(item.origin.frames) if isinstance(frame, Turn)), None)
    return turn is not None and turn.index == 0


def _bound(item: Item, name: str) -> Content:
    target = item.payload.target if isinstance(item.payload, Equation) else None
    return target.content if isinstance(target, Bind) and target.name == name else None


def _with_start(prepared: Prepared, name: str, place: int, alone: bool) -> Prepared:
    """`alone`: the list is filled once, so that it starts before all loops around."""
    items = prepared.items
    frames = items[place].origin.frames
    turns = [k for k, frame in enumerate(frames) if isinstance(frame, Turn)]
    depth = turns[0] if alone else turns[-1]
    loop = frames[depth]
    assert isinstance(loop, Turn)
    inside = [one for one, item in enumerate(items[: place + 1]) if _in_loop(item, depth, loop.loop)]
    first = inside[0]
    origin = Origin(items[first].origin.span, prepared.module.loops[loop.loop].statement, frames[:depth])
    start = Item(Equation("bind", (), (), target=Bind(name, ()), origin=origin), origin, items[first].names)
    filled = tuple(replace(item, names={**item.names, name: ()}) for item in items[first : place + 1])
    return replace(prepared, items=(*items[:first], start, *filled, *items[place + 1 :]))


def _in_loop(item: Item, depth: int, loop: int) -> bool:
    frames = item.origin.frames
    if len(frames) <= depth:
        return False
    frame = frames[depth]
    return isinstance(frame, Turn) and frame.loop == loop
