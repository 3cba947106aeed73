"""Lines: down from a port, across in a channel between two layers, down to the next; no two lie on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from dlc.graph.layered.shapes import Box, Layers, Link, Point

TRACK = 9.0  # between lines that run across in one channel
LABEL = 16.0  # room for a label below a box
ARROW = 13.0  # room for an arrow above a box
PLAIN = 6.0  # room where there is neither
_NEAR = 6.0
_MANY = 6  # channels with more lines than this are not searched through

_Value = tuple[int, int]


@dataclass(slots=True)
class _Across:
    """What one trunk does in one channel: where it comes from above, and where it goes below."""

    value: _Value
    above: float
    below: list[float]

    @property
    def turns(self) -> bool:
        return any(abs(x - self.above) > 0.5 for x in self.below)

    @property
    def span(self) -> tuple[float, float]:
        return min(self.above, *self.below), max(self.above, *self.below)


def route(
    boxes: Mapping[int, Box], links: Sequence[Link], found: Layers, x: Mapping[int, float]
) -> tuple[dict[int, float], list[tuple[Point, ...]], float]:
    """The y of each box, a polyline per link, and the height of all."""
    channels = [_channel(boxes, links, found, x, layer) for layer in range(len(found.rows) - 1)]
    tracks = [_tracks(channel) for channel in channels]
    middles: list[float] = []
    floors: list[float] = []
    top = 0.0
    for layer, row in enumerate(found.rows):
        tall = max((boxes[number].height for number in row if number >= 0), default=0.0)
        middles.append(top + tall / 2)
        floors.append(top + tall)
        if layer < len(channels):
            head, foot = _zones(boxes, links, found, layer)
            used = max(tracks[layer].values(), default=-1) + 1
            starts = floors[-1] + head
            tracks[layer] = {value: starts + TRACK * track + TRACK / 2 for value, track in tracks[layer].items()}
            top = starts + TRACK * used + foot
        else:
            top = floors[-1]
    places = {number: _height(boxes, links, found, number, middles, floors) for number in boxes}
    lines = [_line(boxes, found, x, places, tracks, index, link) for index, link in enumerate(links)]
    return places, lines, top


def _height(
    boxes: Mapping[int, Box],
    links: Sequence[Link],
    found: Layers,
    number: int,
    middles: Sequence[float],
    floors: Sequence[float],
) -> float:
    """In the middle of its layer, or in a tall one high; what only starts there, low."""
    layer, box = found.layer[number], boxes[number]
    tall = 2 * (floors[layer] - middles[layer])
    if all(link.target != number for link in links):
        return floors[layer] - box.height / 2
    if tall > 3 * box.height or all(link.source != number for link in links):
        return floors[layer] - tall + box.height / 2
    return middles[layer]


def _zones(boxes: Mapping[int, Box], links: Sequence[Link], found: Layers, layer: int) -> tuple[float, float]:
    labelled = any(link.labelled and found.layer[link.source] == layer for link in links)
    arrows = any(found.layer[link.target] == layer + 1 and boxes[link.target].rank != "last" for link in links)
    return LABEL if labelled else PLAIN, ARROW if arrows else PLAIN


def _channel(
    boxes: Mapping[int, Box], links: Sequence[Link], found: Layers, x: Mapping[int, float], layer: int
) -> list[_Across]:
    across: dict[_Value, _Across] = {}
    for index, link in enumerate(links):
        value = (link.source, link.bottom)
        chain = found.chains[value]
        start, end = found.layer[link.source], found.layer[link.target]
        last = end if index in found.sides else end - 1
        if not start <= layer <= (last - 1 if index in found.sides else last):
            continue
        above = x[link.source] + boxes[link.source].bottoms[link.bottom] if layer == start else x[chain[layer]]
        below = x[chain[layer + 1]] if layer < last else x[link.target] + boxes[link.target].tops[link.top]
        item = across.setdefault(value, _Across(value, above, []))
        if below not in item.below:
            item.below.append(below)
    return list(across.values())


def _tracks(channel: Sequence[_Across]) -> dict[_Value, float]:
    """A track for each line that turns: the order with the fewest crossings, lines side by side where they can be."""
    turning = sorted((item for item in channel if item.turns), key=lambda item: (item.span, item.value))
    placed: list[tuple[_Across, int]] = []
    for item in _ordered(turning):
        low, high = item.span
        over = [track for other, track in placed if other.span[0] < high + _NEAR and low < other.span[1] + _NEAR]
        placed.append((item, max(over, default=-1) + 1))
    return {item.value: float(track) for item, track in placed}


def _ordered(items: Sequence[_Across]) -> list[_Across]:
    costs = [[_pair(upper, lower) for lower in items] for upper in items]

    def cost(order: Sequence[int]) -> int:
        return sum(costs[a][b] for i, a in enumerate(order) for b in order[i + 1 :])

    order = list(range(len(items)))
    if len(items) <= _MANY:
        return [items[index] for index in min(permutations(order), key=cost)]
    for _ in order:
        for index in range(len(order) - 1):
            a, b = order[index], order[index + 1]
            if costs[a][b] > costs[b][a]:
                order[index], order[index + 1] = b, a
    return [items[index] for index in order]


def _pair(upper: _Across, lower: _Across) -> int:
    """Crossings where `upper` turns above `lower`; lines that would lie on each other cost most."""
    (low, high), (left, right) = lower.span, upper.span
    cost = sum(low < x < high for x in upper.below) + (left < lower.above < right)
    return cost + 20 * sum(abs(x - lower.above) < _NEAR for x in upper.below)


def _line(
    boxes: Mapping[int, Box],
    found: Layers,
    x: Mapping[int, float],
    y: Mapping[int, float],
    tracks: Sequence[Mapping[_Value, float]],
    index: int,
    link: Link,
) -> tuple[Point, ...]:
    value = (link.source, link.bottom)
    chain = found.chains[value]
    start, end = found.layer[link.source], found.layer[link.target]
    source, target = boxes[link.source], boxes[link.target]
    here = x[link.source] + source.bottoms[link.bottom]
    points: list[Point] = [(here, y[link.source] + source.height / 2)]
    last = end if index in found.sides else end - 1
    for layer in range(start, end):
        there = x[chain[layer + 1]] if layer < last else x[link.target] + target.tops[link.top]
        if abs(there - here) > 0.5:
            points += [(here, tracks[layer][value]), (there, tracks[layer][value])]
        here = there
    middle = y[link.target]
    if index in found.sides:
        edge = x[link.target] + (target.right if here > x[link.target] else -target.left)
        points += [(here, middle), (edge, middle)]
    else:
        points.append((here, middle - target.height / 2))
    return tuple(points)
