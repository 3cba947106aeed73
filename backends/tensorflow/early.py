"""Weights that are read before their layer is called: a cell's, for the states that start from them.

Keras builds a layer at its first call, which is too late for these: they are made in the layer's constructor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dlc import ir


@dataclass(frozen=True, slots=True)
class Early:
    """`weights` by the block that owns them; `holders`: blocks that hold a layer with such weights."""

    weights: Mapping[ir.BlockId, frozenset[str]]
    holders: frozenset[ir.BlockId]


def early_reads(programs: Sequence[ir.Program]) -> Early:
    """The weights that some module reads, in the order of its equations, before it calls the layer."""
    weights: dict[ir.BlockId, frozenset[str]] = {}
    holders: set[ir.BlockId] = set()
    for program in programs:
        for module in program.modules:
            for instance, path in _reads(module):
                for owners, name in _owners(program, module, instance, path):
                    weights[owners[-1]] = weights.get(owners[-1], frozenset()) | {name}
                    holders |= {*owners[:-1]}
    return Early(weights, frozenset(holders))


def _reads(module: ir.Module) -> Iterator[tuple[int, str]]:
    called: set[int] = set()
    for equation in module.body:
        match equation.target:
            case ir.Call(instance=instance) | ir.Scan(instance=instance):
                called.add(instance)
            case ir.Read(instance=instance, parameter=path) if instance not in called:
                yield instance, path
            case _:
                continue


def _owners(
    program: ir.Program, module: ir.Module, instance: int, path: str
) -> Iterator[tuple[tuple[ir.BlockId, ...], str]]:
    """The blocks on the way to a parameter, its owner last, and its name there."""
    targets = [equation.target for equation in module.body]
    keys = dict.fromkeys(t.module for t in targets if isinstance(t, ir.Call | ir.Scan) and t.instance == instance)
    for callee in map(program.module, keys):
        if path in {parameter.name for parameter in callee.parameters}:
            yield (callee.block,), path
        for number, inner in enumerate(callee.instances):
            if path.startswith(f"{inner.path}."):
                below = _owners(program, callee, number, path.removeprefix(f"{inner.path}."))
                yield from (((callee.block, *owners), name) for owners, name in below)
