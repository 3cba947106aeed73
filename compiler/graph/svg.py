"""A picture as SVG: text stays text, every box and line has a title for those who point at it or hear it."""

from __future__ import annotations

from xml.sax.saxutils import escape

from dlc.graph.marks import Group, Mark, Rect, Sheet, Stroke, Triangle, Words, rounded
from dlc.graph.metrics import FAMILY, text_width


def svg(sheet: Sheet) -> str:
    """The same sheet gives the same text, to the byte."""
    size = f'width="{_n(sheet.width)}" height="{_n(sheet.height)}" viewBox="0 0 {_n(sheet.width)} {_n(sheet.height)}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{FAMILY}">',
        f"<title>{escape(sheet.title)}</title>",
        f"<desc>{escape(sheet.description)}</desc>",
    ]
    for mark in sheet.marks:
        _print(mark, lines)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _print(mark: Mark, lines: list[str]) -> None:
    match mark:
        case Group():
            lines.append(f'<g class="{mark.kind}"><title>{escape(mark.title)}</title>')
            for inner in mark.marks:
                _print(inner, lines)
            lines.append("</g>")
        case Rect():
            lines.append(_rect(mark))
        case Stroke():
            lines.append(
                f'<path d="{_path(mark)}" fill="none" stroke="{mark.color}" stroke-width="{_n(mark.width)}"'
                f'{_dash(mark.dash)} stroke-linecap="round"/>'
            )
        case Triangle():
            points = " ".join(f"{_n(x)},{_n(y)}" for x, y in mark.points)
            lines.append(f'<polygon points="{points}" fill="{mark.color}"/>')
        case Words():
            lines.append(_words(mark))


def _rect(mark: Rect) -> str:
    place = f'x="{_n(mark.x)}" y="{_n(mark.y)}" width="{_n(mark.width)}" height="{_n(mark.height)}"'
    paint = f'fill="{mark.paint.fill}" stroke="{mark.paint.stroke}"'
    return f'<rect {place} rx="{_n(mark.radius)}" {paint}{_dash(mark.dash)}/>'


def _path(mark: Stroke) -> str:
    """Straight pieces with rounded corners."""
    parts = [f"M{_n(mark.points[0][0])} {_n(mark.points[0][1])}"]
    for start, corner, end in rounded(mark.points):
        parts.append(f"L{_n(start[0])} {_n(start[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}")
    return "".join([*parts, f"L{_n(mark.points[-1][0])} {_n(mark.points[-1][1])}"])


def _words(mark: Words) -> str:
    text = mark.text
    width = text_width(text.text, text.size)
    return (
        f'<text x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}" text-anchor="{text.anchor}" '
        f'textLength="{_n(width)}" lengthAdjust="spacingAndGlyphs" fill="{mark.color}">{escape(text.text)}</text>'
    )


def _dash(dash: tuple[float, ...]) -> str:
    return f' stroke-dasharray="{" ".join(map(_n, dash))}"' if dash else ""


def _n(value: float) -> str:
    """A number with at most one digit behind the point."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
