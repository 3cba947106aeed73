"""Which blocks have parameters that other code reads by name (`tokens.weight`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlc.ir import BlockId, Module, Program, Read


@dataclass(frozen=True, slots=True)
class Reading:
    """A parameter of a block, read by another module; `directly`: by the one that makes the layer."""

    block: BlockId
    parameter: str
    directly: bool


def readings(programs: Sequence[Program]) -> set[Reading]:
    found: set[Reading] = set()
    for program in programs:
        by_block: dict[BlockId, list[Module]] = {}
        for module in program.modules:
            by_block.setdefault(module.block, []).append(module)
        for module in program.modules:
            for equation in module.body:
                if isinstance(equation.target, Read):
                    instance = module.instances[equation.target.instance]
                    directly = instance.given is None and "." not in equation.target.parameter
                    owners = _owners(instance.block, equation.target.parameter, by_block)
                    found |= {Reading(block, word, directly) for block, word in owners}
    return found


def _owners(block: BlockId, parameter: str, by_block: dict[BlockId, list[Module]]) -> set[tuple[BlockId, str]]:
    """The blocks and the parameter that a dotted name means, seen from `block`."""
    if "." not in parameter:
        return {(block, parameter)}
    found: set[tuple[BlockId, str]] = set()
    for module in by_block.get(block, ()):
        for instance in module.instances:
            if parameter.startswith(f"{instance.path}."):
                found |= _owners(instance.block, parameter.removeprefix(f"{instance.path}."), by_block)
    return found
