"""Coordinates: links as straight as the order of each layer allows, main lines first. A linear program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from dlc.graph.layered.ordering import neighbours
from dlc.graph.layered.program import Program
from dlc.graph.layered.shapes import Box, Layers, Link

GAP = 22.0  # between boxes of a layer
LINE = 12.0  # between a line and its neighbour
_MAIN, _FIRST, _OTHER, _TRUNK, _MINOR = 64.0, 8.0, 2.0, 6.0, 0.5


def columns(boxes: Mapping[int, Box], links: Sequence[Link], found: Layers, main: set[int]) -> dict[int, float]:
    """The x of each box and each passing point."""
    program = Program()
    places = {number: program.variable(0.0) for number in found.layer}
    for row in found.rows:
        for a, b in pairwise(row):
            program.distance(places[a], places[b], _apart(boxes, a, b))
    weights = _weights(boxes, links, found, main)
    for number, near in neighbours(boxes, links, found).items():
        for other, its, own in near:
            program.deviation(places[number], places[other], its - own, weights[(other, number)])
    for point, target in found.sides.values():
        program.deviation(places[point], places[target], 0.0, 0.1)
    # Nothing drifts: who has no links stays with its neighbours.
    for row in found.rows:
        for a, b in pairwise(row):
            program.cost(places[b], 0.01)
            program.cost(places[a], -0.01)
        if row:
            program.cost(places[row[0]], 1e-6)
    values = program.solve()
    return {number: values[place] for number, place in places.items()}


def _apart(boxes: Mapping[int, Box], a: int, b: int) -> float:
    right = boxes[a].right if a >= 0 else 0.0
    left = boxes[b].left if b >= 0 else 0.0
    gap = GAP if a >= 0 and b >= 0 else LINE
    after = boxes[a].after if a >= 0 else 0.0
    return max(right + gap, after + LINE / 2) + left


def _weights(
    boxes: Mapping[int, Box], links: Sequence[Link], found: Layers, main: set[int]
) -> dict[tuple[int, int], float]:
    """How much each piece of a link wants to be straight."""
    weights: dict[tuple[int, int], float] = {}

    def raise_to(pair: tuple[int, int], weight: float) -> None:
        weights[pair] = max(weights.get(pair, 0.0), weight)

    leading = _leading(links, found, main)
    for index, link in enumerate(links):
        chain = found.chains[(link.source, link.bottom)]
        base = _MINOR if link.minor else _MAIN if index in leading else _FIRST if index in main else _OTHER
        last = found.layer[link.target] if index in found.sides else found.layer[link.target] - 1
        before = link.source
        for layer in range(found.layer[link.source] + 1, last + 1):
            raise_to((before, chain[layer]), (_MINOR if link.minor else _OTHER) if before >= 0 else _TRUNK)
            before = chain[layer]
        if index not in found.sides:
            raise_to((before, link.target), base if before >= 0 or index in leading else max(base / 4, _MINOR))
    return weights


def _leading(links: Sequence[Link], found: Layers, main: set[int]) -> set[int]:
    """Of each box's outgoing links that are main to their targets, the one with the longest way to go."""
    height: dict[int, int] = {}
    for link in sorted((link for link in links if not link.minor), key=lambda link: -found.layer[link.source]):
        height[link.source] = max(height.get(link.source, 0), height.get(link.target, 0) + 1)
    best: dict[int, tuple[tuple[int, int], int]] = {}
    for index, link in enumerate(links):
        if index in main and not link.minor:
            key = (height.get(link.target, 0), -index)
            if link.source not in best or key > best[link.source][0]:
                best[link.source] = (key, index)
    return {index for _, index in best.values()}
