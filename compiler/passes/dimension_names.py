"""The dimension names that a block's declarations write, and which of them only states have."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.passes.dimensions import is_dimension_name
from dlc.passes.things import BlockDeclaration
from dlc.passes.walking import parts
from dlc.spec import syntax


def names_of(dimension: syntax.Expr | syntax.StarDimension | syntax.SizedDimension) -> list[str]:
    """The dimension names that a declared dimension is made of; a star's is none of them."""
    match dimension:
        case syntax.StarDimension():
            return []
        case syntax.SizedDimension(name=name):
            return [name]
        case _:
            return [p.id for p in parts(dimension) if isinstance(p, syntax.Name) and is_dimension_name(p.id)]


def declared_names(declaration: BlockDeclaration) -> list[str]:
    """All dimension names of a block's inputs and states."""
    declared = (*declaration.inputs, *declaration.states)
    return [name for node in declared for d in node.type.dimensions for name in names_of(d)]


def growing_names(declaration: BlockDeclaration, absent: Sequence[str]) -> tuple[str, ...]:
    """The dimension names that no input binds, only states have, and no number fixes: they may grow."""
    present = [node for node in declaration.inputs if node.name not in absent]
    bound = {name for node in present for d in node.type.dimensions for name in names_of(d)}
    found: dict[str, None] = {}
    for node in declaration.states:
        for dimension in node.type.dimensions:
            if isinstance(dimension, syntax.SizedDimension):
                bound.add(dimension.name)
            found.update(dict.fromkeys(names_of(dimension)))
    return tuple(name for name in found if name not in bound)
