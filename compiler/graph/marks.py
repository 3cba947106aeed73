"""A plan as marks on paper: what `svg.py` prints and `png.py` paints. Places are those of the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dlc.graph.arrange import Placed, Plan
from dlc.graph.model import Drawing, Edge
from dlc.graph.page import page
from dlc.graph.sizes import Text, badge_of, badge_width
from dlc.graph.style import BADGE, BADGE_INK, FAINT, INK, LINE, MINOR, PAPER, PORT, SMALL, Paint, family, level

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    radius: float
    paint: Paint
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points, with round corners."""

    points: tuple[Point, ...]
    color: str
    width: float
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Triangle:
    points: tuple[Point, Point, Point]
    color: str


@dataclass(frozen=True, slots=True)
class Words:
    text: Text
    color: str


@dataclass(frozen=True, slots=True)
class Group:
    """Marks of one thing, and what it is in words. `kind`: "box", "open" or "edge"."""

    kind: str
    title: str
    marks: tuple[Mark, ...]


Mark = Rect | Stroke | Triangle | Words | Group


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole picture. `description` says in a sentence what it shows."""

    width: float
    height: float
    title: str
    description: str
    marks: tuple[Mark, ...]


def sheet(drawing: Drawing) -> Sheet:
    made = page(drawing)
    paper = Rect(0, 0, made.width, made.height, 6, Paint(PAPER, PAPER))
    words = [_words(text, 0, 0) for text in made.texts]
    marks = (paper, *words, *_plan(made.plan, made.x, made.y, 0))
    return Sheet(made.width, made.height, drawing.title, _description(drawing), marks)


def _description(drawing: Drawing) -> str:
    nodes = drawing.graph.nodes.values()
    inputs = ", ".join(f"{n.title}: {n.detail}" for n in nodes if n.kind == "input")
    outputs = ", ".join(f"{n.title}: {n.detail}" for n in nodes if n.kind == "output")
    return f"The network {drawing.title}, from {inputs or 'nothing'} to {outputs or 'nothing'}. {drawing.caption}."


def _plan(plan: Plan, dx: float, dy: float, depth: int) -> list[Mark]:
    """Open boxes first, then lines, then closed boxes, then words: nothing hides what matters more."""
    edges = sorted(zip(plan.graph.edges, plan.lines, strict=True), key=lambda item: not item[0].minor)
    placed = plan.placed.values()
    return [
        *(_open(item, dx, dy, depth) for item in placed if item.inner is not None),
        *(_edge(plan, edge, line, dx, dy) for edge, line in edges),
        *(_node(item, dx, dy) for item in placed if item.inner is None and item.node.kind not in ("in", "out")),
        *(_words(text, dx, dy) for text in plan.labels),
        *(mark for item in placed if item.badge for mark in _badge(item, dx, dy)),
    ]


def _open(placed: Placed, dx: float, dy: float, depth: int) -> Group:
    assert placed.inner is not None
    x, y = placed.x + dx, placed.y + dy
    dash = (5.0, 3.0) if placed.node.kind == "repeat" else ()
    border = Rect(x, y, placed.width, placed.height, 8, level(depth), dash)
    words = [_words(text, x, y) for text in placed.texts]
    return Group("open", _spoken(placed), (border, *words, *_plan(placed.inner, x, y, depth + 1)))


def _node(placed: Placed, dx: float, dy: float) -> Group:
    node, x, y = placed.node, placed.x + dx, placed.y + dy
    words = [_words(text, x, y) for text in placed.texts]
    if node.kind == "join":
        circle = Rect(x, y, placed.width, placed.height, placed.width / 2, PORT)
        return Group("box", _spoken(placed), (circle, *_sign(node.title, x + placed.width / 2, y + placed.width / 2)))
    if node.kind in ("input", "output", "parameter"):
        dash = (3.0, 2.0) if node.kind == "parameter" else ()
        box = Rect(x, y, placed.width, placed.height, min(placed.height / 2, 14), PORT, dash)
    else:
        box = Rect(x, y, placed.width, placed.height, 5, family(node.family, node.title))
    return Group("box", _spoken(placed), (box, *words))


def _sign(sign: str, x: float, y: float) -> list[Stroke]:
    """The sign is drawn, so that it stands in the middle whatever the font."""
    a, b = 4.5, 3.6
    pieces = {
        "+": [((-a, 0.0), (a, 0.0)), ((0.0, -a), (0.0, a))],
        "×": [((-b, -b), (b, b)), ((-b, b), (b, -b))],
        "−": [((-a, 0.0), (a, 0.0))],
    }[sign]
    return [Stroke(((x + p[0], y + p[1]), (x + q[0], y + q[1])), INK, 1.4) for p, q in pieces]


def _spoken(placed: Placed) -> str:
    node = placed.node
    applied = f"{node.title}({node.detail})" if node.detail and node.kind == "block" else node.title
    words = [f"{node.path}:" if node.path else "", applied, badge_of(node)]
    return " ".join(word for word in words if word) or "turns of a loop"


def _edge(plan: Plan, edge: Edge, line: Sequence[Point], dx: float, dy: float) -> Group:
    color = MINOR if edge.minor else LINE
    points = tuple((x + dx, y + dy) for x, y in line)
    marks: list[Mark] = [Stroke(points, color, 1.3, (4.0, 3.0) if edge.minor else ())]
    if plan.graph.nodes[edge.target.node].kind != "out":
        marks.append(_arrow(points, color))
    return Group("edge", edge.type, tuple(marks))


def _arrow(line: Sequence[Point], color: str) -> Triangle:
    (px, py), (x, y) = line[-2], line[-1]
    across = abs(x - px) > abs(y - py)
    dx, dy = (1 if x > px else -1, 0) if across else (0, 1 if y > py else -1)
    left = (x - 6 * dx - 3.2 * dy, y - 6 * dy + 3.2 * dx)
    right = (x - 6 * dx + 3.2 * dy, y - 6 * dy - 3.2 * dx)
    return Triangle(((x, y), left, right), color)


def _badge(placed: Placed, dx: float, dy: float) -> list[Mark]:
    assert placed.badge is not None
    x, y = placed.x + placed.badge[0] + dx, placed.y + placed.badge[1] + dy
    width = badge_width(placed.node)
    text = Text(badge_of(placed.node), x + width / 2, y + 3.6, SMALL)
    return [Rect(x, y - 8, width, 16, 8, BADGE), Words(text, BADGE_INK)]


def _words(text: Text, dx: float, dy: float) -> Words:
    return Words(replace(text, x=text.x + dx, y=text.y + dy), FAINT if text.faint else INK)


def rounded(points: Sequence[Point], radius: float = 6.0) -> list[tuple[Point, Point, Point]]:
    """The corners of a line, each as (where it begins, the corner, where it ends); none turns by more than half."""
    return [
        (_towards(corner, before, radius), corner, _towards(corner, after, radius))
        for before, corner, after in zip(points, points[1:], points[2:], strict=False)
    ]


def _towards(corner: Point, other: Point, radius: float) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(dx), abs(dy))
    part = min(radius / length, 0.5) if length else 0.0
    return corner[0] + dx * part, corner[1] + dy * part
