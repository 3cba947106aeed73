"""Instances being made: one Make for all, with the arguments of its constructor."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.backends.common import values
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.form import Extent, Known, Make, Value
from dlc.backends.common.merging import Merging
from dlc.backends.common.slots import merge_slot
from dlc.backends.common.structure import Creation, Item
from dlc.backends.common.values import Refused
from dlc.ir import Instance, Static


def make(merging: Merging, contexts: Sequence[Context], items: Sequence[Item], creations: Sequence[Creation]) -> Make:
    first = creations[0].instance
    goal = merging.same_target(contexts, [creation.callees[0] for creation in creations])
    for context, creation in zip(contexts, creations, strict=True):
        if any(merging.target(context.program, key) != goal for key in creation.callees):
            raise Refused("one instance is called as two classes")
    slot = merge_slot(contexts, [creation.instance for creation in creations])
    dims, wanted = merging.needed(goal)
    hyperparameters = tuple(
        (
            name,
            values.merge([c.seen(_given(one.instance, name)) for c, one in zip(contexts, creations, strict=True)]),
        )
        for name in wanted
    )
    sizes = tuple((name, _dimension(merging, contexts, items, creations, name)) for name in dims)
    return Make(slot, first.block, goal, hyperparameters, sizes, first.written)


def _dimension(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], creations: Sequence[Creation], name: str
) -> Value:
    """A size at construction: its source, a constant, or what is known of a variable's axis there."""
    statics: list[Static] = []
    for context, creation in zip(contexts, creations, strict=True):
        size = dict(merging.callee(context.program, creation.callees[0]).dims)[name]
        statics.append(Static(size, merging.size_source(context, creation, name)))

    def extent() -> Extent | None:
        places = [merging.size_operand(context, one, name) for context, one in zip(contexts, creations, strict=True)]
        return _extent(items, places)

    try:
        found = values.merge([context.seen(static) for context, static in zip(contexts, statics, strict=True)])
    except Refused:
        known = extent()
        if known is None:
            raise
        return known
    if merging.extents and isinstance(found, Known) and not _is_number(statics):
        known = extent()
        if known is not None and known.name in merging.carried:
            return known
    return found


def _is_number(statics: Sequence[Static]) -> bool:
    """True if the sources say that a size is a number, whatever the hyperparameters are."""
    return all(static.source is not None and not free_names(static.source) for static in statics)


def _extent(items: Sequence[Item], places: Sequence[tuple[int, int] | None]) -> Extent | None:
    """The name that stands for the operand everywhere."""
    known = [place for place in places if place is not None]
    if len(known) != len(places) or any(axis != known[0][1] for _, axis in known):
        return None
    for name in reversed(tuple(items[0].names)):
        if all(item.names.get(name) == value for item, (value, _) in zip(items, known, strict=True)):
            return Extent(name, known[0][1])
    return None


def _given(instance: Instance, name: str) -> Static:
    return dict(instance.hyperparameters)[name]
