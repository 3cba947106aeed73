"""Goes on after a mistake in a declaration, so that one run tells several: its line is replaced by one that is right.

A line without lines below it becomes `_ = none`, one with lines below it `if true:`; an indentation that should not be
there is taken away. Nothing is made of the tree that this gives. The declaration's own head is not mended.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlc.diagnostics import DlcError
from dlc.spec.lalr import END
from dlc.spec.token import Token

MAX_MISTAKES = 8  # in one declaration
MAX_TOKENS = 20_000  # of a declaration that is read again

_EMPTY = ("INDENT", "DEDENT")  # tokens without width
_BORDERS = ("NEWLINE", *_EMPTY)


def place_of(problem: DlcError, tokens: Sequence[Token]) -> int | None:
    """The index of the token at which the first diagnostic starts."""
    span = problem.diagnostics[0].span
    if span is None:
        return None
    start, empty = (span.line, span.column), (span.line, span.column) == (span.end_line, span.end_column)
    places = (i for i, t in enumerate(tokens) if (t.line, t.column) == start and (t.kind in _EMPTY) == empty)
    return next(places, None)


def mended(tokens: Sequence[Token], at: int) -> list[Token] | None:
    """The tokens without the mistake at token `at`; None where it can't be passed over."""
    if len(tokens) > MAX_TOKENS or tokens[at].kind in ("DEDENT", END):
        return None
    if tokens[at].kind == "INDENT":
        return _without_indent(tokens, at)
    if at > 1 and (tokens[at - 2].kind, tokens[at - 1].kind) == (":", "NEWLINE"):  # nothing is indented below
        if not any(token.kind == "INDENT" for token in tokens[:at]):
            return None  # of the declaration itself
        kinds = ("INDENT", "NAME", "=", "none", "NEWLINE", "DEDENT")
        return [*tokens[:at], *(_like(tokens[at], kind) for kind in kinds), *tokens[at:]]
    start = at
    while start > 0 and tokens[start - 1].kind not in _BORDERS:
        start -= 1
    depth = sum((t.kind == "INDENT") - (t.kind == "DEDENT") for t in tokens[:start])
    end = next((i for i in range(at, len(tokens)) if tokens[i].kind == "NEWLINE"), None)
    if depth < 1 or end is None:
        return None
    has_lines_below = end + 1 < len(tokens) and tokens[end + 1].kind == "INDENT"
    kinds = ("if", "true", ":") if has_lines_below else ("NAME", "=", "none")
    return [*tokens[:start], *(_like(tokens[start], kind) for kind in kinds), *tokens[end:]]


def _like(token: Token, kind: str) -> Token:
    text = "_" if kind == "NAME" else kind
    return Token(kind, text, token.file, token.line, token.column, token.end_line, token.end_column)


def _without_indent(tokens: Sequence[Token], at: int) -> list[Token] | None:
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i].kind == "INDENT") - (tokens[i].kind == "DEDENT")
        if depth == 0:
            return [*tokens[:at], *tokens[at + 1 : i], *tokens[i + 1 :]]
    return None
