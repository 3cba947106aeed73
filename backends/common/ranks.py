"""Which attributes count axes, and modulo what: `axis=-1` and `axis=2` are the same on rank 3."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.ir import Equation, Module

#: Ops whose axis counts in the result's rank.
_RESULT_RANK = frozenset({"expand_dims", "stack"})


#: A rank, or for each axis of a slice its size, if that is a number: bounds may count from the end.
Rank = int | tuple[int | None, ...] | None


def axis_rank(op: str, attribute: str, ranks: Sequence[int], equation: Equation, module: Module) -> Rank:
    """What an attribute's axes, or a slice's bounds, count modulo; None for what is neither."""
    if op == "slice" and attribute == "items" and equation.inputs[0] is not None:
        shape = module.types[equation.inputs[0]].shape
        return tuple(size if isinstance(size, int) else None for size in shape)
    if attribute not in ("axis", "axes"):
        return None
    if op in _RESULT_RANK:
        return module.types[equation.outputs[0]].rank
    return ranks[0] if ranks else None
