"""Sizes that a loop carries: the channels of `x` from turn to turn.

Where a layer's input size comes from a variable that the loop assigns (`x = x -> unit(...)`), `__init__` keeps that
variable's size in a variable of its own. Each `Bind` of the name then says what the size becomes. An `Extent` is an
expression over such sizes: it is found by tracing a module's sizes (`sizes`) with those of a name taken as unknowns,
`x.0`, `x.1`, and counts only if it gives the right size everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dlc.backends.common import values
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import Unknown, evaluate, free_names
from dlc.backends.common.form import Bind, Branch, Extent, Known, Loop, Make, Node, Own, Value, walk
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.merging import Bound, Merging
from dlc.backends.common.size_leaving import OPEN
from dlc.backends.common.size_rule import Axes
from dlc.backends.common.values import Refused
from dlc.ir import Content, Static
from dlc.spec.record import replace
from dlc.spec.syntax import Expr, Name

Names = Mapping[str, Content]


def places(extent: Extent) -> tuple[tuple[str, int], ...]:
    """The variables and axes whose sizes it reads."""
    found: list[tuple[str, int]] = []
    for word in free_names(extent.source):
        if values.is_size(word):
            name, axis = word.rsplit(".", 1)
            found.append((name, int(axis)))
    return tuple(found)


def dimension(
    merging: Merging,
    contexts: Sequence[Context],
    names: Sequence[Names],
    statics: Sequence[Static],
    operands: Sequence[tuple[int, int] | None],
) -> Value:
    """A size at construction: its source, a constant, or what is known of a variable's size there. Raises Refused.

    `operands`: the value and axis that have the size, in each context. What comes of a loop with any number of turns
    is told by what the loop leaves, or not at all: its source holds for this number only.
    """
    if _is_open(merging, contexts, operands):
        carried = _extent(merging, contexts, names, operands)
        if carried is None:
            raise Refused("a size that depends on a loop's turns")
        return carried
    try:
        found = values.merge([context.seen(static) for context, static in zip(contexts, statics, strict=True)])
    except Refused:
        carried = _extent(merging, contexts, names, operands)
        if carried is None:
            raise
        return carried
    if not isinstance(found, Known) or _is_number(statics):
        return found
    carried = _extent(merging, contexts, names, operands) if merging.extents else None
    if carried is not None and any(name in merging.carried for name, _ in places(carried)):
        return carried
    merging.fix(contexts, operands)
    return found


def _is_open(merging: Merging, contexts: Sequence[Context], operands: Sequence[tuple[int, int] | None]) -> bool:
    for context, operand in zip(contexts, operands, strict=True):
        if operand is None or not context.open_sizes:
            continue
        value, axis = operand
        source = merging.axes_given(context, _opaque(merging, context), value)[axis]
        if source is not None and OPEN in free_names(source):
            return True
    return False


def _opaque(merging: Merging, context: Context) -> dict[int, Axes]:
    def axes(value: int) -> Axes:
        known = (merging.axis_source(context, value, axis) for axis in range(context.module.types[value].rank))
        return tuple(Name(OPEN) if (value, axis) in context.open_sizes else one for axis, one in enumerate(known))

    return {value: axes(value) for value, _ in context.open_sizes}


def _is_number(statics: Sequence[Static]) -> bool:
    """True if the sources say that a size is a number, whatever the hyperparameters are."""
    return all(static.source is not None and not free_names(static.source) for static in statics)


def _extent(
    merging: Merging,
    contexts: Sequence[Context],
    names: Sequence[Names],
    operands: Sequence[tuple[int, int] | None],
) -> Extent | None:
    """An expression over the sizes of one name, the oldest that serves; else over those of all names."""
    known = [place for place in operands if place is not None]
    if len(known) != len(operands):
        return None
    tensors = [word for word in names[0] if all(isinstance(one.get(word), int) for one in names)]
    for words in (*((word,) for word in tensors), tuple(tensors)):
        source = _traced(merging, contexts, names, known, words)
        if source is not None:
            return Extent(source)
    return None


def _traced(
    merging: Merging,
    contexts: Sequence[Context],
    names: Sequence[Names],
    operands: Sequence[tuple[int, int]],
    words: Sequence[str],
) -> Expr | None:
    """The operands' size in the sizes of what these words stand for: traced in one context, right in all."""
    places_ = list(zip(contexts, names, operands, strict=True))
    clear = (place for place in places_ if len({place[1][word] for word in words}) == len(words))
    context, here, (value, axis) = next(clear, places_[0])
    sizes = _opaque(merging, context)
    for word in words:
        tensor = here[word]
        assert isinstance(tensor, int)
        sizes[tensor] = tuple(map(Name, _sizes(word, context.module.types[tensor].rank)))
    source = merging.axes_given(context, sizes, value)[axis]
    if source is None or OPEN in free_names(source) or not any(map(values.is_size, free_names(source))):
        return None
    return source if all(_is_right(source, *place, words) for place in places_) else None


