"""Layered layout (Sugiyama, Tagawa, Toda, 1981): layers, order within each, coordinates, lines with right angles.

Layers and coordinates are optimal (Gansner et al., 1993): both are linear programs, which HiGHS solves. The same input
gives the same layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dlc.graph.layered.ordering import layers, order
from dlc.graph.layered.placing import columns
from dlc.graph.layered.ranks import main_links, ranks
from dlc.graph.layered.routing import route
from dlc.graph.layered.shapes import Box, Layout, Link, Point

__all__ = ["Box", "Layout", "Link", "Point", "layout"]


def layout(boxes: Mapping[int, Box], links: Sequence[Link]) -> Layout:
    """Places of the boxes, none left of or above 0, and the links' lines. Links must not lead in a circle."""
    if not boxes:
        return Layout({}, (), frozenset(), 0.0, 0.0)
    rank = ranks(boxes, links)
    main = main_links(boxes, links, rank)
    found = layers(boxes, links, rank, main)
    boxes = {**boxes, **_joins(boxes, links, main | found.sides.keys())}
    order(boxes, links, found)
    x = columns(boxes, links, found, main)
    y, lines, height = route(boxes, links, found, x)
    xs = [px for line in lines for px, _ in line]
    left = min([*xs, *(x[number] - box.left for number, box in boxes.items())])
    right = max([*xs, *(x[number] + max(box.right, box.after) for number, box in boxes.items())])
    places = {number: (x[number] - left, y[number]) for number in boxes}
    routes = [tuple((px - left, py) for px, py in line) for line in lines]
    return Layout(places, routes, frozenset(main), right - left, height)


def _joins(boxes: Mapping[int, Box], links: Sequence[Link], settled: set[int]) -> dict[int, Box]:
    """Joins with their ports: what comes neither on the main line nor from a side comes in beside the main line."""
    found: dict[int, Box] = {}
    for index, link in enumerate(links):
        box = found.get(link.target, boxes[link.target])
        if box.join and index not in settled:
            step = box.right / (len(box.tops) + 1)
            tops = [step * (link.top + 1) if port == link.top else top for port, top in enumerate(box.tops)]
            found[link.target] = replace(box, tops=tuple(tops))
    return found
