"""Blocks in two parts (`Module.part`): one class with a method `prepare` beside its `forward` or `call`."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

from dlc.backends.common.constructor import reads_training
from dlc.backends.common.form import Bind, Branch, Form, Formula, Known, Loop, Make, Node, Sequence, Slot, walk
from dlc.backends.common.values import Refused
from dlc.ir import Module


def in_parts(prepare: Form, step: Form) -> Form:
    """The form of a class that has both. Raises Refused where what is computed once asks for the mode, as no call of it
    tells that."""
    if any(isinstance(node, Branch) and reads_training(node) for node in walk(prepare.body)):
        raise Refused("what is computed once asks for the mode")
    again = {node.slot: node for node in walk(step.body) if isinstance(node, Make)}
    first = tuple(_with_sizes(node, again) if isinstance(node, Make) else node for node in prepare.body)
    made = {node.slot for node in walk(first) if isinstance(node, Make)}
    body = _in_order(step.modules[0], (*first, *_without(step.body, made)))
    return replace(step, body=body, parts=(prepare, step), fixed=prepare.fixed | step.fixed)


def _with_sizes(node: Make, again: Mapping[Slot, Make]) -> Make:
    """What both parts make, with the sizes that only one of them has an expression for."""
    other = dict(again[node.slot].dims) if node.slot in again else {}
    dims = tuple(
        (word, other[word] if isinstance(value, Known) and isinstance(other.get(word), Formula) else value)
        for word, value in node.dims
    )
    return replace(node, dims=dims)


def _in_order(module: Module, body: Sequence) -> Sequence:
    """The body with what is made on its own in the order of the text, in front."""
    alone = [node for node in body if isinstance(node, Make) and not node.slot.indices]
    if sum(isinstance(node, Make) for node in walk(body)) > len(alone) or any(
        isinstance(node, Bind) and node.extents for node in walk(body)
    ):
        return body
    places = {instance.site: place for place, instance in enumerate(module.instances)}
    alone.sort(key=lambda node: places[node.slot.site])
    return (*alone, *(node for node in body if node not in alone))


def _without(body: Sequence, made: Set[Slot]) -> Sequence:
    """The body without making what is made already; nodes that hold none of that stay the same objects."""
    return tuple(_node(node, made) for node in body if not (isinstance(node, Make) and node.slot in made))


def _node(node: Node, made: Set[Slot]) -> Node:
    if not any(isinstance(one, Make) and one.slot in made for one in walk((node,))):
        return node
    match node:
        case Loop():
            return replace(node, body=_without(node.body, made))
        case Branch():
            return replace(node, arms=tuple(None if arm is None else _without(arm, made) for arm in node.arms))
        case _:
            return node
