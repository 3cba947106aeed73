"""The sizes of inputs as the spec writes them."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.spec.syntax import Block, Expr, Input, Name, SizedDimension, StarDimension
from dlc.spec.syntax import State as StateStatement

#: Of one, two, three positions behind batch and channels.
_POSITIONS = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


def axis_words(declaration: Block | None, port: str, rank: int) -> list[str]:
    """What variables for the sizes of an input's axes might be called, as the spec writes them."""
    entries = _entries(declaration, port)
    stars = [place for place, entry in enumerate(entries) if isinstance(entry, StarDimension)]
    words: list[str] = []
    for place, entry in enumerate(entries):
        if isinstance(entry, StarDimension):
            count = rank - len(entries) + 1
            words += _POSITIONS.get(count, ()) if place == 2 else [entry.name.lower()] * count
            continue
        source = _source(entry)
        words.append(source.id.lower() if isinstance(source, Name) else "size")
    return words if len(words) == rank and len(stars) < 2 else ["size"] * rank


def declared_sizes(declaration: Block | None, port: str, rank: int) -> list[Expr | None]:
    """The expression for each axis of an input or state; None where it has none."""
    sources = [_source(entry) for entry in _entries(declaration, port)]
    return sources if len(sources) == rank else [None] * rank


def _entries(declaration: Block | None, port: str) -> Sequence[Expr | StarDimension | SizedDimension]:
    for statement in () if declaration is None else declaration.body:
        if isinstance(statement, Input | StateStatement) and statement.name == port:
            return statement.type.dimensions
    return ()


def _source(entry: Expr | StarDimension | SizedDimension) -> Expr | None:
    if isinstance(entry, StarDimension):
        return None
    return entry.size if isinstance(entry, SizedDimension) else entry
