"""Equal turns of a loop, drawn once with their count.

Turns are equal if they make the same nodes, joined in the same way, each taking from the one before it what that one
took from its own; what a turn gives may be used by the next turn only, until the last. Inner loops come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlc.graph.model import Edge, End, Graph, Node
from dlc.ir import Turn

_Code = tuple[tuple[object, ...], ...]


def fold_turns(graph: Graph) -> Graph:
    """The same graph with runs of equal turns made one node each, or one node around several."""
    for loop in _loops(graph):
        turns = _turns(graph, loop)
        start = 0
        while start < len(turns) - 1:
            end = _run(graph, turns, start)
            if end > start:
                _collapse(graph, turns[start : end + 1])
            start = end + 1
    return graph


def _loops(graph: Graph) -> list[int]:
    """Loops by number, the innermost first."""
    depths: dict[int, int] = {}
    for node in graph.nodes.values():
        for depth, frame in enumerate(node.frames):
            if isinstance(frame, Turn):
                depths[frame.loop] = depth
    return sorted(depths, key=lambda loop: (-depths[loop], loop))


def _turns(graph: Graph, loop: int) -> list[list[int]]:
    """The nodes of each turn, in order; turns without nodes are left out."""
    found: dict[int, list[int]] = {}
    for number, node in graph.nodes.items():
        for frame in node.frames:
            if isinstance(frame, Turn) and frame.loop == loop:
                found.setdefault(frame.index, []).append(number)
    return [found[index] for index in sorted(found)]


def _run(graph: Graph, turns: Sequence[list[int]], start: int) -> int:
    """The last turn of the run that starts here."""
    end = start
    while end + 1 < len(turns):
        code = _code(graph, turns[end + 1], turns[end])
        before = _code(graph, turns[end], turns[end - 1] if end > start else [])
        same = code == before if end > start else _starts(before, code)
        if not same or not _private(graph, turns[end], turns[end + 1]):
            return end
        end += 1
    return end


def _code(graph: Graph, turn: Sequence[int], before: Sequence[int]) -> _Code:
    """What the turn makes, and whence each takes: from its own, the turn before, or elsewhere."""
    here = {number: index for index, number in enumerate(turn)}
    last = {number: index for index, number in enumerate(before)}
    found: list[tuple[object, ...]] = []
    for number in turn:
        node = graph.nodes[number]
        sources: list[object] = []
        for edge in graph.into(number):
            end = edge.source
            place = "here" if end.node in here else "before" if end.node in last else "out"
            index = here.get(end.node, last.get(end.node, end.node))
            sources.append((place, index, end.port, edge.target.port))
        found.append((node.kind, node.title, node.signature, node.count, *sources))
    return tuple(found)


def _starts(first: _Code, later: _Code) -> bool:
    """Whether the first turn is as the later ones, but that it takes from elsewhere what they take from the last."""
    if len(first) != len(later):
        return False
    taken: dict[object, object] = {}
    for a, b in zip(first, later, strict=True):
        if len(a) != len(b) or a[:4] != b[:4]:
            return False
        for one, other in zip(a[4:], b[4:], strict=True):
            assert isinstance(one, tuple)
            assert isinstance(other, tuple)
            if other[0] == "before" and one[0] == "out":
                if taken.setdefault(other[1:3], one[1:3]) != one[1:3] or one[3] != other[3]:
                    return False
            elif one != other:
                return False
    return bool(taken)


def _private(graph: Graph, turn: Sequence[int], later: Sequence[int]) -> bool:
    """Whether only the next turn uses what this one gives."""
    allowed = {*turn, *later}
    return all(edge.target.node in allowed for edge in graph.edges if edge.source.node in turn)


def _collapse(graph: Graph, run: Sequence[Sequence[int]]) -> None:
    """Keeps the first turn; what the last one gave comes from it now."""
    first, last = run[0], run[-1]
    gone = {number for turn in run[1:] for number in turn}
    moved = dict(zip(last, first, strict=True))
    kept = [edge for edge in graph.edges if edge.target.node not in gone]
    graph.edges = [
        replace(edge, source=End(moved[edge.source.node], edge.source.port)) if edge.source.node in moved else edge
        for edge in kept
        if edge.source.node not in gone or edge.source.node in moved
    ]
    for number in gone:
        del graph.nodes[number]
    if len(first) == 1:
        graph.nodes[first[0]].count *= len(run)
    else:
        _enclose(graph, first, len(run))


def _enclose(graph: Graph, members: Sequence[int], count: int) -> None:
    """One node around the members, with a port for each value that comes in and each that goes out."""
    inside = set(members)
    entering = list(
        dict.fromkeys(e.source for e in graph.edges if e.target.node in inside and e.source.node not in inside)
    )
    leaving = list(
        dict.fromkeys(e.source for e in graph.edges if e.source.node in inside and e.target.node not in inside)
    )
    inner = Graph()
    for port in range(len(entering)):
        inner.nodes[port] = Node("in", "", outer=port)
    numbers = {member: len(entering) + index for index, member in enumerate(members)}
    for member in members:
        inner.nodes[numbers[member]] = graph.nodes[member]
    outs = {end: len(inner.nodes) + port for port, end in enumerate(leaving)}
    types = {edge.source: edge for edge in graph.edges}
    for port, end in enumerate(leaving):
        inner.nodes[outs[end]] = Node("out", "", inputs=("",), outputs=(), outer=port)
        source = End(numbers[end.node], end.port)
        inner.edges.append(replace(types[end], source=source, target=End(outs[end], 0)))
    for edge in graph.edges:
        if edge.target.node not in inside:
            continue
        target = End(numbers[edge.target.node], edge.target.port)
        source = End(numbers[edge.source.node], edge.source.port) if edge.source.node in inside else None
        inner.edges.append(replace(edge, source=source or End(entering.index(edge.source), 0), target=target))
    box = Node("repeat", "", count=count, inputs=("",) * len(entering), outputs=("",) * len(leaving), inner=inner)
    box.frames = tuple(frame for frame in graph.nodes[members[0]].frames[:-1])
    box.signature = tuple(graph.nodes[member].signature for member in members)
    _replace(graph, members, box, entering, leaving)


def _replace(graph: Graph, members: Sequence[int], box: Node, entering: list[End], leaving: list[End]) -> None:
    number, inside = members[0], set(members)
    graph.nodes = {
        index: box if index == number else node
        for index, node in graph.nodes.items()
        if index == number or index not in inside
    }
    edges: dict[tuple[End, End], Edge] = {}
    for edge in graph.edges:
        if edge.source.node in inside and edge.target.node in inside:
            continue
        source = End(number, leaving.index(edge.source)) if edge.source.node in inside else edge.source
        target = End(number, entering.index(edge.source)) if edge.target.node in inside else edge.target
        edges.setdefault((source, target), replace(edge, source=source, target=target))
    graph.edges = list(edges.values())
