"""All primitive ops, by name: `OPS`. A family is a file with a tuple `OPS`; this is the list of the families."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dlc.ops import (
    arithmetic,
    comparison,
    construction,
    contraction,
    convolution,
    elementwise,
    indexing,
    joining,
    matrix,
    normalising,
    pooling,
    reduction,
    resampling,
    scatter,
    segment,
    shape,
    sorting,
)
from dlc.ops.api import Op
from dlc.ops.attributes import normalise_attributes
from dlc.ops.promotion import promote

#: Family name -> its ops, in the order of the documentation.
FAMILIES: Mapping[str, tuple[Op, ...]] = MappingProxyType(
    {
        "elementwise": elementwise.OPS,
        "arithmetic": arithmetic.OPS,
        "comparison": comparison.OPS,
        "reduction": reduction.OPS,
        "normalising": normalising.OPS,
        "shape": shape.OPS,
        "joining": joining.OPS,
        "indexing": indexing.OPS,
        "scatter": scatter.OPS,
        "sorting": sorting.OPS,
        "construction": construction.OPS,
        "contraction": contraction.OPS,
        "matrix": matrix.OPS,
        "convolution": convolution.OPS,
        "pooling": pooling.OPS,
        "resampling": resampling.OPS,
        "segment": segment.OPS,
    }
)

OPS: Mapping[str, Op] = MappingProxyType({op.name: op for family in FAMILIES.values() for op in family})

__all__ = ["FAMILIES", "OPS", "normalise_attributes", "promote"]
