"""The turns of a loop while modules are merged: what the iterable gives, and the lists gone over beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from dlc.backends.common import headers, values
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import Unknown, bind_targets, evaluate
from dlc.backends.common.form import Formula, Known, Temp, Var
from dlc.backends.common.frozen import literal
from dlc.backends.common.recurrences import is_carried
from dlc.backends.common.structure import ChoiceTree, Creation, Item, Leaf, LoopTree, Tree
from dlc.backends.common.values import Refused
from dlc.ir import Equation, Static
from dlc.spec.syntax import Call, Constant, Expr, Name


def turns(context: Context, targets: tuple[str, ...], iterable: Expr) -> list[dict[str, object]]:
    try:
        return [bind_targets(targets, item) for item in evaluate(iterable, context.names)]
    except (Unknown, TypeError) as problem:
        raise Refused(f"a loop's iterable can't be evaluated: {problem}") from problem


def counted(contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> Expr:
    """`range(n)` for a loop over layers or tensors: n as a constant or a name in scope."""
    counts = [Static(len(head.turns)) if head is not None else Static(0) for head in heads]
    value = values.merge([context.seen(count) for context, count in zip(contexts, counts, strict=True)])
    source = (
        value.source
        if isinstance(value, Formula)
        else Constant(cast(int, value.value))
        if isinstance(value, Known)
        else None
    )
    if source is None:
        raise Refused("a loop's length has no source")
    return Call(Name("range"), (source,))  # type: ignore[arg-type]


def check(context: Context, head: LoopTree, turns: Sequence[Mapping[str, object]]) -> None:
    loop = context.module.loops[head.loop]
    if len(loop.values) != len(turns):
        raise Refused("the iterable gives another number of turns")
    for wanted, found in zip(loop.values, turns, strict=True):
        for target, static in zip(loop.targets, wanted, strict=True):
            if static is not None and target in found and not values.agrees(found[target], static.value, None):
                raise Refused("the iterable gives other values")


def named(targets: tuple[str, ...], iterable: Expr, taken: Mapping[str, object]) -> tuple[str, ...]:
    """A loop that only counts gets a name for its turn's number: sizes may be told by it."""
    match iterable:
        case Call(Name("range"), (_,), ()) if targets == ("_",):
            return (next(word for word in ("i", "j", "k", "turn", "_") if word not in taken or word == "_"),)
        case _:
            return targets


def numbered(
    targets: tuple[str, ...], iterable: Expr, contexts: Sequence[Context], heads: Sequence[LoopTree | None]
) -> tuple[tuple[str, ...], Expr]:
    """`for i, x in enumerate(xs)` for `for x in xs` where a number is carried from turn to turn (see `recurrences`)."""
    match iterable:
        case Call(Name("range" | "enumerate")):
            return targets, iterable
        case _ if len(targets) > 1 or not any(head is not None and _carries(head) for head in heads):
            return targets, iterable
        case _:
            word = next(word for word in ("i", "j", "k", "turn", "turn_2", "turn_3") if word not in contexts[0].names)
            return (word, *targets), Call(Name("enumerate"), (iterable,))


def _carries(head: LoopTree) -> bool:
    """True if the second turn has a source that is longer than the first turn's, by what a turn does."""
    if len(head.turns) < 2:
        return False
    first, second = dict(_sources(head.turns[0])), dict(_sources(head.turns[1]))
    return any(key in second and is_carried(source, second[key]) for key, source in first.items())


def _sources(body: Iterable[Tree]) -> Iterator[tuple[tuple[object, ...], Expr]]:
    """The sources of constants, by their place in the text; of the first turn of loops within."""
    for tree in body:
        match tree:
            case LoopTree(turns=turns):
                yield from _sources(turns[0] if turns else ())
            case ChoiceTree(body=inner):
                yield from _sources(inner)
            case Leaf(item):
                yield from _of_item(item)


def _of_item(item: Item) -> Iterator[tuple[tuple[object, ...], Expr]]:
    match item.payload:
        case Creation(instance=instance):
            named, place = instance.hyperparameters, instance.site
        case Equation() as equation:
            named, place = equation.attributes, equation.op
        case _:
            return
    for name, static in named:
        if static.source is not None:
            yield (item.origin.statement, place, name), static.source


def entries(
    contexts: Sequence[Context], heads: Sequence[LoopTree | None], source: Expr
) -> dict[int, tuple[int, ...]] | None:
    """The entries of a list of tensors that a loop goes over, by context; None if it is none (a list of layers)."""
    out: dict[int, tuple[int, ...]] = {}
    for context, head in zip(contexts, heads, strict=True):
        item = None if head is None else headers.first_item(head)
        if item is None:
            continue
        try:
            out[id(context)] = headers.entries(source, context.names, item.names)
        except Unknown:
            return None
    return out


def hold(
    context: Context,
    entered: Sequence[Context],
    lists: Sequence[tuple[str, Expr, Mapping[int, tuple[int, ...]] | None]],
) -> None:
    """In each turn, the targets stand for the lists' entries."""
    for name, _, found in lists:
        entries = (found or {}).get(id(context))
        if entries is not None and len(entries) == len(entered):
            for turn, value in zip(entered, entries, strict=True):
                turn.define(value, Var(name))


def held_in(context: Context, head: LoopTree, turn: int) -> dict[str, Expr]:
    """What the targets of a loop hold in a turn that stands by itself: constants of the code."""
    loop = context.module.loops[head.loop]
    pairs = zip(loop.targets, loop.values[turn], strict=True)
    known = {target: literal(static.value) for target, static in pairs if static is not None}
    return {target: code for target, code in known.items() if code is not None}


def collect(context: Context, entered: Sequence[Context], temps: range) -> None:
    """After a loop: Temps of its body hold the last turn's value, and as lists what all turns gave."""
    if not entered:
        return
    tables = [
        {ref.id: value for value, refs in turn.temps.items() for ref in refs if isinstance(ref, Temp)}
        for turn in entered
    ]
    context.leave(entered[-1])
    context.ended.update(temps)
    for temp in temps:
        if all(temp in table for table in tables):
            context.collected[(temp,)] = [table[temp] for table in tables]
