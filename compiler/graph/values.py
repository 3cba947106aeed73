"""Which values of a module a picture shows, and what stands for the others.

What follows from constants alone is not drawn; in a standard block, nor is what follows from its parameters. A view
(reshape, slice, cast, ...) is drawn as the value that it looks at. Everything else comes from an equation, an input, a
state, a draw or a parameter.
"""

from __future__ import annotations

from dlc.ir import Bind, Call, Equation, Module, Parameter, Read, Scan
from dlc.summary.costs import VIEWS

#: Ops that a picture leaves out: what they give is drawn as their first operand.
PLUMBING = VIEWS | {"cast"}


def constants(module: Module, absent: frozenset[int]) -> frozenset[int]:
    """Values that depend on nothing that is drawn. `absent`: inputs that the caller feeds with such a value."""
    found = {parameter.value for parameter in module.parameters if not is_shown(module, parameter)} | absent
    for equation in module.body:
        if equation.target is None and all(value in found for value in equation.inputs):
            found.update(equation.outputs)
    return frozenset(found)


def is_shown(module: Module, parameter: Parameter) -> bool:
    """Whether a parameter is drawn: those of the user's own blocks are."""
    return parameter.kind == "param" and not module.block.standard


def views(module: Module, fixed: frozenset[int]) -> dict[int, int]:
    """Of each value that is a view, the value that is drawn in its place."""
    found: dict[int, int] = {}
    for equation in module.body:
        if equation.target is not None or equation.op not in PLUMBING:
            continue
        drawn = [value for value in equation.inputs if value is not None and value not in fixed]
        if drawn:
            found.update(dict.fromkeys(equation.outputs, found.get(drawn[0], drawn[0])))
    return found


def names(module: Module) -> dict[int, str]:
    """What the spec calls a value; the first name counts."""
    found: dict[int, str] = {}
    for equation in module.body:
        target = equation.target
        if isinstance(target, Bind) and isinstance(target.content, int):
            found.setdefault(target.content, target.name)
    return found


def is_drawn(equation: Equation, fixed: frozenset[int]) -> bool:
    """Whether the equation has a node, or a part in one."""
    if isinstance(equation.target, Call | Scan | Read):
        return True
    if isinstance(equation.target, Bind) or equation.op in PLUMBING:
        return False
    return not all(value in fixed for value in equation.outputs)
