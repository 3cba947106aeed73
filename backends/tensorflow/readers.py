"""Which blocks have parameters that other code reads by name (`tokens.weight`)."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.ir import BlockId, Module, Program, Read


def read_blocks(programs: Sequence[Program]) -> set[BlockId]:
    """Blocks that own a parameter which another module reads."""
    found: set[BlockId] = set()
    for program in programs:
        by_block: dict[BlockId, list[Module]] = {}
        for module in program.modules:
            by_block.setdefault(module.block, []).append(module)
        for module in program.modules:
            for equation in module.body:
                if isinstance(equation.target, Read):
                    block = module.instances[equation.target.instance].block
                    found |= _owners(block, equation.target.parameter, by_block)
    return found


def _owners(block: BlockId, parameter: str, by_block: dict[BlockId, list[Module]]) -> set[BlockId]:
    """The block whose parameter a dotted name is, seen from `block`."""
    if "." not in parameter:
        return {block}
    found: set[BlockId] = set()
    for module in by_block.get(block, ()):
        for instance in module.instances:
            if parameter.startswith(f"{instance.path}."):
                found |= _owners(instance.block, parameter.removeprefix(f"{instance.path}."), by_block)
    return found
