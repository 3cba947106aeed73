"""Tokens of the .dl language."""

from __future__ import annotations

from dlc.spec.source import Span


class Token:
    """One token: `kind` is a grammar symbol (NAME, NUMBER, `"->"`, `"input"`, ...), `text` what was written.

    `value` is a number's or string's value. Lines and columns count from 1; the end is exclusive.
    """

    __slots__ = ("column", "end_column", "end_line", "file", "kind", "line", "text", "value")

    def __init__(
        self,
        kind: str,
        text: str,
        file: str,
        line: int,
        column: int,
        end_line: int,
        end_column: int,
        value: object = None,
    ) -> None:
        self.kind = kind
        self.text = text
        self.file = file
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column
        self.value = value

    @property
    def span(self) -> Span:
        return Span(self.file, self.line, self.column, self.end_line, self.end_column)

    def __repr__(self) -> str:
        return f"Token({self.kind!r}, {self.text!r}, {self.line}:{self.column})"
