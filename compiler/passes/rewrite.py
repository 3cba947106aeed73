"""What passes that change modules share: new values, and the identity of blocks whose code is no longer the spec's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dlc.ir import BlockId, Instance, Module, Program, TensorType


class Values:
    """Hands out value ids of a module, beyond those it has."""

    def __init__(self, types: Sequence[TensorType]):
        self.types = list(types)

    def new(self, type_: TensorType) -> int:
        self.types.append(type_)
        return len(self.types) - 1


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """An identifier like `wanted` that is not `taken`: `dropout.u` gives `dropout_u`, then `dropout_u_2`."""
    used = set(taken)
    base = "".join(letter if letter.isalnum() else "_" for letter in wanted)
    name, number = base, 1
    while name in used:
        number += 1
        name = f"{base}_{number}"
    return name


def changed_identity(block: BlockId) -> BlockId:
    """The name of a block whose code a pass has changed."""
    return BlockId(f"changed/{block.file}", block.name)


def without_identity(program: Program, blocks: Iterable[BlockId]) -> Program:
    """The program in which `blocks` are no longer the spec's or the library's own.

    A block whose modules were given other inputs or outputs is not the block that a backend has a native form of.
    """
    changed = set(blocks)

    def rename(block: BlockId) -> BlockId:
        return changed_identity(block) if block in changed else block

    def of_instance(instance: Instance) -> Instance:
        return replace(instance, block=rename(instance.block)) if instance.block in changed else instance

    def of_module(module: Module) -> Module:
        return replace(module, block=rename(module.block), instances=tuple(map(of_instance, module.instances)))

    return replace(program, modules=tuple(map(of_module, program.modules)))
