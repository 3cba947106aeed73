"""The gradient of each op, as other ops: `GRADIENTS`. A family is a file, as in `dlc.ops`.

Nothing here is imported before a gradient is asked for (`Op.gradient`).
"""

from __future__ import annotations

from dlc.ops.api import Op
from dlc.ops.gradients import (
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
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, is_float

GRADIENTS: Gradients = {
    **elementwise.GRADIENTS,
    **arithmetic.GRADIENTS,
    **comparison.GRADIENTS,
    **reduction.GRADIENTS,
    **normalising.GRADIENTS,
    **shape.GRADIENTS,
    **joining.GRADIENTS,
    **indexing.GRADIENTS,
    **scatter.GRADIENTS,
    **sorting.GRADIENTS,
    **construction.GRADIENTS,
    **contraction.GRADIENTS,
    **matrix.GRADIENTS,
    **convolution.GRADIENTS,
    **pooling.GRADIENTS,
    **resampling.GRADIENTS,
    **segment.GRADIENTS,
}


def cotangents(b: Builder, op: Op, use: Applied) -> Cotangents:
    """What flows back to each operand; None where that is nothing."""
    arrives = any(found is not None for found in use.cotangents)
    if op.gradient is None or not arrives or not any(map(is_float, use.results)):
        return (None,) * len(use.operands)
    return op.gradient(b, use)


__all__ = ["GRADIENTS", "cotangents"]
