"""One table per family of ops, and all of them in one."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.onnx.rule import Rule
from dlc.backends.onnx.rules import (
    arithmetic,
    comparison,
    construction,
    contraction,
    einsum,
    elementwise,
    indexing,
    joining,
    matrix,
    normalising,
    pooling,
    reduction,
    resampling,
    segment,
    shape,
    sorting,
)

_FAMILIES = (
    elementwise,
    arithmetic,
    comparison,
    construction,
    reduction,
    normalising,
    shape,
    joining,
    indexing,
    sorting,
    resampling,
    contraction,
    einsum,
    matrix,
    pooling,
    segment,
)

RULES: Mapping[str, Rule] = {name: rule for family in _FAMILIES for name, rule in family.RULES.items()}
