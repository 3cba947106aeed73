"""A picture as PNG, painted with Pillow in the font that Pillow holds: no machine needs fonts for it."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Any

from dlc.graph.marks import Group, Mark, Point, Rect, Sheet, Stroke, Triangle, Words, rounded
from dlc.graph.metrics import text_width

#: Pixels per unit of the plan, and how much finer everything is painted before it is scaled down.
SCALE, FINER = 2, 3
_LARGEST = 120_000_000  # pixels painted
_CURVE = 6  # pieces of a round corner
#: What Pillow's font lacks, and fonts of the machine for letters that it lacks, too.
_INSTEAD = str.maketrans({"×": "x", "−": "-"})
_HELD = frozenset("·…")
_OTHER_FONTS = ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "LiberationSans-Regular.ttf")


def png(sheet: Sheet) -> bytes:
    from PIL import Image, ImageDraw

    scale, finer = SCALE, FINER
    while scale * finer > 1 and sheet.width * sheet.height * (scale * finer) ** 2 > _LARGEST:
        scale, finer = (scale, finer - 1) if finer > 1 else (scale - 1, 1)
    factor = scale * finer
    image = Image.new("RGB", (round(sheet.width * factor), round(sheet.height * factor)), "#ffffff")
    painter = _Painter(ImageDraw.Draw(image), factor)
    for mark in sheet.marks:
        painter.paint(mark)
    if finer > 1:
        image = image.reduce(finer)
    out = BytesIO()
    image.save(out, "PNG", compress_level=9, dpi=(96 * scale, 96 * scale))
    return out.getvalue()


class _Painter:
    def __init__(self, draw: Any, factor: int):
        self.draw, self.factor = draw, factor
        self.fonts: dict[tuple[float, bool], Any] = {}

    def paint(self, mark: Mark) -> None:
        match mark:
            case Group():
                for inner in mark.marks:
                    self.paint(inner)
            case Rect():
                self._rect(mark)
            case Stroke():
                self._line(_curved(mark.points), mark.color, mark.width, mark.dash)
            case Triangle():
                self.draw.polygon([self._at(point) for point in mark.points], fill=mark.color)
            case Words():
                self._words(mark)

    def _at(self, point: Point) -> Point:
        return point[0] * self.factor, point[1] * self.factor

    def _rect(self, mark: Rect) -> None:
        """A line of one unit lies with its middle on the border."""
        half = self.factor / 2
        x, y = self._at((mark.x, mark.y))
        right, bottom = self._at((mark.x + mark.width, mark.y + mark.height))
        box = (x - half, y - half, right + half, bottom + half)
        radius = min(mark.radius, mark.width / 2, mark.height / 2) * self.factor + half
        if not mark.dash:
            self.draw.rounded_rectangle(box, radius, fill=mark.paint.fill, outline=mark.paint.stroke, width=self.factor)
            return
        self.draw.rounded_rectangle(box, radius, fill=mark.paint.fill)
        self._line(_outline(mark), mark.paint.stroke, 1.0, mark.dash)

    def _line(self, points: list[Point], color: str, width: float, dash: tuple[float, ...]) -> None:
        pieces = _dashes(points, dash) if dash else [points]
        for piece in pieces:
            self.draw.line(
                [self._at(point) for point in piece], fill=color, width=round(width * self.factor), joint="curve"
            )

    def _words(self, mark: Words) -> None:
        """In the size that gives the text the width that the plan has for it, or smaller."""
        text, words = mark.text, mark.text.text.translate(_INSTEAD)
        wanted = text_width(text.text, text.size) * self.factor
        size = text.size * self.factor
        plain = all(letter.isascii() or letter in _HELD for letter in words)
        found = self._font(size, plain).getlength(words)
        if found > wanted:
            size *= wanted / found
        anchor = {"middle": "ms", "start": "ls", "end": "rs"}[text.anchor]
        self.draw.text(self._at((text.x, text.y)), words, fill=mark.color, font=self._font(size, plain), anchor=anchor)

    def _font(self, size: float, plain: bool) -> Any:
        key = (round(size, 1), plain)
        if key not in self.fonts:
            self.fonts[key] = _font(*key)
        return self.fonts[key]


def _font(size: float, plain: bool) -> Any:
    """Pillow's own, or for letters that it lacks one of the machine's, if it has one."""
    from PIL import ImageFont

    for name in () if plain else _OTHER_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _curved(points: tuple[Point, ...]) -> list[Point]:
    found = [points[0]]
    for start, corner, end in rounded(points):
        for step in range(_CURVE + 1):
            t = step / _CURVE
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
            found.append((a * start[0] + b * corner[0] + c * end[0], a * start[1] + b * corner[1] + c * end[1]))
    return [*found, points[-1]]


def _outline(mark: Rect) -> list[Point]:
    """A rectangle's border as a closed line that starts in the middle of its top."""
    x, y, right, bottom = mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    middle = (mark.x + mark.width / 2, y)
    corners = (middle, (right, y), (right, bottom), (x, bottom), (x, y), middle)
    found = [middle]
    for start, corner, end in rounded(corners, min(mark.radius, mark.height / 2, mark.width / 2)):
        for step in range(_CURVE + 1):
            t = step / _CURVE
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
            found.append((a * start[0] + b * corner[0] + c * end[0], a * start[1] + b * corner[1] + c * end[1]))
    return [*found, middle]


def _dashes(points: list[Point], dash: tuple[float, ...]) -> list[list[Point]]:
    """The pieces that are drawn of a line of (on, off)."""
    on, off = dash
    pieces: list[list[Point]] = []
    current: list[Point] = [points[0]]
    left, drawing = on, True
    for a, b in pairwise(points):
        length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
        gone = 0.0
        while length - gone > left:
            gone += left
            point = (a[0] + (b[0] - a[0]) * gone / length, a[1] + (b[1] - a[1]) * gone / length)
            if drawing:
                pieces.append([*current, point])
            current, drawing = [point], not drawing
            left = on if drawing else off
        left -= length - gone
        if drawing and length:
            current.append(b)
    return [*pieces, current] if drawing and len(current) > 1 else pieces
