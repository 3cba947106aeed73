"""A whole network as one tape: calls inlined, scans unrolled, at sizes that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlc.backends.reference.plan import Node
from dlc.dims import evaluate
from dlc.ir import Call, Equation, Module, Program, Read, Scan, Static, TensorType
from dlc.ops.gradients.api import Value
from dlc.parameters import join
from gradient_programs import Tape, concrete


@dataclass
class Inlined:
    """The tape of a program, and what stands for its inputs, parameters, buffers and draws, by path."""

    program: Program
    tape: Tape = field(default_factory=Tape)
    inputs: dict[str, Value] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    draws: dict[str, Value] = field(default_factory=dict)
    outputs: list[Value] = field(default_factory=list)


def inlined(program: Program, sizes: Mapping[str, int]) -> Inlined:
    """`sizes`: what each symbol of the entry is."""
    found = Inlined(program)
    entry = program.module(program.entry)
    for port in (*entry.inputs, *entry.states):
        found.inputs[port.name] = found.tape.input(_type(entry.types[port.value], sizes))
    results = _Walk(found).module(entry, Node(""), list(found.inputs.values()), sizes)
    found.outputs = list(results[: len(entry.outputs)])
    return found


def _type(type_: TensorType, sizes: Mapping[str, int]) -> TensorType:
    return TensorType(type_.dtype, concrete(type_.shape, sizes))


@dataclass
class _Walk:
    found: Inlined

    def module(
        self, module: Module, node: Node, arguments: Sequence[Value | None], sizes: Mapping[str, int]
    ) -> list[Value]:
        """The module's outputs, then its next states."""
        values: dict[int, Value | None] = {}
        ports = [port.value for port in (*module.inputs, *module.states)]
        values.update(zip(ports, arguments, strict=True))
        for parameter in module.parameters:
            type_ = module.types[parameter.value]
            values[parameter.value] = self.leaf(self.found.parameters, join(node.path, parameter.name), type_, sizes)
        for draw in module.draws:
            path = join(node.path, draw.name)
            values[draw.value] = self.leaf(self.found.draws, path, module.types[draw.value], sizes)
        for equation in module.body:
            given = [None if number is None else values[number] for number in equation.inputs]
            values.update(zip(equation.outputs, self.results(module, node, equation, given, sizes), strict=True))
        ends = [values[port.value] for port in (*module.outputs, *module.next_states)]
        return [value for value in ends if value is not None]

    def leaf(self, table: dict[str, Value], path: str, type_: TensorType, sizes: Mapping[str, int]) -> Value:
        if path not in table:
            table[path] = self.found.tape.input(_type(type_, sizes))
        return table[path]

    def results(
        self, module: Module, node: Node, equation: Equation, given: list[Value | None], sizes: Mapping[str, int]
    ) -> Sequence[Value]:
        match equation.target:
            case Call() as target:
                inner = {name: evaluate(size, sizes) for name, size in target.dims}
                callee = self.found.program.module(target.module)
                return self.module(callee, node.child(module, target.instance), given, inner)
            case Scan() as target:
                return self.scan(
                    target, node.child(module, target.instance), [v for v in given if v is not None], sizes
                )
            case Read(instance=instance, parameter=parameter):
                path, type_ = join(node.child(module, instance).path, parameter), module.types[equation.outputs[0]]
                return [self.leaf(self.found.parameters, path, type_, sizes)]
            case None:
                attributes = {name: concrete(_plain(static), sizes) for name, static in equation.attributes}
                return self.found.tape.builder.many(equation.op, *[v for v in given if v is not None], **attributes)
            case _:
                return []

    def scan(self, target: Scan, node: Node, given: list[Value], sizes: Mapping[str, int]) -> list[Value]:
        b, cell = self.found.tape.builder, self.found.program.module(target.module)
        inner = {name: evaluate(size, sizes) for name, size in target.dims}
        steps = evaluate(_plain(target.steps), sizes)
        lengths = given.pop() if target.has_lengths else None
        count = len(target.inputs)
        states = given[count:]
        stacks: list[dict[str, Value]] = [{} for _ in range(steps)]
        for time in reversed(range(steps)) if target.reverse else range(steps):
            lanes = zip(target.scanned, given, strict=False)
            now = {lane.name: _at(value, lane.axis, time) for lane, value in lanes}
            now.update(zip(target.captured, given[len(target.scanned) : count], strict=True))
            results = self.module(cell, node, [*(now.get(port.name) for port in cell.inputs), *states], inner)
            outputs, after = results[: len(cell.outputs)], results[len(cell.outputs) :]
            if lengths is not None:
                valid = b("greater", lengths, time)
                outputs = [b("where", _column(valid, item), item, 0) for item in outputs]
                pairs = zip(after, states, strict=True)
                after = [b("where", _column(valid, new), new, old) for new, old in pairs]
            stacks[time] = dict(zip((port.name for port in cell.outputs), outputs, strict=True))
            states = after
        stacked = [b("stack", *(each[lane.name] for each in stacks), axis=lane.axis) for lane in target.stacked]
        return [*stacked, *states]


def _plain(static: Static) -> Any:
    return static.value


def _at(value: Value, axis: int, time: int) -> Value:
    items: list[Any] = [("slice", None, None, 1)] * len(value.shape)
    items[axis] = ("index", time)
    return value.builder("slice", value, items=tuple(items))


def _column(valid: Value, beside: Value) -> Value:
    for axis in range(1, len(beside.shape)):
        valid = valid.builder("expand_dims", valid, axis=axis)
    return valid
