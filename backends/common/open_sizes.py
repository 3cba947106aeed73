"""Sizes that depend on how many turns a loop has, where arguments decide on that.

Modules are unrolled, so a size after a loop has a source for just this number of turns. Where a name has another size
after a turn than before it, its size in a turn and after the loop is *open*: only what the loop leaves tells it (see
`extents`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dlc.backends.common import headers
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.structure import ChoiceTree, Leaf, LoopTree, Tree
from dlc.ir import Bind, Content, Equation
from dlc.spec.record import replace
from dlc.spec.syntax import Expr

#: The source of a value's size.
Source = Callable[[Context, int, int], Expr | None]


def open_sizes(context: Context, entered: Sequence[Context], head: LoopTree, iterable: Expr, source: Source) -> None:
    """Marks the sizes in the turns' contexts and in the one around the loop."""
    if not _any_number(context, head, iterable):
        return
    assigned = [_assigned(turn) for turn in head.turns]
    for name in dict.fromkeys(name for turn in assigned for name in turn):
        starts = [_at_start(head, turn, name) for turn in range(len(entered))]
        end = next((turn[name] for turn in reversed(assigned) if name in turn), None)
        for axis in _open_axes(context, [*starts, end], source):
            for one, start in zip(entered, starts, strict=True):
                if isinstance(start, int):
                    one.open_sizes.add((start, axis))
            if isinstance(end, int):
                context.open_sizes.add((end, axis))


def _any_number(context: Context, head: LoopTree, iterable: Expr) -> bool:
    """True if arguments decide on the number of turns, of this loop or of one inside."""
    inside = [tree for turn in head.turns for tree in turn if isinstance(tree, LoopTree)]
    loops = context.module.loops
    return bool(free_names(iterable)) or any(_any_number(context, one, loops[one.loop].iterable) for one in inside)


def _at_start(head: LoopTree, turn: int, name: str) -> Content:
    first = headers.first_item(replace(head, turns=(head.turns[turn],)))
    return None if first is None else first.names.get(name)


def _open_axes(context: Context, contents: Sequence[Content], source: Source) -> list[int]:
    """Axes that have no source which all of these share."""
    values = [content for content in contents if isinstance(content, int)]
    ranks = {context.module.types[value].rank for value in values}
    if len(ranks) != 1:
        return []
    axes = range(ranks.pop())
    return [axis for axis in axes if not _same([source(context, value, axis) for value in values], context)]


def _same(sources: Sequence[Expr | None], context: Context) -> bool:
    first = sources[0]
    return first is not None and all(one == first for one in sources) and set(free_names(first)) <= set(context.names)


def _assigned(body: Sequence[Tree]) -> Mapping[str, Content]:
    """What names are bound to, in order; the last counts."""
    found: dict[str, Content] = {}
    for tree in body:
        match tree:
            case Leaf(item):
                target = item.payload.target if isinstance(item.payload, Equation) else None
                if isinstance(target, Bind):
                    found[target.name] = target.content
            case LoopTree():
                for turn in tree.turns:
                    found.update(_assigned(turn))
            case ChoiceTree():
                found.update(_assigned(tree.body))
    return found
