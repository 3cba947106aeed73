"""The layout on random graphs: boxes apart, links down, with right angles, from port to port, through no box."""

from __future__ import annotations

from itertools import combinations, pairwise
from random import Random

import pytest
from dlc.graph.layered import Box, Layout, Link, layout


def random_graph(seed: int) -> tuple[dict[int, Box], list[Link]]:
    random = Random(seed)
    boxes: dict[int, Box] = {}
    links: list[Link] = []
    for number in range(random.randint(1, 14)):
        before = random.sample(sorted(boxes), min(len(boxes), random.randint(0, 3)))
        half = random.uniform(10, 80)
        if random.random() < 0.3 and len(before) == 2:
            boxes[number] = Box(10, 10, 20, (0.0,) * len(before), (0.0,), join=True)
        else:
            tops = tuple(half * (2 * (i + 1) / (len(before) + 1) - 1) for i in range(len(before)))
            boxes[number] = Box(half, half, random.uniform(20, 200), tops, (0.0,), random.choice((0.0, 90.0)))
        links += [Link(source, 0, number, port, random.random() < 0.2) for port, source in enumerate(before)]
    return boxes, links


def rectangle(boxes: dict[int, Box], found: Layout, number: int) -> tuple[float, float, float, float]:
    x, y = found.places[number]
    box = boxes[number]
    return x - box.left, y - box.height / 2, x + box.right, y + box.height / 2


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed: int) -> None:
    boxes, links = random_graph(seed)
    found = layout(boxes, links)
    places = {number: rectangle(boxes, found, number) for number in boxes}
    for a, b in combinations(places, 2):
        (ax, ay, au, av), (bx, by, bu, bv) = places[a], places[b]
        assert au <= bx or bu <= ax or av <= by or bv <= ay, f"boxes {a} and {b} overlap"
    for link, line in zip(links, found.routes, strict=True):
        for (x, y), (u, v) in pairwise(line):
            assert abs(x - u) < 0.51 or abs(y - v) < 0.01, "a slanted line"
            assert v >= y - 0.01, "a line that goes up"
        left, top, right, bottom = places[link.source]
        assert line[0] == pytest.approx((found.places[link.source][0], bottom))
        left, top, right, bottom = places[link.target]
        x, y = line[-1]
        on_top = abs(y - top) < 0.01 and left <= x <= right
        on_side = boxes[link.target].join and top < y < bottom and (abs(x - left) < 0.01 or abs(x - right) < 0.01)
        assert on_top or on_side
        for number, place in places.items():
            if number not in (link.source, link.target):
                assert not crosses(line, place), f"the link {link} runs through box {number}"


@pytest.mark.parametrize("seed", range(40))
def test_lines_of_different_values_lie_apart(seed: int) -> None:
    boxes, links = random_graph(seed)
    found = layout(boxes, links)
    pieces = [
        (link.source, min(x, u), min(y, v), max(x, u), max(y, v))
        for link, line in zip(links, found.routes, strict=True)
        for (x, y), (u, v) in pairwise(line)
    ]
    for a, b in combinations(pieces, 2):
        if a[0] == b[0]:
            continue
        for axis in (1, 2):  # along x, along y
            across = 3 - axis
            together = min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis])
            apart = max(a[across], b[across]) - min(a[across + 2], b[across + 2])
            assert together < 1 or apart > 3, f"lines from {a[0]} and {b[0]} lie on each other"


def crosses(line: tuple[tuple[float, float], ...], place: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = (place[0] + 0.5, place[1] + 0.5, place[2] - 0.5, place[3] - 0.5)
    return any(
        max(x, u) > left and min(x, u) < right and max(y, v) > top and min(y, v) < bottom
        for (x, y), (u, v) in pairwise(line)
    )


def test_a_chain_is_straight() -> None:
    boxes = {n: Box(10.0 + n, 10.0 + n, 20, (0.0,), (0.0,)) for n in range(6)}
    links = [Link(n, 0, n + 1, 0) for n in range(5)] + [Link(0, 0, 3, 0), Link(1, 0, 5, 0)]
    found = layout(boxes, links)
    assert len({x for x, _ in found.places.values()}) == 1
    assert all(len(line) == 2 for line in found.routes[:5])
    assert found.main == {0, 1, 2, 3, 4}


def test_a_join_takes_the_shortcut_from_its_side() -> None:
    box = Box(40, 40, 30, (0.0,), (0.0,))
    boxes = {0: box, 1: box, 2: Box(10, 10, 20, (0.0, 0.0), (0.0,), join=True), 3: box}
    found = layout(boxes, [Link(0, 0, 1, 0), Link(1, 0, 2, 0), Link(0, 0, 2, 1), Link(2, 0, 3, 0)])
    x, y = found.places[2]
    assert found.routes[2][-1] in ((x - 10, y), (x + 10, y))
    assert found.places[0][0] == found.places[1][0] == x == found.places[3][0]


def test_nothing() -> None:
    assert layout({}, []).places == {}
