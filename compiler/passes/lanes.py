"""Outputs of a scan that nobody reads are not stacked.

A cell gives all its outputs at each step; `encoder.h` reads the final state alone. What the text of a block never reads
is taken out of the scan's lanes. That is decided per place in the text, over all modules made from it (with and
without a mask, in training and at inference, in all networks of a file), so that these still merge into one class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlc.ir import Bind, BlockId, Equation, Module, Program, Scan
from dlc.passes.rewrite import ids, without_values
from dlc.spec.record import replace

_Place = tuple[BlockId, int, str]  # block, statement, the instance's name in the text


def drop_unread(programs: Sequence[Program]) -> tuple[Program, ...]:
    """The programs with no lane that is read nowhere."""
    read: dict[_Place, set[str]] = {}
    for module in (module for program in programs for module in program.modules):
        used = _used(module)
        for equation, target in _scans(module):
            found = read.setdefault(_place(module, equation, target), set())
            pairs = zip(target.stacked, equation.outputs, strict=False)
            found.update(lane.name for lane, value in pairs if value in used)
    return tuple(
        replace(program, modules=tuple(_without(module, read) for module in program.modules)) for program in programs
    )


def _scans(module: Module) -> Iterator[tuple[Equation, Scan]]:
    for equation in module.body:
        if isinstance(equation.target, Scan):
            yield equation, equation.target


def _place(module: Module, equation: Equation, target: Scan) -> _Place:
    return module.block, equation.origin.statement, module.instances[target.instance].site


def _used(module: Module) -> set[int]:
    """Values that have a reader; a `bind` is none."""
    ports = (*module.outputs, *module.next_states, *module.next_buffers)
    read = {value for equation in module.body for value in equation.inputs if value is not None}
    return read | {port.value for port in ports}


def _without(module: Module, read: dict[_Place, set[str]]) -> Module:
    body: list[Equation] = []
    gone: set[int] = set()
    for equation in module.body:
        target = equation.target
        if isinstance(target, Scan):
            wanted = read[_place(module, equation, target)]
            count = len(target.stacked)
            kept = tuple(index for index, lane in enumerate(target.stacked) if lane.name in wanted)
            gone.update(value for index, value in enumerate(equation.outputs[:count]) if index not in kept)
            outputs = (*(equation.outputs[index] for index in kept), *equation.outputs[count:])
            target = replace(target, stacked=tuple(target.stacked[index] for index in kept))
            equation = replace(equation, outputs=outputs, target=target)
        if not (isinstance(equation.target, Bind) and gone.intersection(ids(equation.target.content))):
            body.append(equation)
    return without_values(replace(module, body=tuple(body)), gone) if gone else module
