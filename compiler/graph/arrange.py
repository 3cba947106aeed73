"""Sizes and places: text is measured; graphs are laid out from the inside out, an open box is a box to the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dlc.graph.layered import Box, Layout, Link, layout
from dlc.graph.metrics import text_width, wrap
from dlc.graph.model import Edge, Graph, Node
from dlc.graph.sizes import Ports, Text, badge_of, badge_width, closed, first_ports, found_ports, with_room
from dlc.graph.style import DETAIL, SMALL, TITLE

_WIDEST = 190.0  # of a line of hyperparameters
_PAD = 12.0
_JOIN = 10.0  # radius
_PORT_ROOM = 14.0  # for the names of ports
_LABEL = 60.0  # what may be written outside, where a line leaves a box


@dataclass(slots=True)
class Placed:
    """A node with its place: the top left corner and size of its box; texts and what is inside are relative to it."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    texts: list[Text]
    inner: Plan | None = None
    badge: tuple[float, float] | None = None  # left end and middle


@dataclass(slots=True)
class Plan:
    """A graph with its places. `lines` has the polyline of each edge, `labels` the text beside it."""

    graph: Graph
    width: float
    height: float
    placed: dict[int, Placed] = field(default_factory=dict[int, Placed])
    lines: list[tuple[tuple[float, float], ...]] = field(default_factory=list[tuple[tuple[float, float], ...]])
    labels: list[Text] = field(default_factory=list[Text])


@dataclass(slots=True)
class _Sized:
    """A node before it has a place: its box as the layout sees it, and how to draw it."""

    box: Box
    placed: Placed


def arrange(graph: Graph) -> Plan:
    """The whole graph, with those inside its nodes. Laid out twice: after the first time, ports are put in order."""
    inside = {number: arrange(node.inner) for number, node in graph.nodes.items() if node.inner is not None}
    links = _links(graph)
    ports = {number: first_ports(graph, number) for number in graph.nodes}
    sized = {number: _size(graph, number, ports[number], inside.get(number)) for number in graph.nodes}
    first = layout({number: item.box for number, item in sized.items()}, links)
    ports = {number: found_ports(graph, number, first) for number in graph.nodes}
    for number in graph.nodes:
        if number not in inside:
            sized[number] = _size(graph, number, ports[number], None)
    found = layout({number: item.box for number, item in sized.items()}, links)
    plan = Plan(graph, found.width, found.height, lines=list(found.routes))
    for number, item in sized.items():
        x, y = found.places[number]
        item.placed.x, item.placed.y = x - item.box.left, y - item.box.height / 2
        plan.placed[number] = item.placed
    plan.labels = _labels(graph, found)
    return plan


def _links(graph: Graph) -> list[Link]:
    names = _several(graph, "in")
    return [
        Link(
            edge.source.node,
            edge.source.port,
            edge.target.node,
            edge.target.port,
            edge.minor or _is_aside(graph.nodes[edge.source.node]),
            bool(edge.label) or (names and graph.nodes[edge.source.node].kind == "in"),
        )
        for edge in graph.edges
    ]


def _is_aside(node: Node) -> bool:
    """Parameters stand beside the main line; states are on it."""
    return node.kind == "parameter" and node.detail != "state"


def _labels(graph: Graph, found: Layout) -> list[Text]:
    """Shapes below the boxes that give them, names of ports beside these."""
    labels: list[Text] = []
    for edge, line in zip(graph.edges, found.routes, strict=True):
        if edge.label:
            x, y = line[0]
            labels.append(Text(edge.label, x + 5, y + 11.5, SMALL, "start", faint=True))
    for number, node in graph.nodes.items():
        x, y = found.places[number]
        if node.kind == "in" and node.title and _several(graph, "in"):
            labels.append(Text(node.title, x + 5, y + 11.5, SMALL, "start", faint=True))
        if node.kind == "out" and node.title and _several(graph, "out"):
            labels.append(Text(node.title, x + 5, y - 5, SMALL, "start", faint=True))
    return labels


def _several(graph: Graph, kind: str) -> bool:
    return sum(node.kind == kind for node in graph.nodes.values()) > 1


