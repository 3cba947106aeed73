"""How torch spells each op of the catalogue, one family a file."""

from __future__ import annotations

from dlc.backends.common.rule import Rules
from dlc.backends.torch.rules import contraction, elementwise, indexing, reduction, resampling, segment, shape, sorting

RULES: Rules = {
    **elementwise.RULES,
    **reduction.RULES,
    **shape.RULES,
    **indexing.RULES,
    **sorting.RULES,
    **contraction.RULES,
    **resampling.RULES,
    **segment.RULES,
}

__all__ = ["RULES"]
