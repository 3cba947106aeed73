"""The values that a rule of the grammar is reduced from: tokens and nodes in the rule's order."""

from __future__ import annotations

from typing import Any

from dlc.spec.source import Span
from dlc.spec.token import Token

Values = list[Any]


class Group(tuple[Any, ...]):
    """Nodes that belong together until the rule around them takes them apart."""

    __slots__ = ()


def cover(values: Values) -> Span:
    """From the start of the first value to the end of the last that is written (line ends and indents are not)."""
    last = next(v for v in reversed(values) if not (isinstance(v, Token) and v.kind in ("NEWLINE", "DEDENT", "INDENT")))
    return values[0].span.to(last.span)


def names_at(values: Values, start: int) -> tuple[tuple[str, ...], int]:
    """The `a, b` at `start` and the place after it."""
    names = [values[start].text]
    while values[start + 1].kind == ",":
        start += 2
        names.append(values[start].text)
    return tuple(names), start + 1


def nodes_of(values: Values) -> tuple[Any, ...]:
    """The values that are no tokens."""
    return tuple(v for v in values if not isinstance(v, Token))
