"""Which edges say their shape: where a box changes it. Inputs and outputs of the network say theirs themselves."""

from __future__ import annotations

from dataclasses import replace

from dlc.graph.model import End, Graph


def label(graph: Graph) -> Graph:
    """The graph, and those inside its nodes, with shapes on the first edge of each value that has a new one."""
    for node in graph.nodes.values():
        if node.inner is not None:
            label(node.inner)
    said: set[End] = set()
    edges = list(graph.edges)
    for index, edge in enumerate(edges):
        if edge.source in said or not _changes(graph, edge.source.node, edge.type):
            continue
        targets = {graph.nodes[e.target.node].kind for e in edges if e.source == edge.source}
        said.add(edge.source)
        if targets - {"out", "output"}:
            edges[index] = replace(edge, label=short(edge.type))
    graph.edges = edges
    return graph


def _changes(graph: Graph, number: int, type_: str) -> bool:
    if graph.nodes[number].kind in ("in", "input", "parameter"):
        return False
    inputs = [edge for edge in graph.into(number) if not edge.minor]
    return not inputs or inputs[0].type != type_


def short(type_: str) -> str:
    """`[N, 64, 56, 56]`; other types than float in full."""
    return type_.removeprefix("float")
