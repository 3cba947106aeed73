"""The plan of one module at one instance and sizes: steps over a list of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from dlc.backends.reference.noise import Noise, spread
from dlc.backends.reference.sizes import concrete, shape_of
from dlc.check_ir import size_of
from dlc.diagnostics import error
from dlc.dims import Dim, evaluate
from dlc.ir import FLOATS, Bind, Call, Distribution, Equation, Instance, Module, Program, Read, Scan
from dlc.ops import OPS
from dlc.parameters import join, layer_references

Array = np.ndarray[Any, np.dtype[Any]]
Values = list[Any]
Step = Callable[[Values], None]
#: Gives a random draw: its path, shape and distribution to an array of float64.
Drawing = Callable[[str, tuple[int, ...], Distribution], Array]

#: Ops that move, select or compare numbers and never round: no backend can differ in them, so they are not perturbed.
_MOVES = """
    negative abs sign floor ceil round relu maximum minimum where clip stop_gradient
    reshape expand_dims squeeze transpose broadcast_to flip roll tile repeat concat stack split unstack slice pad
    gather take_along_axis one_hot triangular diagonal sort argsort topk max min max_pool segment_max segment_min
"""
MOVES = frozenset(_MOVES.split())


#: An op's operands of these types are widened to f32, and its result is rounded once, as processors do.
HALVES = ("f16", "bf16")


@dataclass(frozen=True, slots=True)
class Perturbation:
    """Multiplies each equation's float result by 1 + unit * spread(length of its reduction) * r, r uniform in [-1, 1].

    `unit` is half the distance from 1 to the next number of the precision that is modelled (2^-24 for f32).
    """

    seed: int
    unit: float = 2.0**-24


class Machine(Protocol):
    """What plans need of the interpreter: `store` holds parameters and buffers by path, as they are now."""

    program: Program
    table: Mapping[str, Module]
    precision: str
    exact: bool
    perturbation: Perturbation | None
    drawing: Drawing | None
    store: dict[str, Array]
    noise: Noise

    def dtype(self, name: str) -> Any: ...

    def plan(self, module: Module, node: Node, dims: Mapping[str, int]) -> Plan: ...


@dataclass(slots=True)
class Node:
    """An instance at run time: its path, and the nodes that its layer hyperparameters stand for."""

    path: str
    given: dict[str, Node] = field(default_factory=dict)
    made: dict[tuple[str, int], Node] = field(default_factory=dict)

    def child(self, module: Module, index: int) -> Node:
        instance = module.instances[index]
        if instance.given is not None:
            return self.given[instance.given]
        key = (module.key, index)
        if key not in self.made:
            self.made[key] = Node(join(self.path, instance.path), self._references(module, instance))
        return self.made[key]

    def _references(self, module: Module, instance: Instance) -> dict[str, Node]:
        return {name: self.child(module, index) for name, index in layer_references(instance).items()}


@dataclass(slots=True)
class Plan:
    """Ready to run: `arguments` and `results` are value ids, `base` the values that never change."""

    machine: Machine
    base: Values
    arguments: tuple[int, ...]
    parameters: tuple[tuple[int, str], ...]
    steps: tuple[tuple[Step, tuple[int, ...]], ...]
    results: tuple[int, ...]
    next_buffers: tuple[tuple[str, int], ...]
    draws: tuple[tuple[int, Callable[[], Array]], ...]

    def run(self, arguments: Sequence[Any]) -> Values:
        values = self.base.copy()
        store = self.machine.store
        for index, argument in zip(self.arguments, arguments, strict=True):
            values[index] = argument
        for index, path in self.parameters:
            values[index] = store[path]
        for index, draw in self.draws:
            values[index] = draw()
        for step, dead in self.steps:
            step(values)
            for index in dead:
                values[index] = None
        for path, index in self.next_buffers:
            store[path] = values[index]
        return [values[index] for index in self.results]


@dataclass(slots=True)
class Planner:
    """Makes the plan of one module at one instance and sizes."""

    machine: Machine
    module: Module
    node: Node
    dims: Mapping[str, int]

    def plan(self) -> Plan:
        module = self.module
        base: Values = [None] * len(module.types)
        kept = [equation for equation in module.body if not isinstance(equation.target, Bind)]
        results = tuple(port.value for port in (*module.outputs, *module.next_states))
        buffers = tuple((join(self.node.path, port.name), port.value) for port in module.next_buffers)
        last = _last_uses(kept, {*results, *(value for _, value in buffers)})
        steps: list[tuple[Step, tuple[int, ...]]] = []
        for index, equation in enumerate(kept):
            step = self.step(equation)
            if equation.target is None and not equation.inputs:
                step(base)
            else:
                steps.append((step, last.get(index, ())))
        return Plan(
            self.machine,
            base,
            tuple(port.value for port in (*module.inputs, *module.states)),
            tuple((parameter.value, join(self.node.path, parameter.name)) for parameter in module.parameters),
            tuple(steps),
            results,
            buffers if self.machine.program.training else (),
            tuple(self.draws()),
        )

    def draws(self) -> Iterator[tuple[int, Callable[[], Array]]]:
        for draw in self.module.draws:
            type_ = self.module.types[draw.value]
            drawing, path = self.machine.drawing, join(self.node.path, draw.name)
            if drawing is None:
                raise error("E0811", f"nothing answers the random draw `{path}`")
            arguments = (path, shape_of(type_, self.dims), draw.distribution)
            dtype = self.machine.dtype(type_.dtype)
            yield draw.value, lambda a=arguments, d=drawing, t=dtype: d(*a).astype(t)

    def step(self, equation: Equation) -> Step:
        match equation.target:
            case Call() as target:
                return self.call(equation, target)
            case Scan() as target:
                return self.scan(equation, target)
            case Read(instance=instance, parameter=parameter):
                path, (out,) = join(self.node.child(self.module, instance).path, parameter), equation.outputs

                def read(values: Values) -> None:
                    values[out] = self.machine.store[path]

                return read
            case _:
                return self.primitive(equation)

    def primitive(self, equation: Equation) -> Step:
        op = OPS[equation.op]
        evaluate_, attributes = op.evaluate, self.attributes(equation)
        inputs, outputs = tuple(value for value in equation.inputs if value is not None), equation.outputs
        dtypes = tuple(self.machine.dtype(self.module.types[value].dtype) for value in outputs)
        shake = self.shake(equation, attributes)
        halves = any(self.machine.dtype(self.module.types[value].dtype).itemsize == 2 for value in inputs)

        def step(values: Values) -> None:
            operands = [values[index] for index in inputs]
            results = evaluate_([_widened(value) for value in operands] if halves else operands, attributes)
            for index, result, dtype in zip(outputs, results, dtypes, strict=True):
                exact = result if result.dtype == dtype else result.astype(dtype)
                values[index] = exact if shake is None else shake(exact)

        return step

    def attributes(self, equation: Equation) -> dict[str, Any]:
        """Attributes with sizes as ints, and element types at this run's width."""
        found = {name: _number(static.value, self.dims) for name, static in equation.attributes}
        if "dtype" in found and self.machine.exact and found["dtype"] in FLOATS:
            found["dtype"] = "f64"
        precision = self.machine.precision
        return {**found, "precision": "f32" if precision in HALVES else precision}

    def shake(self, equation: Equation, attributes: Mapping[str, Any]) -> Callable[[Array], Array] | None:
        """The perturbation of an equation's results, None where there is none."""
        machine, perturbation = self.machine, self.machine.perturbation
        if perturbation is None or equation.op in MOVES:
            return None
        if not any(self.module.types[value].dtype in FLOATS for value in equation.outputs):
            return None
        op, length = OPS[equation.op], 1
        if op.reduction is not None:
            types = [concrete(self.module.types[v], self.dims) for v in equation.inputs if v is not None]
            length = max(1, evaluate(op.reduction(types, attributes), {}))
        scale = perturbation.unit * spread(length)
        converts = equation.op in ("constant", "cast", "arange", "dimension")

        def shake(result: Array) -> Array:
            shaken = machine.noise.shaken(result, scale)
            if not converts:
                return shaken
            # What float32 holds exactly (0, 1, small integers) is the same number on every backend.
            return np.where(result.astype(np.float32) == result, result, shaken)

        return shake

    def callee(self, target: Call | Scan) -> Plan:
        dims = {name: evaluate(size, self.dims) for name, size in target.dims}
        node = self.node.child(self.module, target.instance)
        return self.machine.plan(self.machine.table[target.module], node, dims)

    def call(self, equation: Equation, target: Call) -> Step:
        plan = self.callee(target)
        inputs, outputs = equation.inputs, equation.outputs

        def step(values: Values) -> None:
            results = plan.run([None if index is None else values[index] for index in inputs])
            for index, result in zip(outputs, results, strict=True):
                values[index] = result

        return step

    def scan(self, equation: Equation, target: Scan) -> Step:
        plan, cell = self.callee(target), self.machine.table[target.module]
        names = target.inputs
        whole = (slice(None),)
        time_axes = [whole * lane.axis for lane in target.scanned]
        steps = evaluate(size_of(target.steps), self.dims)
        positions = tuple(names.index(port.name) for port in cell.inputs)
        ports = [port.name for port in cell.outputs]
        wanted = [ports.index(lane.name) for lane in target.stacked]
        states = slice(len(names), len(names) + len(cell.states))
        order = range(steps - 1, -1, -1) if target.reverse else range(steps)
        stacked = [self.module.types[value] for value in equation.outputs[: len(wanted)]]
        empty = [np.zeros(shape_of(type_, self.dims), self.machine.dtype(type_.dtype)) for type_ in stacked]

        def step(values: Values) -> None:
            given = [values[index] for index in equation.inputs if index is not None]
            lengths = given[-1] if target.has_lengths else None
            held = given[states]
            stacks: list[list[Any]] = [[None] * steps for _ in wanted]
            for time in order:
                now = [x[(*before, time)] for before, x in zip(time_axes, given, strict=False)]
                seen = [*now, *given[len(now) : len(names)]]
                results = plan.run([*(seen[position] for position in positions), *held])
                outputs, new = [results[index] for index in wanted], results[len(ports) :]
                if lengths is not None:
                    valid = time < lengths
                    outputs = [_select(valid, output, np.zeros_like(output)) for output in outputs]
                    new = [_select(valid, after, old) for after, old in zip(new, held, strict=True)]
                held = new
                for stack, output in zip(stacks, outputs, strict=True):
                    stack[time] = output
            for index, lane, stack, nothing in zip(equation.outputs, target.stacked, stacks, empty, strict=False):
                values[index] = np.stack(stack, axis=lane.axis) if stack else nothing
            for index, state in zip(equation.outputs[len(stacks) :], held, strict=True):
                values[index] = state

        return step


