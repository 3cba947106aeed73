"""Instances being made: one Make for all, with the arguments of its constructor."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.backends.common import extents, values
from dlc.backends.common.context import Context
from dlc.backends.common.form import Make, Value
from dlc.backends.common.merging import Merging
from dlc.backends.common.slots import merge_slot
from dlc.backends.common.structure import Creation, Item
from dlc.backends.common.values import Refused
from dlc.ir import Static


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
            values.merge(
                [c.seen(merging.sizes.given(one.instance, name)) for c, one in zip(contexts, creations, strict=True)]
            ),
        )
        for name in wanted
    )
    sizes = tuple((name, _dimension(merging, contexts, items, creations, name)) for name in dims)
    _fix(merging, contexts, creations, merging.fixed_in(goal))
    return Make(slot, first.block, goal, hyperparameters, sizes, first.written)


def _dimension(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], creations: Sequence[Creation], name: str
) -> Value:
    statics: list[Static] = []
    for context, creation in zip(contexts, creations, strict=True):
        size = dict(merging.callee(context.program, creation.callees[0]).dims)[name]
        statics.append(Static(size, merging.size_source(context, creation, name)))

    operands = [merging.size_operand(context, one, name) for context, one in zip(contexts, creations, strict=True)]
    return extents.dimension(merging, contexts, [item.names for item in items], statics, operands)


def _fix(merging: Merging, contexts: Sequence[Context], creations: Sequence[Creation], names: frozenset[str]) -> None:
    """What is written for one value of these in the callee is written for one value of what they come from here."""
    for context, creation in zip(contexts, creations, strict=True):
        constants = dict(creation.instance.hyperparameters)
        for name in names:
            if name in constants:
                merging.fixed |= merging.reasons.given(context.module, creation.instance, name)
            else:
                merging.fix([context], [merging.size_operand(context, creation, name)])
