"""Diagnostics as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dlc.diagnostics import Diagnostic, DlcError, Note
from dlc.spec.source import Source, Span

_STYLES = {"error": "1;31", "warning": "1;33", "bold": "1", "gutter": "34", "hint": "32"}
MAX_WIDTH = 160


def render_error(e: DlcError, sources: Mapping[str, Source], *, color: bool = False) -> str:
    """All diagnostics of an error, a blank line between two."""
    return render_all(e.diagnostics, sources, color=color)


def render_all(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return "\n".join(render(d, sources, color=color) for d in diagnostics)


def render(diagnostic: Diagnostic, sources: Mapping[str, Source], *, color: bool = False) -> str:
    """One diagnostic, each line ended; `sources` maps the file names in spans to their text.

    error[E0101]: unexpected `=`
      --> model.dl:3:8
       |
     3 |     if a = b:
       |          ^
      found: `=`
      expected: `:`
      hint: write `==` to compare
    """
    severity = diagnostic.severity
    head = _paint(f"{severity}[{diagnostic.code}]", severity, color)
    lines = [f"{head}{_paint(': ' + _one_line(diagnostic.message), 'bold', color)}"]
    width = _gutter(diagnostic)
    lines += _excerpt(diagnostic.span, sources, width, "^", severity, color)
    for label in ("found", "expected", "hint"):
        value = getattr(diagnostic, label)
        if value:
            shown = _paint(f"{label}:", "hint" if label == "hint" else "bold", color)
            lines.append(f"{' ' * width}{shown} {_one_line(value)}")
    for note in diagnostic.notes:
        lines.append(f"{' ' * width}{_paint('note:', 'bold', color)} {_one_line(note.message)}")
        lines += _excerpt(note.span, sources, width, "-", "gutter", color)
    return "\n".join(lines) + "\n"


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """The same as JSON data; absent parts are null, spans are {file, line, column, end_line, end_column}."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "span": _span_json(diagnostic.span),
        "found": diagnostic.found,
        "expected": diagnostic.expected,
        "hint": diagnostic.hint,
        "notes": [_note_json(note) for note in diagnostic.notes],
    }


def _note_json(note: Note) -> dict[str, Any]:
    return {"message": note.message, "span": _span_json(note.span)}


def _span_json(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _paint(text: str, style: str, color: bool) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color else text


def _one_line(text: str) -> str:
    """Text without line breaks or control characters, so that a file cannot write to the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _gutter(diagnostic: Diagnostic) -> int:
    """The width of the line numbers and the space beside them."""
    spans = [diagnostic.span, *(note.span for note in diagnostic.notes)]
    return max([len(str(span.line)) for span in spans if span is not None], default=1) + 1


def _excerpt(
    span: Span | None, sources: Mapping[str, Source], width: int, mark: str, style: str, color: bool
) -> list[str]:
    """The place, the source line and the underline; only the place if the source is not known."""
    if span is None or not span.file:
        return []
    arrow = _paint("-->", "gutter", color)
    place = [f"{' ' * width}{arrow} {span}"]
    source = sources.get(span.file)
    if source is None or not 0 < span.line <= len(source.lines):
        return place
    line = source.line(span.line)
    end = span.end_column if span.end_line == span.line else len(line.rstrip()) + 1
    text, start, end = _window(line, span.column - 1, max(end - 1, span.column))
    shown, gap, underline = _aligned(text, start, end)
    bar = _paint("|", "gutter", color)
    number = _paint(str(span.line).rjust(width - 1), "gutter", color)
    return [
        *place,
        f"{' ' * width}{bar}",
        f"{number} {bar} {shown}".rstrip(),
        f"{' ' * width}{bar} {' ' * gap}{_paint(mark * underline, style, color)}",
    ]


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a long line around the marked stretch [start, end)."""
    if len(line) <= MAX_WIDTH:
        return line, start, end
    first = max(0, start - MAX_WIDTH // 2)
    last = min(len(line), first + MAX_WIDTH)
    before, after = "..." if first else "", "..." if last < len(line) else ""
    return before + line[first:last] + after, start - first + len(before), min(end, last) - first + len(before)


def _aligned(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The line as shown (tabs and control characters as spaces), the columns before the mark and the mark's width."""
    shown = "".join(_shown(c) for c in line)
    gap = sum(_columns(c) for c in line[:start]) + max(0, start - len(line))
    underline = sum(_columns(c) for c in line[start:end]) + max(0, end - max(start, len(line)))
    return shown, gap, max(1, underline)


def _shown(character: str) -> str:
    return "    " if character == "\t" else character if character.isprintable() else " "


def _columns(character: str) -> int:
    """The columns a character takes in a terminal."""
    if character == "\t":
        return 4
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
