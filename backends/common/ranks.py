"""Which attributes count axes, and modulo what: `axis=-1` and `axis=2` are the same on rank 3."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.ir import Equation, Module

#: Ops whose axis counts in the result's rank.
_RESULT_RANK = frozenset({"expand_dims", "stack"})


def axis_rank(op: str, attribute: str, ranks: Sequence[int], equation: Equation, module: Module) -> int | None:
    """The rank modulo which an attribute's axes count, or None for what is no axis."""
    if attribute not in ("axis", "axes"):
        return None
    if op in _RESULT_RANK:
        return module.types[equation.outputs[0]].rank
    return ranks[0] if ranks else None
