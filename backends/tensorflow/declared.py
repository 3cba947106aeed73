"""The sizes of inputs as the spec writes them."""

from __future__ import annotations

from dlc.spec.syntax import Block, Expr, Input, SizedDimension, StarDimension
from dlc.spec.syntax import State as StateStatement


def declared_sizes(declaration: Block | None, port: str, rank: int) -> list[Expr | None]:
    """The expression for each axis of an input or state; None where it has none."""
    if declaration is None:
        return [None] * rank
    for statement in declaration.body:
        if isinstance(statement, Input | StateStatement) and statement.name == port:
            sources = [_source(entry) for entry in statement.type.dimensions]
            return sources if len(sources) == rank else [None] * rank
    return [None] * rank


def _source(entry: Expr | StarDimension | SizedDimension) -> Expr | None:
    if isinstance(entry, StarDimension):
        return None
    return entry.size if isinstance(entry, SizedDimension) else entry
