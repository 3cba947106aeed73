"""Long lines of .dl text: broken inside brackets, where a line break means nothing, and before `->`."""

from __future__ import annotations

import re
from collections.abc import Sequence

WIDTH = 120
INDENT = "    "
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|[^"]', re.DOTALL)


def fill(prefix: str, words: Sequence[str], indent: str, end: str = "") -> list[str]:
    """`prefix` and the words in as few lines as fit; further lines start with `indent`."""
    lines = [prefix]
    for i, word in enumerate(words):
        last = end if i == len(words) - 1 else ""
        joined = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if len(joined + last) > WIDTH and lines[-1].strip():
            lines.append(indent + word)
        else:
            lines[-1] = joined
    return lines


def wrap(line: str, indent: str) -> list[str]:
    """A line that is too long, its longest bracket opened: what it holds stands on lines of its own below `indent`."""
    if len(line) <= WIDTH:
        return [line]
    pair = _longest_bracket(line)
    if pair is None:
        return [line]
    start, end = pair
    items = _items(line[start + 1 : end])
    deeper = indent + INDENT
    inner = fill(deeper, [f"{item}," for item in items[:-1]] + items[-1:], deeper)
    middle = [part for one in inner for part in wrap(one, deeper)] if len(items) > 1 else wrap(inner[0], deeper)
    return [line[: start + 1], *middle, *wrap(indent + line[end:], indent)]


def _longest_bracket(line: str) -> tuple[int, int] | None:
    """Where the outermost bracket with the most in it opens and closes; None where all are empty."""
    open_at: list[int] = []
    best: tuple[int, int] | None = None
    for position, piece in _pieces(line):
        if piece in "([":
            open_at.append(position)
        elif piece in ")]":
            start = open_at.pop()
            longest = best is None or position - start > best[1] - best[0]
            if not open_at and position - start > 1 and longest:
                best = (start, position)
    return best


def _items(text: str) -> list[str]:
    """What stands between the commas that are in no bracket."""
    items, depth, start = list[str](), 0, 0
    for position, piece in _pieces(text):
        depth += (piece in "([") - (piece in ")]")
        if piece == "," and depth == 0:
            items.append(text[start:position].strip())
            start = position + 1
    return [*items, text[start:].strip()]


def _pieces(text: str) -> list[tuple[int, str]]:
    """Characters with their places; a string is one piece."""
    return [(match.start(), match.group()) for match in _PIECE.finditer(text)]
