"""Hints for an input of another shape than its block declares."""

from __future__ import annotations

from dlc.ir import TensorType
from dlc.passes.things import BlockDeclaration
from dlc.spec import syntax


def shape_hint(declaration: BlockDeclaration, name: str, rank: int, found: TensorType) -> str | None:
    """What would make the input `name`, declared with `rank` axes, fit; None where it is not sure."""
    declared = next((i.type for i in declaration.inputs if i.name == name), None)
    if declared is None or any(isinstance(d, syntax.StarDimension) for d in declared.dimensions):
        return _squeezed(name, found) if declared is not None else None
    block = declaration.id.name
    if found.rank == rank + 1 and declaration.states:
        return f"a cell does one step; over time it goes by `scan({block}(...))`"
    if found.rank == rank - 1 and rank > 1:
        return f"`expand_dims({name}, 1)` adds an axis of size 1 after the first"
    fixed = [d.value for d in declared.dimensions if isinstance(d, syntax.Constant)]
    if found.rank == rank == 2 and fixed and found.shape[1] == fixed[0] and found.shape[0] != fixed[0]:
        return f"the axes are the other way round: `transpose({name})`"
    return None


def _squeezed(name: str, found: TensorType) -> str | None:
    if found.rank > 1 and found.shape[-1] == 1:
        return f"`squeeze({name}, axis=-1)` takes the last axis, of size 1, away"
    return None