def _last_uses(body: Sequence[Equation], kept: set[int]) -> dict[int, tuple[int, ...]]:
    """The values to drop after each equation: their last use, or their making where nothing uses them."""
    last: dict[int, int] = {}
    for index, equation in enumerate(body):
        for value in (*equation.inputs, *equation.outputs):
            if value is not None and value not in kept:
                last[value] = index
    made = {value for e in body if e.target is None and not e.inputs for value in e.outputs}
    found: dict[int, tuple[int, ...]] = {}
    for value, index in last.items():
        if value not in made:
            found[index] = (*found.get(index, ()), value)
    return found


def _widened(value: Any) -> Any:
    """Float16 and bfloat16 as float32; anything else as it is."""
    return value.astype(np.float32) if value.dtype.itemsize == 2 else value


def _number(value: object, dims: Mapping[str, int]) -> Any:
    """An attribute's value with its dimensions as numbers."""
    if isinstance(value, tuple):
        return tuple(_number(item, dims) for item in value)
    return evaluate(value, dims) if isinstance(value, Dim) else value


def _select(valid: Array, new: Any, old: Any) -> Array:
    """Row by row: `new` where the row is valid, else `old`."""
    return np.where(valid.reshape(valid.shape + (1,) * (np.ndim(new) - valid.ndim)), new, old)
