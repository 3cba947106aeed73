"""Parameters that start at an expression over others of their block: the function that computes it, and what it reads.

A function's inputs are called as the parameters that it reads (`dlc.passes.computed`).
"""

from __future__ import annotations

from dlc.backends.common.folding import Folded, Folding
from dlc.backends.common.form import Weight


def is_computed(weight: Weight) -> bool:
    return weight.initial.name == "computed"


def start(folding: Folding, owner: Folded, weight: Weight) -> tuple[Folded, tuple[str, ...]]:
    """The function that gives a weight of `owner` its first value, and the parameters that it takes."""
    program, key = owner.members[0].program, str(weight.initial.arguments[0].value)
    module = folding.module(program, key)
    return folding.classes[folding.assigned[program, key]], tuple(port.name for port in module.inputs)
