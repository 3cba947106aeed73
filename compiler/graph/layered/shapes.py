"""What the layout takes and gives: boxes with ports, links between ports, places and routes. All lengths in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A box around the point that its place says: `left` and `right` of it, `height` centred on it.

    `tops` and `bottoms` are its ports, as offsets from the place. `after` is room to the right that belongs to it
    (a label below it). `rank` "first" or "last" keeps it in the first or last layer; a `join` takes links from its
    sides, too.
    """

    left: float
    right: float
    height: float
    tops: tuple[float, ...] = ()
    bottoms: tuple[float, ...] = ()
    after: float = 0.0
    rank: str = ""
    join: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """From a port at the bottom of one box to a port at the top of another. Links of one source port share a trunk."""

    source: int
    bottom: int
    target: int
    top: int
    minor: bool = False
    labelled: bool = False


@dataclass(slots=True)
class Layers:
    """Boxes, and points where links pass a layer, from left to right in each layer.

    A passing point has a negative number. `chains` says per trunk (source, bottom) the points in its layers after the
    source's; `sides` which points are where a link turns into a join.
    """

    rows: list[list[int]]
    layer: dict[int, int]
    chains: dict[tuple[int, int], dict[int, int]]
    sides: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of boxes (by number), one polyline per link in the links' order, and which links are main lines."""

    places: dict[int, Point]
    routes: Sequence[tuple[Point, ...]]
    main: frozenset[int]
    width: float
    height: float
