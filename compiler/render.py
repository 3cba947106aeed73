"""Diagnostics as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dlc.diagnostics import Diagnostic, DlcError, Note
from dlc.spec.source import Source, Span

_STYLES = {"error": "1;31", "warning": "1;33", "bold": "1", "gutter": "34", "hint": "32"}
MAX_WIDTH = 160
LEAST_WIDTH = 40  # of a terminal


def render_error(e: DlcError, sources: Mapping[str, Source], *, color: bool = False, columns: int | None = None) -> str:
    """All diagnostics of an error, a blank line between two."""
    return render_all(e.diagnostics, sources, color=color, columns=columns)


def render_all(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, Source],
    *,
    color: bool = False,
    columns: int | None = None,
) -> str:
    return "\n".join(render(d, sources, color=color, columns=columns) for d in diagnostics)


def render(
    diagnostic: Diagnostic, sources: Mapping[str, Source], *, color: bool = False, columns: int | None = None
) -> str:
    """One diagnostic, each line ended; `sources` maps the file names in spans to their text.

    `columns` is the width of the terminal: longer lines are wrapped, long lines of source cut around the mark. Without
    it lines are as long as they are, so that other programs find each part on one.

    error[E0101]: unexpected `=`
      --> model.dl:3:8
       |
     3 |     if a = b:
       |          ^
      found: `=`
      expected: `:`
      hint: write `==` to compare
    """
    columns = None if columns is None else max(columns, LEAST_WIDTH)
    severity = diagnostic.severity
    head = f"{severity}[{diagnostic.code}]"
    first, *rest = _wrapped(f"{head}: {_one_line(diagnostic.message)}", columns, 4)
    lines = [_paint(head, severity, color) + _paint(first[len(head) :], "bold", color)]
    lines += [_paint(line, "bold", color) for line in rest]
    width = _gutter(diagnostic)
    lines += _excerpt(diagnostic.span, sources, width, "^", severity, color, columns)
    for label in ("found", "expected", "hint"):
        value = getattr(diagnostic, label)
        if value:
            lines += _part(label, value, width, color, columns)
    for note in diagnostic.notes:
        lines += _part("note", note.message, width, color, columns)
        lines += _excerpt(note.span, sources, width, "-", "gutter", color, columns)
    return "\n".join(lines) + "\n"


def _part(label: str, value: str, width: int, color: bool, columns: int | None) -> list[str]:
    """`hint: text`, indented to the sign of the excerpt; further lines stand below the text."""
    start = f"{' ' * width}{label}: "
    first, *rest = _wrapped(start + _one_line(value), columns, len(start))
    painted = _paint(f"{label}:", "hint" if label == "hint" else "bold", color)
    return [f"{' ' * width}{painted}{first[len(start) - 1 :]}", *rest]


def _wrapped(text: str, columns: int | None, indent: int) -> list[str]:
    """The text in lines of at most `columns`, all but the first indented. Words are never cut."""
    if columns is None or len(text) <= columns:
        return [text]
    import textwrap

    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.lstrip(),
        columns,
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


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
    span: Span | None,
    sources: Mapping[str, Source],
    width: int,
    mark: str,
    style: str,
    color: bool,
    columns: int | None,
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
    room = MAX_WIDTH if columns is None else max(columns - width - 8, LEAST_WIDTH // 2)
    text, start, end = _window(line, span.column - 1, max(end - 1, span.column), room)
    shown, gap, underline = _aligned(text, start, end)
    bar = _paint("|", "gutter", color)
    number = _paint(str(span.line).rjust(width - 1), "gutter", color)
    return [
        *place,
        f"{' ' * width}{bar}",
        f"{number} {bar} {shown}".rstrip(),
        f"{' ' * width}{bar} {' ' * gap}{_paint(mark * underline, style, color)}",
    ]


def _window(line: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """The part of a long line around the marked stretch [start, end), about `room` characters of it."""
    if len(line) <= room:
        return line, start, end
    first = max(0, min(start - room // 2, len(line) - room)) if end - start < room // 2 else max(0, start - 8)
    last = min(len(line), first + room)
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
