"""The comments of a .dl file and where they stand: the syntax tree has none."""

from __future__ import annotations

from dlc.spec.lexer import TOKEN
from dlc.spec.record import record


@record
class Comment:
    """`# text`; `own` if nothing stands before it on its line. Lines and columns count from 1."""

    line: int
    column: int
    text: str
    own: bool


def comments_of(text: str) -> list[Comment]:
    """The comments of a text that can be read, in order."""
    found: list[Comment] = []
    line, line_start, own, position = 1, 0, True, 0
    while position < len(text) and (match := TOKEN.match(text, position)):
        kind, piece, start, position = match.lastgroup, match.group(), position, match.end()
        if kind == "comment":
            found.append(Comment(line, start - line_start + 1, piece.rstrip(), own))
        elif kind == "newline":
            line, line_start, own = line + 1, position, True
        elif kind != "space":
            own = False
            if "\n" in piece:
                line, line_start = line + piece.count("\n"), start + piece.rindex("\n") + 1
    return found
