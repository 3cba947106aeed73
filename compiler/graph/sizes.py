"""How large a closed box is, and where on its border lines come in and go out.

The main line goes through the middle; other lines come in left and right of it, in the order in which they arrive, so
that they cross nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dlc.graph.layered import Box, Layout, Point
from dlc.graph.metrics import text_width, wrap
from dlc.graph.model import Graph, Node
from dlc.graph.style import DETAIL, SMALL, TITLE

_WIDEST = 190.0  # of a line of hyperparameters
_PAD = 12.0
_BETWEEN = 14.0  # between two lines at a border


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text: its middle, left or right end (`anchor`) at x, its baseline at y."""

    text: str
    x: float
    y: float
    size: float
    anchor: str = "middle"
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a node from left to right, and the one in the middle; those without a line are left out.

    `labels`: the widths of what is written below the outputs.
    """

    inputs: tuple[int, ...]
    main: int
    outputs: tuple[int, ...]
    leading: int
    labels: Mapping[int, float]
    placed: bool = True


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed box: as the layout sees it, its texts and its badge's left end and middle from its top left corner."""

    box: Box
    texts: tuple[Text, ...]
    badge: tuple[float, float] | None


def first_ports(graph: Graph, number: int) -> Ports:
    """As the spec has them, before anything has a place: all in the middle, so that their order weighs nothing."""
    node = graph.nodes[number]
    return Ports(tuple(range(len(node.inputs))), 0, tuple(range(len(node.outputs))), 0, {}, placed=False)


def found_ports(graph: Graph, number: int, layout: Layout) -> Ports:
    """By where lines come from and go to in a first layout."""
    arrivals: dict[int, float] = {}
    departures: dict[int, float] = {}
    main, leading = 0, 0
    for index, edge in enumerate(graph.edges):
        line = layout.routes[index]
        if edge.target.node == number:
            arrivals[edge.target.port] = _arrival(line)
            main = edge.target.port if index in layout.main else main
        if edge.source.node == number:
            departures.setdefault(edge.source.port, _aim(line))
    for index, edge in reversed(list(enumerate(graph.edges))):
        if edge.source.node == number and index in layout.main:
            leading = edge.source.port
    inputs = sorted(arrivals, key=lambda port: (arrivals[port], port))
    outputs = sorted(departures, key=lambda port: (departures[port], port))
    labels = {e.source.port: text_width(e.label, SMALL) for e in graph.out_of(number) if e.label}
    return Ports(tuple(inputs), main, tuple(outputs), leading, labels)


def _arrival(line: Sequence[Point]) -> float:
    """Where a line comes from, before its last turn."""
    return line[-3][0] if len(line) > 2 else line[0][0]


def _aim(line: Sequence[Point]) -> float:
    """Where a line goes to, after its first turn."""
    return line[2][0] if len(line) > 2 else line[-1][0]


def closed(node: Node, ports: Ports) -> Closed:
    """A box with its title, hyperparameters, and the names of its inputs where it has several."""
    details = wrap(node.detail, DETAIL, _WIDEST, 3)
    named = any(node.inputs)
    room = [text_width(name, SMALL) + 10 if named else _BETWEEN for name in node.inputs]
    tops = _offsets(ports.inputs, ports.main, room)
    bottoms = _below(ports)
    pill = badge_width(node)
    title = text_width(node.title, TITLE) + (pill + 6 if pill else 0.0)
    widest = max([title, *(text_width(line, DETAIL) for line in details)]) + 2 * _PAD
    reach = [abs(tops[port]) + room[port] / 2 for port in ports.inputs]
    reach += [abs(bottoms[port]) + _BETWEEN / 2 for port in ports.outputs]
    half = max([widest / 2, *reach])
    top = 16.0 if named else 4.0
    texts = [Text(node.title, half - (pill + 6 if pill else 0) / 2, top + 15, TITLE)]
    texts += [Text(line, half, top + 29 + 13 * i, DETAIL, faint=True) for i, line in enumerate(details)]
    if named:
        texts += [Text(node.inputs[port], half + tops[port], 12, SMALL, faint=True) for port in ports.inputs]
    badge = (half + title / 2 - pill, top + 10.5) if pill else None
    offsets = tuple(tops.get(port, 0.0) if ports.placed else 0.0 for port in range(len(node.inputs)))
    below = tuple(bottoms.get(port, 0.0) if ports.placed else 0.0 for port in range(len(node.outputs)))
    return Closed(Box(half, half, top + 24 + 13 * len(details), offsets, below), tuple(texts), badge)


def _offsets(order: Sequence[int], middle: int, room: Sequence[float]) -> dict[int, float]:
    """Of each port from the box's middle, where the port `middle` is."""
    if middle not in order:
        return dict.fromkeys(order, 0.0) if len(order) < 2 else _offsets(order, order[0], room)
    at = order.index(middle)
    found = {middle: 0.0}
    for step in (1, -1):
        place, before = 0.0, room[middle]
        for port in order[at + 1 :] if step > 0 else reversed(order[:at]):
            place += (before + room[port]) / 2
            found[port], before = step * place, room[port]
    return found


def _below(ports: Ports) -> dict[int, float]:
    """Of each output from the box's middle; a label to the right of one keeps the next away."""
    places: dict[int, float] = {}
    place = 0.0
    for port in ports.outputs:
        places[port] = place
        place += max(_BETWEEN, ports.labels.get(port, 0.0) + 11)
    middle = places.get(ports.leading, 0.0)
    return {port: place - middle for port, place in places.items()}


def badge_of(node: Node) -> str:
    words = [node.badge] if node.badge else []
    return " ".join([*words, f"×{node.count}"] if node.count > 1 else words)


def badge_width(node: Node) -> float:
    return text_width(badge_of(node), SMALL) + 12 if badge_of(node) else 0.0


def with_room(box: Box, after: float) -> Box:
    return replace(box, after=after)
