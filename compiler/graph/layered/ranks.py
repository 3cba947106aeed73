"""Which layer each box is in: links lead down, and all of them together are as short as can be (Gansner et al., 1993).

A linear program; its matrix is totally unimodular, so the simplex method's answer is whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.graph.layered.program import Program
from dlc.graph.layered.shapes import Box, Link

_STRAIGHT, _SIDE, _LAST = 1.0, 0.9, 0.001


def ranks(boxes: Mapping[int, Box], links: Sequence[Link]) -> dict[int, int]:
    """The layer of each box, from 0."""
    program = Program()
    places = {number: program.variable(0.0) for number in boxes}
    end = program.variable(_LAST)
    for number, box in boxes.items():
        if box.rank == "first":
            program.equal(places[number], 0.0)
        program.distance(places[number], end, 0.0)
        if box.rank == "last":
            program.distance(end, places[number], 0.0)
    for link in links:
        weight = _SIDE if boxes[link.target].join else _STRAIGHT
        program.cost(places[link.target], weight)
        program.cost(places[link.source], -weight)
        program.distance(places[link.source], places[link.target], 1.0)
    firsts = [n for n, box in boxes.items() if box.rank == "first"]
    lasts = [n for n, box in boxes.items() if box.rank == "last"]
    for number, box in boxes.items():
        if firsts and not box.rank:
            program.distance(places[firsts[0]], places[number], 1.0)
        if lasts and not box.rank:
            program.distance(places[number], places[lasts[0]], 1.0)
    values = program.solve()
    return {number: round(values[place]) for number, place in places.items()}


def main_links(boxes: Mapping[int, Box], links: Sequence[Link], rank: Mapping[int, int]) -> set[int]:
    """Numbers of the links that are the main line of their target: from the nearest source, the first if several."""
    best: dict[int, tuple[tuple[int, int, int], int]] = {}
    for index, link in enumerate(links):
        key = (link.minor, -rank[link.source], link.top)
        if link.target not in best or key < best[link.target][0]:
            best[link.target] = (key, index)
    return {index for _, index in best.values()}
