"""Which equation makes a result of the network: an output, a next state, a buffer after the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlc.ir import Bind, Call, Module, Program, Scan
from dlc.parameters import join, layer_references
from dlc.passes.tap import Point


def maker(program: Program, result: str) -> tuple[Point, ...]:
    """The equations from the entry to the one that makes `result`, its own last; () where it is an input, say.

    `result` is called as the interpreter calls it: `logits`, `next h`, `buffer norm.running_mean`.
    """
    entry = program.module(program.entry)
    if not result.startswith("buffer "):
        ports = {port.name: port.value for port in entry.outputs}
        ports |= {f"next {port.name}": port.value for port in entry.next_states}
        return _with_equation((), entry, ports.get(result))
    wanted = result.removeprefix("buffer ")
    for chain, path, module in _runs(program):
        for port in module.next_buffers:
            if join(path, port.name) == wanted:
                return _with_equation(chain, module, port.value)
    return ()


def _with_equation(chain: tuple[Point, ...], module: Module, value: int | None) -> tuple[Point, ...]:
    for index, equation in enumerate(module.body):
        if value in equation.outputs and not isinstance(equation.target, Bind):
            return (*chain, (module.key, index))
    return chain


def _runs(program: Program) -> Iterator[tuple[tuple[Point, ...], str, Module]]:
    """Each module that runs on an instance: the calls that lead there, the instance's path."""
    table = program.table
    queue: list[tuple[str, str, Mapping[str, str], tuple[Point, ...]]] = [(program.entry, "", {}, ())]
    while queue:
        key, path, given, chain = queue.pop(0)
        module = table[key]
        yield chain, path, module
        paths = [join(path, one.path) if one.given is None else given[one.given] for one in module.instances]
        for index, equation in enumerate(module.body):
            target = equation.target
            if isinstance(target, Call | Scan):
                references = layer_references(module.instances[target.instance])
                below = {name: paths[number] for name, number in references.items()}
                queue.append((target.module, paths[target.instance], below, (*chain, (key, index))))
