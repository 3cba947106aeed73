"""Parameters as values of the body, so that it can be seen whether an equation reads the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlc.ir import Equation, Program
from dlc.passes.rewrite import Values
from dlc.passes.tap import Point


def with_parameters(program: Program, point: Point) -> tuple[Program, Sequence[Point]]:
    """The program in which what the equation at `point` reads of its module's parameters is computed first, by
    equations that change nothing; and where these stand.
    """
    key, index = point
    module = program.module(key)
    equation = module.body[index]
    own = {parameter.value for parameter in module.parameters}
    read = [value for value in dict.fromkeys(equation.inputs) if value is not None and value in own]
    values = Values(module.types)
    copies = tuple(
        Equation("stop_gradient", (value,), (values.new(module.types[value]),), origin=equation.origin)
        for value in read
    )
    body = (*module.body[:index], *copies, *module.body[index:])
    changed = replace(module, types=tuple(values.types), body=body)
    modules = tuple(changed if one.key == key else one for one in program.modules)
    return replace(program, modules=modules), [(key, index + place) for place in range(len(copies))]
