"""The interpreter with a tanh that is a little wrong."""

from __future__ import annotations

from dataclasses import replace

from dlc.backends.reference import plan
from dlc.backends.reference.runner import Runner
from dlc.ops import OPS

TANH = OPS["tanh"]


def wrong(operands, attributes):
    (right,) = TANH.evaluate(operands, attributes)
    return (right * right.dtype.type(1.00002),)


plan.OPS = {**OPS, "tanh": replace(TANH, evaluate=wrong)}

__all__ = ["Runner"]
