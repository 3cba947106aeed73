"""How the NumPy meanings are called: without NumPy's warnings, and with arrays (never NumPy scalars) as results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.ops.api import Attributes
from dlc.ops.lazy_numpy import np

Evaluate = Callable[[Sequence[Any], Attributes], tuple[Any, ...]]


def of_operands(function: Callable[..., Any]) -> Evaluate:
    """The `evaluate` of an op without attributes: function(*operands) -> array."""

    def evaluate(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            return (np.asarray(function(*operands)),)

    return evaluate


def of_one(function: Callable[[Any, Attributes], Any]) -> Evaluate:
    """The `evaluate` of an op with one operand: function(x, attributes) -> array."""

    def evaluate(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            return (np.asarray(function(operands[0], attributes)),)

    return evaluate
