"""Takes out of finished functions what nobody reads: outputs that no call uses, then inputs that no node needs.

A cell's final state that only one of two scans wants, lengths where the final state is all that asked for them. Each
function is looked at with all its calls, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dlc.backends.onnx.graph import Graph, Names, Node, Value, live
from dlc.backends.onnx.proto import Function

Item = TypeVar("Item")


@dataclass(eq=False, slots=True)
class _Calls:
    """The calls of one function, and what is read in the graphs that they stand in."""

    nodes: list[Node] = field(default_factory=list[Node])
    read: set[Value] = field(default_factory=set[Value])


def trim(graph: Graph, functions: Sequence[Function], weights: set[Value]) -> None:
    """Changes the graph and the functions. `weights`: inputs of the graph that it may lose; others are its border."""
    graphs = [graph, *(function.graph for function in functions)]
    while _cut_all(graphs, functions):
        for one in graphs:
            live(one)
    read = _read(graph)
    graph.inputs = [value for value in graph.inputs if value in read or value not in weights]
    for one in graphs:
        _name(one)


def _cut_all(graphs: Sequence[Graph], functions: Sequence[Function]) -> bool:
    """Whether there was something to cut."""
    cut = [_cut(function, calls) for function, calls in _calls(graphs, functions)]
    return any(cut)


def _calls(graphs: Sequence[Graph], functions: Sequence[Function]) -> list[tuple[Function, _Calls]]:
    found = {function.name: _Calls() for function in functions}
    for graph in graphs:
        read = _read(graph)
        for node in _nodes(graph):
            if node.domain:
                found[node.op].nodes.append(node)
                found[node.op].read |= read
    return [(function, found[function.name]) for function in functions]


def _cut(function: Function, calls: _Calls) -> bool:
    graph = function.graph
    wanted = [any(node.outputs[place] in calls.read for node in calls.nodes) for place in range(len(graph.outputs))]
    read = _read(graph)
    needed = [value in read for value in graph.inputs]
    if all(wanted) and all(needed):
        return False
    graph.outputs, graph.inputs = _kept(graph.outputs, wanted), _kept(graph.inputs, needed)
    for node in calls.nodes:
        node.outputs, node.inputs = _kept(node.outputs, wanted), _kept(node.inputs, needed)
    return True


def _kept(items: Sequence[Item], keep: Sequence[bool]) -> list[Item]:
    return [item for item, wanted in zip(items, keep, strict=True) if wanted]


def _nodes(graph: Graph) -> Iterator[Node]:
    yield from graph.nodes
    for _, body in graph.bodies():
        yield from _nodes(body)


def _read(graph: Graph) -> set[Value]:
    """All values that a graph reads or gives, bodies inside it included."""
    found = set(graph.outputs)
    for node in graph.nodes:
        found.update(value for value in node.inputs if value is not None)
    for _, body in graph.bodies():
        found |= _read(body)
    return found


def _made(graph: Graph) -> Iterator[Value]:
    yield from graph.inputs
    for node in graph.nodes:
        yield from node.outputs
    for _, body in graph.bodies():
        yield from _made(body)


def _name(graph: Graph) -> None:
    """Names for values, again, so that none has a number for something that is gone, and for nodes."""
    for value in _made(graph):
        value.name = ""
    names = Names()
    names.settle(graph.inputs)
    names.settle(graph.outputs)
    names.settle_graph(graph)
    _name_nodes(graph)
    read = _read(graph)
    for node in _nodes(graph):
        if node.optional:
            _leave_out(node, read)


def _name_nodes(graph: Graph) -> None:
    names = Names()
    for node in graph.nodes:
        if node.op != "Constant":
            node.name = names.fresh(node.name or node.outputs[0].name)
    for _, body in graph.bodies():
        _name_nodes(body)


def _leave_out(node: Node, read: set[Value]) -> None:
    """An output that nobody reads has no name, and the last ones are not there."""
    while node.outputs[-1] not in read:
        node.outputs.pop()
    for value in node.outputs:
        if value not in read:
            value.name = ""
