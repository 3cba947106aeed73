"""Modules of one block merged into one Form, statement by statement.

All modules, and all turns of each loop, are walked side by side. Equations merge where op, constants and operands have
a common form; a loop where its iterable reproduces the turns (else it is unrolled); arms of a choice become a branch
where modules take different ones. Raises Refused where there is no common form. Nothing here is trusted: see `prove`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlc.backends.common import headers, joins, merge_turns, presence
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import Unknown, evaluate, free_names
from dlc.backends.common.form import Branch, Loop, Node
from dlc.backends.common.frozen import names_behind
from dlc.backends.common.merge_leaves import leaf
from dlc.backends.common.merging import Merging
from dlc.backends.common.open_sizes import open_sizes
from dlc.backends.common.structure import ChoiceTree, Creation, Item, Leaf, LoopTree, Tree, Writing
from dlc.backends.common.values import Refused
from dlc.ir import Bind as BindTarget
from dlc.ir import Draw, Equation, Read
from dlc.spec.syntax import Expr


def sequence(merging: Merging, contexts: Sequence[Context], bodies: Sequence[Sequence[Tree]]) -> tuple[Node, ...]:
    """The merged body. Contexts come out holding what the body defined."""
    places = [0] * len(bodies)
    out: list[Node] = []
    while True:
        heads = [body[place] if place < len(body) else None for body, place in zip(bodies, places, strict=True)]
        if all(head is None for head in heads):
            return tuple(out)
        key = _next_key(heads)
        takes = [head is not None and _key(head) == key for head in heads]
        if key[0] == "leaf" and not all(takes):
            raise Refused("one module has an equation that another lacks")
        present = [head if take else None for head, take in zip(heads, takes, strict=True)]
        nodes = _node(merging, key, contexts, present)
        for node in (*merging.joins, *nodes):
            joins.appended(out, node)
        merging.joins.clear()
        places = [place + take for place, take in zip(places, takes, strict=True)]


def _next_key(heads: Sequence[Tree | None]) -> tuple[object, ...]:
    """What comes next: the loop or choice that stands first in the text, else the common equation."""
    trees = [head for head in heads if head is not None and not isinstance(head, Leaf)]
    if len(trees) == len(heads) or not trees:
        first = trees[0] if trees else next(head for head in heads if head is not None)
        return _key(min(trees, key=lambda head: head.statement) if trees else first)
    return _key(min(trees, key=lambda head: head.statement))


def _node(
    merging: Merging, key: tuple[object, ...], contexts: Sequence[Context], heads: Sequence[Tree | None]
) -> list[Node]:
    if key[0] == "leaf":
        items = [head.item for head in heads if isinstance(head, Leaf)]
        return [leaf(merging, contexts, items)]
    if key[0] == "loop":
        return _loop(merging, contexts, [head if isinstance(head, LoopTree) else None for head in heads])
    return _choice(merging, contexts, [head if isinstance(head, ChoiceTree) else None for head in heads])


def _loop(merging: Merging, contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> list[Node]:
    if not merging.loops:
        return _unrolled(merging, contexts, heads)
    count, carried, joined = merging.count, set(merging.carried), set(merging.joined)
    unrolled = set(merging.unrolled)
    saved = [(dict(c.temps), dict(c.collected), set(c.open_sizes)) for c in contexts]
    try:
        return [_rolled(merging, contexts, heads)]
    except Refused:
        merging.count, merging.carried, merging.joined = count, carried, joined
        merging.unrolled = unrolled
        merging.joins.clear()
        for context, (temps, collected, sizes) in zip(contexts, saved, strict=True):
            context.temps, context.collected, context.open_sizes = temps, collected, sizes
        return _unrolled(merging, contexts, heads)


def _rolled(merging: Merging, contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> Loop:
    number, first = next((c, head) for c, head in zip(contexts, heads, strict=True) if head is not None)
    header = headers.split(number.module.loops[first.loop], number.names)
    iterable = header.iterable or merge_turns.counted(contexts, heads)
    targets = merge_turns.named(header.targets, iterable, contexts[0].names)
    targets, iterable = merge_turns.numbered(targets, iterable, contexts, heads)
    lists = [(name, source, merge_turns.entries(contexts, heads, source)) for name, source in header.lists]
    inner: list[Context] = []
    bodies: list[Sequence[Tree]] = []
    per_context: list[list[Context]] = []
    for context, head in zip(contexts, heads, strict=True):
        turns = merge_turns.turns(context, targets, iterable)
        if head is not None and len(head.turns) != len(turns):
            raise Refused("the iterable gives another number of turns")
        if head is not None:
            merge_turns.check(context, head, turns)
        entered = [context.enter(one, index, (targets, iterable)) for index, one in enumerate(turns)]
        merge_turns.hold(context, entered, lists)
        if head is not None and entered:
            open_sizes(context, entered, head, iterable, merging.axis_source)
        per_context.append(entered)
        inner += entered
        bodies += head.turns if head is not None else [()] * len(turns)
    before = merging.count
    body = sequence(merging, inner, bodies)
    for context, entered in zip(contexts, per_context, strict=True):
        merge_turns.collect(context, entered, range(before, merging.count))
        context.forget(name for name, _, _ in lists)
    kept = tuple((name, source) for name, source, found in lists if found)
    return Loop(targets, iterable, body, first.statement, kept)


def _unrolled(merging: Merging, contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> list[Node]:
    trees = [head for head in heads if head is not None]
    if len(trees) != len(heads) or any(len(head.turns) != len(trees[0].turns) for head in trees):
        raise Refused("loops of different lengths")
    for context, head in zip(contexts, trees, strict=True):
        iterable = context.module.loops[head.loop].iterable
        merging.unrolled |= names_behind(context.module, iterable) | {*free_names(iterable)}
    out: list[Node] = []
    around = [context.sizes for context in contexts]
    for turn in range(len(trees[0].turns)):
        for context, known, head in zip(contexts, around, trees, strict=True):
            context.sizes = {**known, **merge_turns.held_in(context, head, turn)}
        out += sequence(merging, contexts, [head.turns[turn] for head in trees])
    for context, known in zip(contexts, around, strict=True):
        context.sizes = known
    return out


def _choice(merging: Merging, contexts: Sequence[Context], heads: Sequence[ChoiceTree | None]) -> list[Node]:
    context, first = next((c, head) for c, head in zip(contexts, heads, strict=True) if head is not None)
    choice = context.module.choices[first.choice]
    arms = [_arm(one, choice.tests) if head is None else head.arm for one, head in zip(contexts, heads, strict=True)]
    if all(arm == arms[0] for arm in arms):
        return list(sequence(merging, contexts, [head.body if head is not None else () for head in heads]))
    for one, arm in zip(contexts, arms, strict=True):
        if _arm(one, choice.tests) != arm:
            raise Refused("a test does not reproduce the arm taken")
    taken = sorted(set(arms))
    bodies = [_taken_arm(merging, contexts, heads, [i for i, one in enumerate(arms) if one == arm]) for arm in taken]
    known = presence.given(contexts)
    tests = tuple(presence.specialised(choice.tests[arm], known) for arm in taken[:-1])
    return [Branch(tests, tuple(bodies), first.statement, presence.is_late(context, tests))]


def _taken_arm(
    merging: Merging, contexts: Sequence[Context], heads: Sequence[ChoiceTree | None], here: Sequence[int]
) -> tuple[Node, ...]:
    trees = [head.body if head is not None else () for head in (heads[i] for i in here)]
    return sequence(merging, [contexts[i] for i in here], trees)


def _key(tree: Tree) -> tuple[object, ...]:
    match tree:
        case Leaf(item):
            return ("leaf", _leaf_key(item))
        case LoopTree():
            return ("loop", tree.statement)
        case ChoiceTree():
            return ("choice", tree.statement)


def _leaf_key(item: Item) -> tuple[object, ...]:
    payload = item.payload
    match payload:
        case Creation():
            return ("make", payload.instance.site)
        case Draw():
            return ("draw", payload.name)
        case Writing():
            return ("write", payload.buffer)
        case Equation():
            target = payload.target
            detail = (
                target.name if isinstance(target, BindTarget) else target.parameter if isinstance(target, Read) else ""
            )
            return (payload.op, detail, tuple(name for name, _ in payload.attributes))


def _arm(context: Context, tests: Sequence[Expr]) -> int:
    try:
        for index, test in enumerate(tests):
            if evaluate(test, context.names):
                return index
    except Unknown as problem:
        raise Refused(f"a test can't be evaluated: {problem}") from problem
    return len(tests)
