"""Reads what `dlc.ir_text.show` prints. See there for the form."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlc.dims import Size
from dlc.ir import (
    ITSELF,
    Bind,
    BlockId,
    Call,
    Draw,
    Equation,
    Home,
    Instance,
    Module,
    Parameter,
    Port,
    Program,
    Read,
    Scan,
    State,
    Static,
    TensorType,
)
from dlc.ir_line import IRTextError, Line


def read(text: str) -> Program:
    """The program that `show` printed. Raises IRTextError, which names the line."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise IRTextError("the text is empty")
    head = Line(lines[0])
    head.word("program")
    network, mode = head.name(), head.name()
    head.word("entry")
    entry = head.end_with(head.name())
    configuration: tuple[tuple[str, Static], ...] = ()
    modules: list[_ModuleText] = []
    for item in lines[1:]:
        line = Line(item)
        word = line.name() if line.peek()[0] == "name" else ""
        if word == "configuration" and not modules:
            configuration = line.end_with(line.pairs())
        elif word == "module" and not item[1].startswith(" "):
            modules.append(_ModuleText.start(line))
        elif modules:
            modules[-1].take(word, line)
        else:
            raise line.wrong("a module")
    return Program(network, tuple(m.module() for m in modules), entry, mode == "training", configuration)


@dataclass(slots=True)
class _ModuleText:
    """A module while its lines are read."""

    key: str
    block: BlockId
    training: bool
    part: str = ""
    types: dict[int, TensorType] = field(default_factory=dict)
    count: int = 0
    doc: str | None = None
    hyperparameters: tuple[tuple[str, Static], ...] = ()
    dims: tuple[tuple[str, Size], ...] = ()
    homes: list[Home] = field(default_factory=list)
    signature: tuple[tuple[str, bool], ...] = ()
    absent: tuple[str, ...] = ()
    inputs: list[Port] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    body: list[Equation] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    next_states: list[Port] = field(default_factory=list)
    next_buffers: list[Port] = field(default_factory=list)

    @staticmethod
    def start(line: Line) -> _ModuleText:
        key = line.name()
        line.word("=")
        made = _ModuleText(key, line.block(), line.accept("training"))
        made.part = line.name() if line.accept("part") else ""
        line.word("values")
        made.count = line.end_with(line.integer())
        return made

    def module(self) -> Module:
        if sorted(self.types) != list(range(self.count)):
            raise IRTextError(f"module {self.key}: it has {self.count} values, not all of them have a type")
        return Module(
            self.key,
            self.block,
            self.doc,
            self.hyperparameters,
            self.dims,
            tuple(self.homes),
            self.training,
            tuple(self.inputs),
            self.absent,
            tuple(self.parameters),
            tuple(self.states),
            tuple(self.draws),
            tuple(self.instances),
            tuple(self.types[value] for value in range(self.count)),
            tuple(self.body),
            tuple(self.outputs),
            tuple(self.next_states),
            tuple(self.next_buffers),
            signature=self.signature,
            part=self.part,
        )

    def take(self, word: str, line: Line) -> None:
        """Reads one line whose first word is taken already ("" where it starts with a sign)."""
        match word:
            case "":
                self._equation(line)
            case "doc":
                self.doc = line.name()
            case "hyperparameters":
                self.hyperparameters = line.pairs()
            case "dims":
                self.dims = line.many(line.size_pair, "")
            case "home":
                self._home(line)
            case "signature":
                self.signature = line.many(lambda: (line.name(), line.accept("?")), "")
            case "absent":
                self.absent = line.many(line.name, "")
            case "input" | "param" | "buffer" | "state" | "draw":
                self._declaration(word, line)
            case "instance":
                self.instances.append(_instance(line))
            case "output":
                self.outputs.append(_port(line))
            case "next":
                ports = self.next_buffers if line.accept("buffer") else self.next_states
                ports.append(_port(line))
            case "bind":
                self.body.append(Equation("bind", (), (), target=Bind(line.name(), line.content())))
            case "unused":
                self._typed(*line.typed())
            case "call" | "scan":
                self._right(word, (), line)
            case _:
                raise line.wrong("a line of a module")
        line.end_with(None)

    def _typed(self, value: int, type_: TensorType) -> int:
        self.types[value] = type_
        return value

    def _home(self, line: Line) -> None:
        symbol_ = line.name()
        line.word("=")
        port = line.name()
        axis = ITSELF
        if not line.accept("itself"):
            line.word("axis")
            axis = line.integer()
        line.word(":")
        self.homes.append(Home(symbol_, port, axis, line.size()))

    def _declaration(self, word: str, line: Line) -> None:
        value, name = line.value_id(), line.name()
        line.word(":")
        self._typed(value, line.type())
        if word == "input":
            bounds = None
            if line.accept("in"):
                line.word("[")
                low, high = line.many(line.size, "]")
                bounds = (low, high)
            self.inputs.append(Port(name, value, bounds))
        elif word == "state":
            self.states.append(State(name, value, Static(line.value()) if line.accept("=") else None))
        else:
            line.word("~")
            distribution = line.distribution()
            if word == "draw":
                self.draws.append(Draw(name, value, distribution))
            else:
                self.parameters.append(Parameter(name, word, value, distribution))

    def _equation(self, line: Line) -> None:
        outputs = [self._typed(*line.typed())]
        while line.accept(","):
            outputs.append(self._typed(*line.typed()))
        line.word("=")
        self._right(line.name(), tuple(outputs), line)

    def _right(self, op: str, outputs: tuple[int, ...], line: Line) -> None:
        if op == "read" and line.accept("@"):
            target: Read | Call | Scan = Read(line.integer(), line.name())
            self.body.append(Equation("read", (), outputs, target=target))
        elif op in ("call", "scan") and line.accept("@"):
            instance, key = line.integer(), line.name()
            line.word("{")
            dims = line.many(line.size_pair, "}")
            target = Call(instance, key, dims) if op == "call" else _scan(line, instance, key, dims)
            line.word("(")
            self.body.append(Equation(op, line.many(line.operand, ")"), outputs, target=target))
        else:
            self._primitive(op, outputs, line)

    def _primitive(self, op: str, outputs: tuple[int, ...], line: Line) -> None:
        line.word("(")
        inputs: list[int | None] = []
        while not line.accept(")"):
            if line.accept(";"):
                self.body.append(Equation(op, tuple(inputs), outputs, line.pairs(")")))
                return
            if inputs:
                line.word(",")
            inputs.append(line.operand())
        self.body.append(Equation(op, tuple(inputs), outputs))


def _port(line: Line) -> Port:
    value = line.value_id()
    return Port(line.name(), value)


def _instance(line: Line) -> Instance:
    path = line.name()
    line.word("site")
    site = line.name()
    line.word("=")
    block = line.block()
    given = line.name() if line.accept("given") else None
    shared = line.accept("shared")
    written: tuple[str, ...] = ()
    if line.accept("written"):
        line.word("[")
        written = line.many(line.name, "]")
    line.word("(")
    return Instance(path, site, block, line.pairs(")"), written, given, shared)


def _scan(line: Line, instance: int, key: str, dims: tuple[tuple[str, Size], ...]) -> Scan:
    line.word("[")
    scanned = line.many(line.lane, "|")
    captured = line.many(line.name, "->")
    stacked = line.many(line.lane, "]")
    line.word("steps")
    steps = Static(line.size())
    reverse = line.accept("reverse")
    has_lengths = line.accept("lengths")
    return Scan(instance, key, scanned, captured, stacked, steps, reverse, has_lengths, dims)
