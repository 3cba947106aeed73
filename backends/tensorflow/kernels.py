"""Keeps convolution weights as Keras does, `[*K, I, O]` instead of the canonical `[O, I, *K]`.

A parameter is kept so if nothing but convolutions reads it, in any module of its block, and no other module reads it by
name. Its convolutions get the attribute `kernel`; its values are permuted when weights are loaded, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dlc import ir
from dlc.dims import Size
from dlc.spec.record import replace

CONVOLUTIONS = frozenset({"conv", "conv_transpose"})
Kernels = Mapping[ir.BlockId, frozenset[str]]


def order(rank: int) -> tuple[int, ...]:
    """Which canonical axis each axis of a kernel is."""
    return (*range(2, rank), 1, 0)


def keep_kernels(programs: Sequence[ir.Program]) -> tuple[list[ir.Program], Kernels]:
    """The programs with kernels permuted, and the names of the permuted parameters by block."""
    modules = [module for program in programs for module in program.modules]
    targets = [equation.target for module in modules for equation in module.body]
    named = {target.parameter.split(".")[-1] for target in targets if isinstance(target, ir.Read)}
    kernels = {block: names - named for block, names in _only_convolved(modules).items() if names - named}
    changed = [
        replace(
            program, modules=tuple(_permuted(module, kernels.get(module.block, frozenset())) for module in p_modules)
        )
        for program, p_modules in ((program, program.modules) for program in programs)
    ]
    return changed, kernels


def _only_convolved(modules: Iterable[ir.Module]) -> dict[ir.BlockId, frozenset[str]]:
    """Parameters that all uses, in all modules of the block, take as a convolution's weight."""
    found: dict[ir.BlockId, frozenset[str]] = {}
    spoiled: dict[ir.BlockId, frozenset[str]] = {}
    for module in modules:
        for parameter in module.parameters:
            uses = [(e.op, place) for e in module.body for place, v in enumerate(e.inputs) if v == parameter.value]
            ends = [*module.outputs, *module.next_states, *module.next_buffers]
            fine = all(op in CONVOLUTIONS and place == 1 for op, place in uses)
            fine = fine and bool(uses) and all(port.value != parameter.value for port in ends)
            table = found if fine else spoiled
            table[module.block] = table.get(module.block, frozenset()) | {parameter.name}
    return {block: names - spoiled.get(block, frozenset()) for block, names in found.items()}


def _permuted(module: ir.Module, names: frozenset[str]) -> ir.Module:
    kept = {parameter.value for parameter in module.parameters if parameter.name in names}
    if not kept:
        return module
    types = tuple(_kernel_type(type_) if value in kept else type_ for value, type_ in enumerate(module.types))
    body = tuple(
        replace(equation, attributes=(*equation.attributes, ("kernel", ir.Static(True))))
        if equation.op in CONVOLUTIONS and equation.inputs[1] in kept
        else equation
        for equation in module.body
    )
    parameters = tuple(
        replace(p, shape_source=_reordered(p.shape_source)) if p.value in kept and p.shape_source else p
        for p in module.parameters
    )
    return replace(module, types=types, body=body, parameters=parameters)


def _kernel_type(type_: ir.TensorType) -> ir.TensorType:
    shape: tuple[Size, ...] = tuple(type_.shape[axis] for axis in order(type_.rank))
    return ir.TensorType(type_.dtype, shape)


def _reordered(source: tuple[ir.Expr | None, ...]) -> tuple[ir.Expr | None, ...]:
    return tuple(source[axis] for axis in order(len(source)))
