"""Losses.

Not here, since torch means something else: `F.cross_entropy` is NaN where every target is ignored, and `F.kl_div` has
other gradients where a target is 0.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call
from dlc.backends.torch.natives.parts import function, option, value_of
from dlc.ir import Module


def same_shapes(module: Module) -> bool:
    """torch broadcasts no target here."""
    shapes = [module.types[port.value].shape for port in module.inputs]
    return shapes[0] == shapes[1]


def is_positive(module: Module) -> bool:
    """torch refuses a delta of 0."""
    delta = value_of(module, "delta")
    return isinstance(delta, int | float) and delta > 0


def _huber(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    return call("F.huber_loss", operands["x"], operands["target"], delta=option(a, "delta", 1.0))


LOSSES = (
    function("l2_loss", "F.mse_loss($x, $target)"),
    function("l1_loss", "F.l1_loss($x, $target)"),
    function("binary_cross_entropy", "F.binary_cross_entropy_with_logits($logits, $target)", same_shapes),
    Native("huber_loss", is_positive, (), ("delta",), None, _huber),
)
