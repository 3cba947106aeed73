"""What passes that change modules share: new values, and the identity of blocks whose code is no longer the spec's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from dlc.ir import Bind, BlockId, Call, Content, Equation, Instance, Module, Program, Scan, TensorType
from dlc.spec.record import replace


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


def without_values(module: Module, gone: Collection[int]) -> Module:
    """The module without the values in `gone`, which nothing defines any more."""
    kept = [value for value in range(len(module.types)) if value not in gone]
    number = {old: new for new, old in enumerate(kept)}

    def content(old: Content) -> Content:
        return tuple(map(content, old)) if isinstance(old, tuple) else None if old is None else number[old]

    def equation(old: Equation) -> Equation:
        target = old.target
        if isinstance(target, Bind):
            return replace(old, target=replace(target, content=content(target.content)))
        inputs = tuple(None if value is None else number[value] for value in old.inputs)
        return replace(old, inputs=inputs, outputs=tuple(number[value] for value in old.outputs))

    def heads(old: Iterable[object]) -> tuple[object, ...]:
        return tuple(replace(head, value=number[head.value]) for head in old)  # type: ignore[attr-defined]

    changed = {
        name: heads(getattr(module, name))
        for name in ("inputs", "parameters", "states", "draws", "outputs", "next_states", "next_buffers")
    }
    types = tuple(module.types[value] for value in kept)
    return replace(module, types=types, body=tuple(map(equation, module.body)), **changed)


def ids(content: Content) -> Iterator[int]:
    """The values that a name stands for."""
    if isinstance(content, tuple):
        for item in content:
            yield from ids(item)
    elif content is not None:
        yield content


def reached(modules: Mapping[str, Module], entry: str) -> tuple[Module, ...]:
    """The modules that the entry calls, in their order."""
    seen, due = {entry}, [entry]
    while due:
        module = modules[due.pop()]
        keys = [equation.target.module for equation in module.body if isinstance(equation.target, Call | Scan)]
        keys += [str(p.initial.arguments[0].value) for p in module.parameters if p.initial.name == "computed"]
        due += set(keys) - seen
        seen.update(keys)
    return tuple(module for key, module in modules.items() if key in seen)