def _size(graph: Graph, number: int, ports: Ports, inside: Plan | None) -> _Sized:
    node = graph.nodes[number]
    if inside is not None:
        sized = _open(node, inside)
        return _Sized(with_room(sized.box, _room(graph, number, sized.box.bottoms)), sized.placed)
    if node.kind in ("in", "out"):
        after = max(text_width(node.title, SMALL), _LABEL) + 8 if node.title and _several(graph, node.kind) else 0.0
        rank = "first" if node.kind == "in" else "last"
        box = Box(0, 0, 0 if node.kind == "in" or not after else _PORT_ROOM, (0.0,), (0.0,), after, rank)
        return _Sized(box, Placed(node, 0, 0, 0, box.height, []))
    if node.kind == "join":
        box = Box(_JOIN, _JOIN, 2 * _JOIN, (0.0,) * len(node.inputs), (0.0,), _room(graph, number), join=True)
        return _Sized(box, Placed(node, 0, 0, 2 * _JOIN, 2 * _JOIN, []))
    shape = closed(node, ports)
    box = with_room(shape.box, _room(graph, number, shape.box.bottoms))
    placed = Placed(node, 0, 0, box.left + box.right, box.height, list(shape.texts), badge=shape.badge)
    return _Sized(box, placed)


def _room(graph: Graph, number: int, bottoms: Sequence[float] = (0.0,)) -> float:
    """How far the labels below the box reach to the right of its place."""
    reach = [0.0]
    for edge in graph.out_of(number):
        if edge.label:
            reach.append(bottoms[edge.source.port] + 5 + text_width(edge.label, SMALL) + 4)
    return max(reach)


def _open(node: Node, plan: Plan) -> _Sized:
    """A box around a graph. Its title stands at the top left, so the first line comes in right of it."""
    graph = plan.graph
    title = [Text(node.title, _PAD, 17, TITLE, "start")] if node.title else []
    details = wrap(node.detail, DETAIL, _WIDEST, 2)
    title += [Text(line, _PAD, 31 + 13 * i, DETAIL, "start", faint=True) for i, line in enumerate(details)]
    wide = max((text_width(text.text, text.size) for text in title), default=0.0)
    head = 0.0 if not title and not badge_of(node) else 24.0 + 13 * len(details)
    ins = [(n.outer, plan.placed[k].x) for k, n in graph.nodes.items() if n.kind == "in"]
    outs = [(n.outer, plan.placed[k].x) for k, n in graph.nodes.items() if n.kind == "out"]
    first = min((x for _, x in ins), default=plan.width)
    left = max(_PAD, wide + 2 * _PAD - first if ins else _PAD)
    last = max((x for _, x in ins), default=0.0)
    right = max(_PAD, last + badge_width(node) + 2 * _PAD - plan.width)
    width = left + plan.width + right
    if not ins:
        width = max(width, wide + badge_width(node) + 3 * _PAD)
    height = head + plan.height + (2 if head else _PAD)
    placed = Placed(node, 0, 0, width, height, title, plan)
    _shift(plan, left, head)
    _reach(plan, graph, head, height)
    if badge_of(node):
        placed.badge = (width - badge_width(node) - 8, 14.0)
    tops = tuple(x + left for _, x in sorted(ins))
    bottoms = tuple(x + left for _, x in sorted(outs))
    middle = tops[0] if tops else width / 2
    box = Box(middle, width - middle, height, tuple(x - middle for x in tops), tuple(x - middle for x in bottoms))
    return _Sized(box, placed)


def _shift(plan: Plan, dx: float, dy: float) -> None:
    for placed in plan.placed.values():
        placed.x, placed.y = placed.x + dx, placed.y + dy
    plan.lines = [tuple((x + dx, y + dy) for x, y in line) for line in plan.lines]
    plan.labels = [Text(t.text, t.x + dx, t.y + dy, t.size, t.anchor, t.faint) for t in plan.labels]


def _reach(plan: Plan, graph: Graph, head: float, height: float) -> None:
    """Lines from and to ports begin and end at the border."""
    lines: list[tuple[tuple[float, float], ...]] = []
    for edge, line in zip(graph.edges, plan.lines, strict=True):
        if graph.nodes[edge.source.node].kind == "in":
            line = ((line[0][0], 0.0), *line[1:])
        if graph.nodes[edge.target.node].kind == "out":
            line = (*line[:-1], (line[-1][0], height))
        lines.append(line)
    plan.lines = lines
    for edge in graph.edges:
        _place_port(plan, edge, height)


def _place_port(plan: Plan, edge: Edge, height: float) -> None:
    for number in (edge.source.node, edge.target.node):
        placed = plan.placed[number]
        if placed.node.kind == "in":
            placed.y, placed.height = 0.0, 0.0
        elif placed.node.kind == "out":
            placed.y, placed.height = height, 0.0
