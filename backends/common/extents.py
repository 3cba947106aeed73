"""Sizes that a loop carries: the channels of `x` from turn to turn.

Where a layer's input size is the size of a variable that the loop assigns (`x = x -> unit(...)`), `__init__` keeps that
size in a variable of its own. Each `Bind` of the name then says what the size becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlc.backends.common import values
from dlc.backends.common.context import Context
from dlc.backends.common.form import Bind, Branch, Extent, Loop, Make, Node, Own, Value, walk
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.merging import Merging
from dlc.ir import Static


def complete(merging: Merging, starts: Sequence[Context], body: Nodes) -> Nodes:
    """The body with the sizes on the bindings that its `Extent`s need. Raises Refused."""
    wanted: dict[tuple[str, int], None] = {}
    for node in walk(body):
        if isinstance(node, Make):
            wanted.update({(v.name, v.axis): None for _, v in node.dims if isinstance(v, Extent)})
    if not wanted:
        return body
    inputs = [_input(merging, starts, name, axis) for name, axis in wanted if _is_input(starts, name)]
    return (*inputs, *_nodes(merging, body, tuple(wanted)))


def _nodes(merging: Merging, body: Nodes, wanted: Sequence[tuple[str, int]]) -> Nodes:
    return tuple(_node(merging, node, wanted) for node in body)


def _node(merging: Merging, node: Node, wanted: Sequence[tuple[str, int]]) -> Node:
    match node:
        case Loop():
            return replace(node, body=_nodes(merging, node.body, wanted))
        case Branch():
            return replace(node, arms=tuple(None if arm is None else _nodes(merging, arm, wanted) for arm in node.arms))
        case Bind() if id(node) in merging.binds:
            _, contexts, found = merging.binds[id(node)]
            axes = [axis for name, axis in wanted if name == node.name]
            return replace(node, extents=tuple((axis, _size(merging, contexts, found, axis)) for axis in axes))
        case _:
            return node


def _is_input(starts: Sequence[Context], name: str) -> bool:
    return all(any(port.name == name for port in context.module.inputs) for context in starts)


def _input(merging: Merging, starts: Sequence[Context], name: str, axis: int) -> Bind:
    found = [next(p.value for p in context.module.inputs if p.name == name) for context in starts]
    return Bind(name, Own(name), ((axis, _size(merging, starts, found, axis)),))


def _size(merging: Merging, contexts: Sequence[Context], found: Sequence[int], axis: int) -> Value:
    seen: list[values.Seen] = []
    for context, value in zip(contexts, found, strict=True):
        size = context.module.types[value].shape[axis]
        seen.append(context.seen(Static(size, merging.axis_source(context, value, axis))))
    return values.merge(seen)
