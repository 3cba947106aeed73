"""What binds the dimensions of a layer that is made: what it is called with, here or in a block that it is given to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from dlc.backends.common.size_arithmetic import divided_by
from dlc.backends.common.sizes import in_caller, pairs, replaced
from dlc.ir import Call, Equation, Module, Scan
from dlc.spec.syntax import Binary, Expr, Name

if TYPE_CHECKING:
    from dlc.backends.common.context import Context
    from dlc.backends.common.folding import Folding
    from dlc.backends.common.structure import Creation

#: A size that the layer declares, and the value and axis that have it.
Bound = tuple[Expr, int, int]


def dimension_source(folding: Folding, context: Context, creation: Creation, name: str) -> Expr | None:
    """An expression in the caller's names for the size of the callee's dimension `name`, or None."""
    for entry, value, axis in _bindings(folding, context.program, context.module, creation.number):
        if entry == Name(name):
            return _read(folding, context, creation, value, axis)
        if isinstance(entry, Binary) and entry.op == "*" and Name(name) in (entry.left, entry.right):
            factor = entry.left if entry.right == Name(name) else entry.right
            known = in_caller({}, creation.instance.hyperparameters, {})
            whole = _read(folding, context, creation, value, axis)
            other = replaced(factor, known, folding.sizes.done)
            return None if whole is None or other is None else divided_by(whole, other)
    return None


def dimension_operand(folding: Folding, context: Context, creation: Creation, name: str) -> tuple[int, int] | None:
    """The caller's value and axis that bind the callee's dimension."""
    found = _bindings(folding, context.program, context.module, creation.number)
    return next(((value, axis) for entry, value, axis in found if entry == Name(name)), None)


def _bindings(folding: Folding, program: int, module: Module, number: int) -> Iterator[Bound]:
    """The declared sizes of what an instance runs, with the module's values and axes that they are sizes of."""
    for equation in folding.sizes.calls_of(program, module, number):
        yield from _of_call(folding, program, equation)
    for equation, inner in folding.sizes.handed(program, module, number):
        yield from _of_given(folding, program, equation, inner)


def _of_call(folding: Folding, program: int, equation: Equation) -> Iterator[Bound]:
    target = cast("Call | Scan", equation.target)
    callee = folding.module(program, target.module)
    declared = folding.sizes.declared(callee)
    lanes = {lane.name: lane.axis for lane in target.scanned} if isinstance(target, Scan) else {}
    for port, value in pairs(callee, equation):
        for axis, entry in enumerate(declared.get(port, ())):
            if value is not None and entry is not None:
                yield entry, value, axis + (axis >= lanes[port]) if port in lanes else axis


def _of_given(folding: Folding, program: int, equation: Equation, number: int) -> Iterator[Bound]:
    """Of a layer that the called block is given, and calls with what has a size of its own inputs."""
    callee = folding.module(program, cast("Call | Scan", equation.target).module)
    dims = {name for name, _ in callee.dims}
    places = {
        entry.id: (value, axis)
        for entry, value, axis in _of_call(folding, program, equation)
        if isinstance(entry, Name) and entry.id in dims
    }
    found = folding.sizes.of(program, callee)
    for entry, value, axis in _bindings(folding, program, callee, number):
        size = found[value][axis]
        if isinstance(size, Name) and size.id in places:
            yield entry, *places[size.id]


def _read(folding: Folding, context: Context, creation: Creation, value: int, axis: int) -> Expr | None:
    sizes = folding.sizes
    leaving = sizes.leaving(context.program, context.module)
    return leaving.axes(value, creation.instance.origin.frames, sizes.of(context.program, context.module))[axis]


__all__ = ["dimension_operand", "dimension_source"]
