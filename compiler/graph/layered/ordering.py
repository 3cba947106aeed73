"""The order of boxes and passing links within each layer, with few crossings (barycentres, then exchanges)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.graph.layered.shapes import Box, Layers, Link

_SWEEPS = 16
#: Crossings are counted with a place per box; ports within it by their offsets, scaled down to stay within.
_PORT = 1e-4

_Neighbour = tuple[int, float, float]  # (box or point above, its offset, the own offset)


def layers(boxes: Mapping[int, Box], links: Sequence[Link], rank: Mapping[int, int], main: set[int]) -> Layers:
    """Layers in a first order: main lines to the left, in the order of the text, passing links to the right."""
    count = max(rank.values(), default=-1) + 1
    found = Layers([[] for _ in range(count)], dict(rank), {})
    for number in _depth_first(boxes, links, main):
        found.rows[rank[number]].append(number)
    sides = _sides(boxes, links, rank, main)
    fresh = -1
    for index, link in enumerate(links):
        last = rank[link.target] + (1 if index in sides else 0)
        chain = found.chains.setdefault((link.source, link.bottom), {})
        for layer in range(rank[link.source] + 1, last):
            if layer not in chain:
                chain[layer] = fresh
                found.layer[fresh] = layer
                found.rows[layer].append(fresh)
                fresh -= 1
        if index in sides:
            found.sides[index] = (chain[last - 1], link.target)
    return found


def _sides(boxes: Mapping[int, Box], links: Sequence[Link], rank: Mapping[int, int], main: set[int]) -> set[int]:
    """Links that turn into a join from its side: all but the main one, two at most, one for each trunk and layer."""
    found: dict[int, list[int]] = {}
    taken: set[tuple[int, int, int]] = set()
    for index, link in enumerate(links):
        trunk = (link.source, link.bottom, rank[link.target])
        if not boxes[link.target].join or index in main or trunk in taken or len(found.get(link.target, ())) == 2:
            continue
        taken.add(trunk)
        found.setdefault(link.target, []).append(index)
    return {index for indices in found.values() for index in indices}


def _depth_first(boxes: Mapping[int, Box], links: Sequence[Link], main: set[int]) -> list[int]:
    """Boxes in the order in which main lines, then others, reach them from the sources."""
    below: dict[int, list[tuple[bool, int]]] = {number: [] for number in boxes}
    fed = {link.target for link in links}
    for index, link in enumerate(links):
        below[link.source].append((index not in main, link.target))
    found: dict[int, None] = {}
    stack = [number for number in reversed(list(boxes)) if number not in fed]
    while stack:
        number = stack.pop()
        if number in found:
            continue
        found[number] = None
        stack += [target for _, target in sorted(below[number], key=lambda item: item[0], reverse=True)]
    return list(found)


def order(boxes: Mapping[int, Box], links: Sequence[Link], found: Layers) -> None:
    """Sorts the rows of `found` in place; the best of all sweeps stays."""
    above = neighbours(boxes, links, found)
    below = _turned(above, found)
    _regroup(found)
    best, fewest = [list(row) for row in found.rows], _crossings(found, above)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        downwards = sweep % 2 == 0
        rows = range(1, len(found.rows)) if downwards else range(len(found.rows) - 2, -1, -1)
        for row in rows:
            _sort(found, row, above if downwards else below, -1 if downwards else 1)
        _regroup(found)
        _exchange(found, above, below)
        crossings = _crossings(found, above)
        if crossings < fewest:
            best, fewest = [list(row) for row in found.rows], crossings
    found.rows = best


def neighbours(boxes: Mapping[int, Box], links: Sequence[Link], found: Layers) -> dict[int, list[_Neighbour]]:
    """What each box or point is linked to in the layer above."""
    above: dict[int, list[_Neighbour]] = {number: [] for number in found.layer}
    for (source, bottom), chain in found.chains.items():
        for layer, point in sorted(chain.items()):
            before = chain.get(layer - 1)
            offset = boxes[source].bottoms[bottom]
            above[point].append((source, offset, 0.0) if before is None else (before, 0.0, 0.0))
    for index, link in enumerate(links):
        if index in found.sides:
            continue
        point = found.chains[(link.source, link.bottom)].get(found.layer[link.target] - 1)
        top = boxes[link.target].tops[link.top]
        offset = boxes[link.source].bottoms[link.bottom]
        above[link.target].append((link.source, offset, top) if point is None else (point, 0.0, top))
    return above


def _turned(above: Mapping[int, list[_Neighbour]], found: Layers) -> dict[int, list[_Neighbour]]:
    below: dict[int, list[_Neighbour]] = {number: [] for number in found.layer}
    for number, items in above.items():
        for other, its, own in items:
            below[other].append((number, own, its))
    return below


def _sort(found: Layers, row: int, near: Mapping[int, list[_Neighbour]], step: int) -> None:
    """By the mean place of the neighbours; who has none keeps its place."""
    places = {number: index for index, number in enumerate(found.rows[row + step])}
    keys: dict[int, float] = {}
    for index, number in enumerate(found.rows[row]):
        values = [places[other] + _PORT * (its - own) for other, its, own in near[number] if other in places]
        keys[number] = sum(values) / len(values) if values else float(index)
    found.rows[row].sort(key=lambda number: keys[number])


def _regroup(found: Layers) -> None:
    """Puts each point that turns into a join directly beside it, on the side where it is."""
    for target in dict.fromkeys(target for _, target in found.sides.values()):
        points = list(dict.fromkeys(point for point, other in found.sides.values() if other == target))
        row = found.rows[found.layer[target]]
        middle = row.index(target)
        left = [point for point in points if row.index(point) < middle]
        right = [point for point in points if row.index(point) > middle]
        if len(left) > 1:
            left, right = left[:1], [*right, *left[1:]]
        if len(right) > 1:
            left, right = [*left, *right[1:]], right[:1]
        rest = [number for number in row if number not in points]
        at = rest.index(target)
        found.rows[found.layer[target]] = [*rest[:at], *left, target, *right, *rest[at + 1 :]]


def _exchange(found: Layers, above: Mapping[int, list[_Neighbour]], below: Mapping[int, list[_Neighbour]]) -> None:
    """Exchanges neighbours in a row where that takes a crossing away."""
    held = {number for pair in found.sides.values() for number in pair}
    for layer, row in enumerate(found.rows):
        upper = {number: index for index, number in enumerate(found.rows[layer - 1])} if layer else {}
        last = layer == len(found.rows) - 1
        lower = {} if last else {number: index for index, number in enumerate(found.rows[layer + 1])}
        for index in range(len(row) - 1):
            a, b = row[index], row[index + 1]
            if a in held or b in held:
                continue
            change = _gain(above[a], above[b], upper) + _gain(below[a], below[b], lower)
            if change > 0:
                row[index], row[index + 1] = b, a


def _gain(a: Sequence[_Neighbour], b: Sequence[_Neighbour], places: Mapping[int, int]) -> int:
    """Crossings of the links of two neighbours, less those after an exchange."""
    left = [places[other] + _PORT * its for other, its, _ in a if other in places]
    right = [places[other] + _PORT * its for other, its, _ in b if other in places]
    return sum((x > y) - (x < y) for x in left for y in right)


def _crossings(found: Layers, above: Mapping[int, list[_Neighbour]]) -> int:
    total = 0
    for upper, lower in zip(found.rows, found.rows[1:], strict=False):
        places = {number: index for index, number in enumerate(upper)}
        ends = [
            (places[other] + _PORT * its, index + _PORT * own)
            for index, number in enumerate(lower)
            for other, its, own in above[number]
        ]
        ends.sort()
        total += sum(a[0] < b[0] and a[1] > b[1] for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total
