"""The checker of the IR: what may stand in a Program, whatever pass made it.

It checks that

- module keys are unique, callees come before callers, the entry is there, and only training holds training;
- each value is defined once, before it is used, and has a type of known element type;
- each op exists, has its attributes, and gives the types that the op's own type rule infers;
- calls and scans name an instance of the module, a module before it, and bind each of its formal dimensions; their
  inputs and outputs match the callee's ports in number and in type;
- ports have distinct names, parameters have fixed shapes, next states and next buffers match what they replace;
- a part of a split block (`prepare`) has no states, draws or next buffers;
- in the entry, each dynamic dimension has a home.

It does not check provenance (origins, sources, loops, `bind`). A failure is a fault of the compiler, never of the
spec, so it raises `IRError`, which names the module and the equation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.dims import Dim, Size, substitute, symbols
from dlc.ir import (
    DTYPES,
    INTS,
    ITSELF,
    Bind,
    Call,
    Content,
    Equation,
    Lane,
    Module,
    Parameter,
    Program,
    Read,
    Scan,
    Static,
    TensorType,
)
from dlc.ops.api import Op, OpError
from dlc.parameters import layer_references

_STRUCTURAL = {"call": Call, "scan": Scan, "read": Read, "bind": Bind}


class IRError(AssertionError):
    """The compiler made a Program that breaks its own rules."""


def check_program(program: Program, ops: Mapping[str, Op] | None = None) -> None:
    """Raises IRError at the first fault. `ops` replaces the table of all ops."""
    if ops is None:
        from dlc.ops import OPS

        ops = OPS
    done: dict[str, Module] = {}
    for module in program.modules:
        if module.key in done:
            raise IRError(f"two modules are called {module.key}")
        if module.training and not program.training:
            raise IRError(f"{module.key}: a module for training in a program for inference")
        _Checker(module, done, ops).run()
        done[module.key] = module
    if program.entry not in done:
        raise IRError(f"the entry {program.entry} is no module of the program")
    _check_entry(done[program.entry])


def formal_dimensions(module: Module) -> tuple[str, ...]:
    """The symbols that a call of the module must bind: those of its types, attributes, steps and bindings, in order."""
    found: dict[str, None] = {}

    def add(sizes: Iterable[Size]) -> None:
        for size in sizes:
            found.update(dict.fromkeys(symbols(size)))

    for type_ in module.types:
        add(type_.shape)
    for equation in module.body:
        add(sizes_of(equation))
    return tuple(found)


def sizes_of(equation: Equation) -> Iterable[Size]:
    """The sizes in an equation's attributes, bindings and steps."""
    for _, static in equation.attributes:
        yield from _sizes(static.value)
    if isinstance(equation.target, Call | Scan):
        yield from (size for _, size in equation.target.dims)
    if isinstance(equation.target, Scan):
        yield from _sizes(equation.target.steps)


def _sizes(value: object) -> Iterable[Size]:
    if isinstance(value, tuple):
        for item in value:
            yield from _sizes(item)
    elif isinstance(value, Static):
        yield from _sizes(value.value)
    elif isinstance(value, Size) and not isinstance(value, bool):
        yield value


def _check_entry(module: Module) -> None:
    homes = {home.symbol for home in module.homes}
    for symbol in formal_dimensions(module):
        if symbol not in homes:
            raise IRError(f"{module.key}: the entry's dimension {symbol} has no home")
    if any(instance.given is not None for instance in module.instances):
        raise IRError(f"{module.key}: the entry is given an instance")