def _is_right(source: Expr, context: Context, here: Names, operand: tuple[int, int], words: Sequence[str]) -> bool:
    types = context.module.types
    known: dict[str, object] = {}
    for word in words:
        tensor = here[word]
        assert isinstance(tensor, int)
        known.update(zip(_sizes(word, types[tensor].rank), types[tensor].shape, strict=True))
    value, axis = operand
    try:
        return values.agrees(evaluate(source, {**context.names, **known}), types[value].shape[axis], None)
    except Unknown:
        return False


def _sizes(word: str, rank: int) -> Iterator[str]:
    return (f"{word}.{axis}" for axis in range(rank))


# --- what bindings make of the sizes ---------------------------------------------------------------------------


def complete(merging: Merging, starts: Sequence[Context], body: Nodes) -> Nodes:
    """The body with the sizes on the bindings that its `Extent`s need. Raises Refused."""
    wanted: dict[tuple[str, int], None] = {}
    out = body
    while True:
        size = len(wanted)
        wanted.update(dict.fromkeys(_wanted(out)))
        if len(wanted) == size:
            return out
        inputs = [_input(merging, starts, name, axis) for name, axis in wanted if _is_input(starts, name)]
        out = (*inputs, *_nodes(merging, body, tuple(wanted)))


def _wanted(body: Nodes) -> Iterator[tuple[str, int]]:
    for node in walk(body):
        sizes = node.dims if isinstance(node, Make) else node.extents if isinstance(node, Bind) else ()
        for _, value in sizes:
            if isinstance(value, Extent):
                yield from places(value)


def _nodes(merging: Merging, body: Nodes, wanted: Sequence[tuple[str, int]]) -> Nodes:
    return tuple(_node(merging, node, wanted) for node in body)


def _node(merging: Merging, node: Node, wanted: Sequence[tuple[str, int]]) -> Node:
    match node:
        case Loop():
            return replace(node, body=_nodes(merging, node.body, wanted))
        case Branch():
            return replace(node, arms=tuple(None if arm is None else _nodes(merging, arm, wanted) for arm in node.arms))
        case Bind() if id(node) in merging.binds:
            _, bound = merging.binds[id(node)]
            axes = [axis for name, axis in wanted if name == node.name]
            return replace(node, extents=tuple((axis, _size(merging, bound, axis)) for axis in axes))
        case _:
            return node


def _is_input(starts: Sequence[Context], name: str) -> bool:
    return all(any(port.name == name for port in context.module.inputs) for context in starts)


def _input(merging: Merging, starts: Sequence[Context], name: str, axis: int) -> Bind:
    found = [next(p.value for p in context.module.inputs if p.name == name) for context in starts]
    bound = Bound(tuple(starts), tuple(found), tuple({} for _ in starts))
    return Bind(name, Own(name), ((axis, _size(merging, bound, axis)),))


def _size(merging: Merging, bound: Bound, axis: int) -> Value:
    pairs = list(zip(bound.contexts, bound.values, strict=True))
    statics = [Static(c.module.types[value].shape[axis], merging.axis_source(c, value, axis)) for c, value in pairs]
    return dimension(merging, bound.contexts, bound.names, statics, [(value, axis) for value in bound.values])