@dataclass(slots=True)
class _Checker:
    module: Module
    callees: Mapping[str, Module]
    ops: Mapping[str, Op]
    defined: set[int] = field(default_factory=set)
    place: str = ""

    def run(self) -> None:
        module = self.module
        self.place = "declarations"
        for type_ in module.types:
            self.require(type_.dtype in DTYPES, f"unknown element type {type_.dtype}")
        for value in (
            *(port.value for port in module.inputs),
            *(parameter.value for parameter in module.parameters),
            *(state.value for state in module.states),
            *(draw.value for draw in module.draws),
        ):
            self.define(value)
        self.ports()
        self.instances()
        self.part()
        for index, equation in enumerate(module.body):
            self.place = f"equation {index} ({equation.op}) at {equation.origin.span}"
            self.equation(equation)
        self.place = "results"
        self.results()

    def require(self, condition: bool, message: str) -> None:
        if not condition:
            raise IRError(f"{self.module.key}, {self.place}: {message}")

    def define(self, value: int) -> None:
        self.require(0 <= value < len(self.module.types), f"value {value} has no type")
        self.require(value not in self.defined, f"value {value} is defined twice")
        self.defined.add(value)

    def use(self, value: int) -> TensorType:
        self.require(value in self.defined, f"value {value} is used before it is defined")
        return self.module.types[value]

    def distinct(self, names: Sequence[str], what: str) -> None:
        for name in names:
            self.require(names.count(name) == 1, f"two {what} are called {name}")

    def ports(self) -> None:
        module = self.module
        present = [port.name for port in module.inputs]
        self.distinct([*present, *module.absent, *(state.name for state in module.states)], "inputs or states")
        self.distinct([parameter.name for parameter in module.parameters], "parameters")
        self.distinct([draw.name for draw in module.draws], "draws")
        if module.signature:
            declared = [name for name, _ in module.signature]
            self.require(sorted(declared) == sorted([*present, *module.absent]), "the signature has other inputs")
            self.require([name for name in declared if name in present] == present, "the signature has another order")
        for port in module.inputs:
            dtype = module.types[port.value].dtype
            self.require(port.bounds is None or dtype in INTS, f"the bounds of {port.name}: {dtype} is no integer")
        for parameter in module.parameters:
            type_ = module.types[parameter.value]
            fixed = all(isinstance(size, int) for size in type_.shape)
            self.require(fixed, f"parameter {parameter.name} has the dynamic shape {type_}")
            self.require(parameter.kind in ("param", "buffer"), f"{parameter.name} is a {parameter.kind}")
            if parameter.initial.name == "computed":
                self.computed(parameter)
        known = set(formal_dimensions(module))
        inputs = {port.name: port.value for port in (*module.inputs, *module.states)}
        for home in module.homes:
            self.require(home.port in inputs, f"{home.symbol} is at home in {home.port}, which is no input")
            kind = module.types[inputs[home.port]]
            if home.axis == ITSELF:
                self.require(kind == TensorType("int", ()), f"{home.symbol} is {home.port} itself, which is {kind}")
            else:
                inside = 0 <= home.axis < kind.rank
                self.require(inside, f"{home.symbol} is at home in axis {home.axis} of {home.port}")
                found = kind.shape[home.axis]
                self.require(found == home.size, f"{home.port}, axis {home.axis}: {found} is no home")
            told = home.symbol in known or home.axis == ITSELF  # a size may be given and not be used
            self.require(told, f"nothing has the dimension {home.symbol}")

    def computed(self, parameter: Parameter) -> None:
        """The module that computes where a parameter starts reads parameters before it, and gives its type."""
        self.require(len(parameter.initial.arguments) == 1, f"what computes {parameter.name} is not named")
        key = parameter.initial.arguments[0].value
        self.require(key in self.callees, f"{key} is no module before this one")
        start = self.callees[str(key)]
        types = {p.name: self.module.types[p.value] for p in self.module.parameters}
        before = [p.name for p in self.module.parameters[: self.module.parameters.index(parameter)]]
        for port in start.inputs:
            self.require(port.name in before, f"{parameter.name} starts at {port.name}, which is no earlier parameter")
            self.same(types[port.name], start.types[port.value], f"{port.name} of {key}")
        self.require(all(e.target is None for e in start.body), f"{key} calls a module")
        self.same(start.types[start.outputs[0].value], types[parameter.name], f"{parameter.name}'s start")

    def part(self) -> None:
        module = self.module
        self.require(module.part in ("", "prepare", "step"), f"there is no part {module.part}")
        if module.part == "prepare":
            effects = (*module.states, *module.draws, *module.next_buffers)
            self.require(not effects, "what is computed once has states, draws or buffers")

    def instances(self) -> None:
        own = [instance.path for instance in self.module.instances if instance.given is None]
        self.distinct([*own, *(parameter.name for parameter in self.module.parameters)], "instances or parameters")
        for instance in self.module.instances:
            for name, index in layer_references(instance).items():
                valid = 0 <= index < len(self.module.instances)
                self.require(valid, f"instance {instance.path}: {name} is no instance")

    def equation(self, equation: Equation) -> None:
        kind = _STRUCTURAL.get(equation.op)
        if kind is not None:
            self.require(isinstance(equation.target, kind), f"the target is {type(equation.target).__name__}")
        match equation.target:
            case Call() as target:
                self.call(equation, target)
            case Scan() as target:
                self.scan(equation, target)
            case Read() as target:
                self.instance(target.instance)
                self.require(not equation.inputs and len(equation.outputs) == 1, "a read has one output and no input")
            case Bind() as target:
                self.require(not equation.inputs and not equation.outputs, "a bind has neither inputs nor outputs")
                for value in _ids(target.content):
                    self.use(value)
            case None:
                self.primitive(equation)
        for value in equation.outputs:
            self.define(value)

    def primitive(self, equation: Equation) -> None:
        op = self.ops.get(equation.op)
        if op is None:
            raise IRError(f"{self.module.key}, {self.place}: unknown op")
        operands = [self.operand(value) for value in equation.inputs]
        any_number = bool(op.operands) and op.operands[-1].startswith("*")
        least = len(op.operands) - any_number
        arity = len(operands) >= least if any_number else len(operands) == least
        self.require(arity, f"{len(operands)} operands for {op.operands}")
        names = [name for name, _ in equation.attributes]
        wanted = [spec.name for spec in op.attributes]
        self.require(sorted(names) == sorted(wanted), f"attributes {names}, not {wanted}")
        try:
            inferred = op.infer(operands, {name: static.value for name, static in equation.attributes})
        except OpError as problem:
            raise IRError(f"{self.module.key}, {self.place}: {problem.message}") from problem
        self.outputs(equation, inferred)

    def operand(self, value: int | None) -> TensorType:
        if value is None:
            raise IRError(f"{self.module.key}, {self.place}: an input is absent")
        return self.use(value)

    def outputs(self, equation: Equation, expected: Sequence[TensorType]) -> None:
        self.require(len(equation.outputs) == len(expected), f"{len(equation.outputs)} outputs, not {len(expected)}")
        for value, type_ in zip(equation.outputs, expected, strict=True):
            self.require(0 <= value < len(self.module.types), f"value {value} has no type")
            found = self.module.types[value]
            self.require(found == type_, f"value {value} is {found}, the rule says {type_}")

    def instance(self, index: int) -> None:
        self.require(0 <= index < len(self.module.instances), f"there is no instance {index}")

    def callee(self, target: Call | Scan) -> tuple[Module, dict[str, Size]]:
        self.instance(target.instance)
        self.require(target.module in self.callees, f"{target.module} is no module before this one")
        callee = self.callees[target.module]
        names = [name for name, _ in target.dims]
        self.distinct(names, "bindings")
        for symbol in formal_dimensions(callee):
            self.require(symbol in names, f"{symbol} of {callee.key} is not bound")
        given = layer_references(self.module.instances[target.instance])
        for instance in callee.instances:
            known = instance.given is None or instance.given in given
            known = known or self.module.instances[target.instance].given is not None
            self.require(known, f"{callee.key} needs the layer {instance.given}")
        return callee, dict(target.dims)

    def call(self, equation: Equation, target: Call) -> None:
        callee, dims = self.callee(target)
        formal = [(port.name, port.value) for port in (*callee.inputs, *callee.states)]
        self.require(len(equation.inputs) == len(formal), f"{len(equation.inputs)} inputs, not {len(formal)}")
        for value, (name, port) in zip(equation.inputs, formal, strict=True):
            self.same(self.operand(value), renamed(callee.types[port], dims), f"input {name}")
        results = [port.value for port in (*callee.outputs, *callee.next_states)]
        self.outputs(equation, [renamed(callee.types[value], dims) for value in results])

    def scan(self, equation: Equation, target: Scan) -> None:
        callee, dims = self.callee(target)
        ports = {port.name: port.value for port in callee.inputs}
        names = target.inputs
        self.distinct(names, "scanned or captured inputs")
        self.require(set(names) == set(ports), f"inputs {names}, the cell has {tuple(ports)}")
        states = [state.value for state in callee.states]
        count = len(names) + len(states) + target.has_lengths
        self.require(len(equation.inputs) == count, f"{len(equation.inputs)} inputs, not {count}")
        types = [self.operand(value) for value in equation.inputs]

        def over_time(lane: Lane, value: int) -> TensorType:
            inner = renamed(callee.types[value], dims)
            self.require(0 <= lane.axis <= inner.rank, f"{lane.name} has no axis {lane.axis} for time")
            return with_axis(inner, lane.axis, size_of(target.steps))

        lanes = {lane.name: lane for lane in target.scanned}
        for name, type_ in zip(names, types[: len(names)], strict=True):
            lane, port = lanes.get(name), ports[name]
            self.same(type_, over_time(lane, port) if lane else renamed(callee.types[port], dims), f"input {name}")
        for type_, value in zip(types[len(names) :], states, strict=False):
            self.same(type_, renamed(callee.types[value], dims), "a state")
        if target.has_lengths:
            self.require(types[-1].dtype in INTS and types[-1].rank == 1, f"the lengths are {types[-1]}")
        results = {port.name: port.value for port in callee.outputs}
        wanted = [lane.name for lane in target.stacked]
        self.require(wanted == [name for name in results if name in wanted], f"stacked {wanted} of {tuple(results)}")
        final = [renamed(callee.types[port.value], dims) for port in callee.next_states]
        self.outputs(equation, [*(over_time(lane, results[lane.name]) for lane in target.stacked), *final])

    def same(self, found: TensorType, expected: TensorType, what: str) -> None:
        self.require(found == expected, f"{what} is {found}, not {expected}")

    def results(self) -> None:
        module = self.module
        for port in (*module.outputs, *module.next_states, *module.next_buffers):
            self.use(port.value)
        self.distinct([port.name for port in module.outputs], "outputs")
        self.require(
            [port.name for port in module.next_states] == [state.name for state in module.states],
            "the next states are not the states",
        )
        buffers = {p.name: module.types[p.value] for p in module.parameters if p.kind == "buffer"}
        self.distinct([port.name for port in module.next_buffers], "next buffers")
        for port in module.next_buffers:
            self.require(port.name in buffers, f"next {port.name}: there is no such buffer")
            self.same(module.types[port.value], buffers[port.name], f"next {port.name}")


def size_of(steps: Static) -> Size:
    """The size that a Static holds. Raises IRError where it holds none."""
    if isinstance(steps.value, int | Dim) and not isinstance(steps.value, bool):
        return steps.value
    raise IRError(f"{steps.value!r} is no size")


def renamed(type_: TensorType, dims: Mapping[str, Size]) -> TensorType:
    """A callee's type in the caller's dimensions."""
    return TensorType(type_.dtype, tuple(substitute(size, dims) for size in type_.shape))


def with_axis(type_: TensorType, axis: int, size: Size) -> TensorType:
    """The type with one axis more, at `axis`."""
    return TensorType(type_.dtype, (*type_.shape[:axis], size, *type_.shape[axis:]))


def _ids(content: Content) -> Iterable[int]:
    if isinstance(content, tuple):
        for item in content:
            yield from _ids(item)
    elif content is not None:
        yield content
