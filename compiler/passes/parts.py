"""One module in two that run on one instance: `prepare`, what is the same at each step, and `step`, the rest.

`prepare` takes the captured inputs that it reads and gives the values that cross over; `step` takes these as inputs of
its own, behind its required ones, and no longer what it does not read. Both declare all parameters, and list all
instances, so that paths stay. What needs no inputs (a constant) is computed on both sides. A `bind` goes wherever its
values are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dlc import dims
from dlc.check_ir import formal_dimensions, renamed
from dlc.dims import Size
from dlc.ir import Arm, Bind, Call, Equation, Module, Port, Scan, TensorType, Turn
from dlc.passes.dimensions import homes
from dlc.passes.invariance import Invariance, tested
from dlc.passes.rewrite import Values, free_name, ids, without_values
from dlc.spec.record import replace

_DOC = "What does not depend on the step."


@dataclass(frozen=True, slots=True)
class Parts:
    """`whole` is what they were made of."""

    whole: Module
    prepare: Module
    step: Module

    @property
    def prepared(self) -> tuple[str, ...]:
        """The inputs of `step` that `prepare` gives."""
        return tuple(port.name for port in self.prepare.outputs)


@dataclass(slots=True)
class Cut:
    """A module, which of its equations are computed once, and the parts of the modules that it calls.

    `first` and `second`: the equations of both sides, without binds, each with its number in the module.
    """

    module: Module
    once: Collection[int]
    found: Invariance
    inner: Mapping[int, Parts]
    scans: Mapping[int, Parts]
    first: list[tuple[int, Equation]] = field(default_factory=list[tuple[int, Equation]])
    second: list[tuple[int, Equation]] = field(default_factory=list[tuple[int, Equation]])
    crossing: dict[int, str] = field(default_factory=dict[int, str])
    types: list[TensorType] = field(default_factory=list[TensorType])

    def __post_init__(self) -> None:
        values = Values(self.module.types)
        for number, equation in enumerate(self.module.body):
            if isinstance(equation.target, Bind):
                continue
            parts = self.inner.get(number)
            if parts is not None:
                once, rest = called(equation, parts, values)
                self.first.append((number, once))
                self.second.append((number, rest))
                continue
            lines = [equation]
            if number in self.scans:
                lines = scanned(equation, self.scans[number], values)
            if number in self.once or self._is_free(number, equation):
                self.first += [(number, line) for line in lines]
            if number not in self.once:
                self.second += [(number, line) for line in lines]
        self.types = values.types
        self.second = self._live(self.second, self._results(), keep=True)
        defined = {value: number for number, line in self.first for value in line.outputs if number in self._crossers()}
        used = {value for _, line in self.second for value in line.inputs} | self._results()
        crossing = [value for value in defined if value in used]
        self.first = self._live(self.first, crossing, keep=False)
        for value in crossing:
            self.crossing[value] = self._name(value, defined[value])

    def _crossers(self) -> set[int]:
        return {*self.once, *self.inner}

    def _is_free(self, number: int, equation: Equation) -> bool:
        return number in self.found.equations and not equation.inputs

    def _results(self) -> set[int]:
        module = self.module
        return {port.value for port in (*module.outputs, *module.next_states, *module.next_buffers)}

    def _live(
        self, lines: Sequence[tuple[int, Equation]], wanted: Iterable[int], keep: bool
    ) -> list[tuple[int, Equation]]:
        """The lines that something reads; with `keep`, all but constants."""
        read, out = set(wanted), list[tuple[int, Equation]]()
        for number, line in reversed(lines):
            if read.intersection(line.outputs) or (keep and not self._is_free(number, line)):
                read.update(value for value in line.inputs if value is not None)
                out.append((number, line))
        return out[::-1]

    def _name(self, value: int, number: int) -> str:
        """What the spec calls the value; else after the input that it comes from, or as the inner block calls it."""
        module = self.module
        inputs = [*(port.name for port in module.inputs), *module.absent]
        taken = [*inputs, *(state.name for state in module.states), *(p.name for p in module.parameters)]
        taken += [draw.name for draw in module.draws]
        taken += [*(name for name, _ in (*module.hyperparameters, *module.dims)), *self.crossing.values()]
        taken += [port.name for port in module.outputs if port.value != value]
        return free_name(self._wish(value, number, inputs), taken)

    def _wish(self, value: int, number: int, inputs: Sequence[str]) -> str:
        for equation in reversed(self.module.body):
            target = equation.target
            if isinstance(target, Bind) and target.content == value and target.name.isidentifier():
                return f"prepared_{target.name}" if target.name in inputs else target.name
        if number in self.inner:
            line = next(line for place, line in self.first if place == number)
            return self.inner[number].prepared[line.outputs.index(value)]
        sources = self._sources(number)
        return f"prepared_{sources[0]}" if len(sources) == 1 else "prepared"

    def _sources(self, number: int) -> list[str]:
        """The inputs that an equation's values come from."""
        makers = {value: line for _, line in self.first for value in line.outputs}
        due, seen = [value for value in self.module.body[number].inputs if value is not None], set[int]()
        while due:
            value = due.pop()
            if value not in seen:
                seen.add(value)
                due += [one for one in (makers[value].inputs if value in makers else ()) if one is not None]
        return [port.name for port in self.module.inputs if port.value in seen]

    def turning(self) -> list[int]:
        """Equations that no side may have alone: their values cross from a turn of a loop into the same loop, or from
        a turn that is not the last."""
        makers = {value: number for number, line in self.first for value in line.outputs}
        out: list[int] = []
        for value in self.crossing:
            number = makers[value]
            turns = [one for one in self.module.body[number].origin.frames if isinstance(one, Turn)]
            loops = {turn.loop for turn in turns}
            last = all(turn.index == len(self.module.loops[turn.loop].values) - 1 for turn in turns)
            readers = [line.origin.frames for _, line in self.second if value in line.inputs]
            again = any(isinstance(one, Turn) and one.loop in loops for frames in readers for one in frames)
            if again or not last:
                out.append(number)
        return out

    def captured(self) -> set[str]:
        """The inputs that the part computed once reads, or whose presence it asks for."""
        return self._read(self.first)

    def kept(self, varying: Collection[str]) -> set[str]:
        """The inputs that the rest reads, or that alone tell a size that it needs."""
        module = self.module
        names = {*varying, *self._read(self.second)}
        results = self._results()
        names |= {port.name for port in module.inputs if port.value in results}
        for port in module.inputs:
            if port.name not in names and self._unknown(names):
                names.add(port.name)
        return names

    def _read(self, lines: Sequence[tuple[int, Equation]]) -> set[str]:
        module = self.module
        read = {value for _, line in lines for value in line.inputs}
        arms = {one.choice for _, line in lines for one in line.origin.frames if isinstance(one, Arm)}
        asked = {name for arm in arms for name in tested(module, arm)}
        return {port.name for port in module.inputs if port.value in read} | asked

    def _unknown(self, names: Collection[str]) -> set[str]:
        """Dynamic sizes of the rest that none of its inputs tells."""
        step = self.step(names)
        return set(formal_dimensions(step)) - {home.symbol for home in step.homes}

    # --- the modules -------------------------------------------------------------------------------------------

    def prepare(self, names: Collection[str], key: str = "") -> Module:
        module = self.module
        inputs = tuple(port for port in module.inputs if port.name in names)
        made = replace(
            module,
            key=key,
            doc=_DOC,
            inputs=inputs,
            absent=_among(module.absent, names),
            states=(),
            draws=(),
            outputs=tuple(Port(name, value) for value, name in self.crossing.items()),
            next_states=(),
            next_buffers=(),
            signature=tuple(entry for entry in module.signature if entry[0] in names),
            part="prepare",
        )
        return self._finished(made, self.first, {port.name: port.value for port in inputs})

    def step(self, names: Collection[str], key: str = "") -> Module:
        module = self.module
        inputs = [port for port in module.inputs if port.name in names]
        signature = [entry for entry in module.signature if entry[0] in names]
        new = [Port(name, value) for value, name in self.crossing.items()]
        optional = {name for name, maybe in signature if maybe}
        at = next((place for place, port in enumerate(inputs) if port.name in optional), len(inputs))
        behind = next((place for place, (_, maybe) in enumerate(signature) if maybe), len(signature))
        made = replace(
            module,
            key=key,
            inputs=(*inputs[:at], *new, *inputs[at:]),
            absent=_among(module.absent, names),
            signature=(*signature[:behind], *((port.name, False) for port in new), *signature[behind:]),
            part="step",
        )
        return self._finished(made, self.second, {port.name: port.value for port in made.inputs})

    def _finished(self, made: Module, lines: Sequence[tuple[int, Equation]], ports: Mapping[str, int]) -> Module:
        """The module with its equations and the binds whose values it has, and without other values."""
        heads = (*made.inputs, *made.parameters, *made.states, *made.draws)
        defined = {head.value for head in heads}
        due, body = list(lines), list[Equation]()
        for number, equation in enumerate(self.module.body):
            while due and due[0][0] == number:
                line = due.pop(0)[1]
                defined.update(line.outputs)
                body.append(line)
            target = equation.target
            if not isinstance(target, Bind) or not defined.issuperset(ids(target.content)):
                continue
            if target.content is None or ports.get(target.name) != target.content:
                body.append(equation)
        made = replace(made, types=tuple(self.types), body=tuple(body))
        made = without_values(made, set(range(len(self.types))) - defined)
        symbols = formal_dimensions(made)
        typed = [(port.name, made.types[port.value]) for port in (*made.inputs, *made.states)]
        known = {*symbols}
        sizes = tuple((name, size) for name, size in made.dims if known.issuperset(dims.symbols(size)))
        return replace(made, homes=homes(typed, symbols), dims=sizes)


def _among(words: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word in names)


def called(equation: Equation, parts: Parts, values: Values) -> tuple[Equation, Equation]:
    """A call as a call of both parts."""
    target = equation.target
    assert isinstance(target, Call)
    count = len(parts.whole.inputs)
    given = dict(zip((port.name for port in parts.whole.inputs), equation.inputs, strict=False))
    once = _prepare_call(equation, target, parts, given, values)
    given.update(zip(parts.prepared, once.outputs, strict=True))
    inputs = (*(given[port.name] for port in parts.step.inputs), *equation.inputs[count:])
    rest = Call(target.instance, parts.step.key, _bound(target, parts.step))
    return once, replace(equation, inputs=inputs, target=rest)


def scanned(equation: Equation, parts: Parts, values: Values) -> list[Equation]:
    """A scan behind a call of what is computed once."""
    target = equation.target
    assert isinstance(target, Scan)
    given = dict(zip(target.inputs, equation.inputs, strict=False))
    once = _prepare_call(equation, target, parts, given, values)
    given.update(zip(parts.prepared, once.outputs, strict=True))
    present = {port.name for port in parts.step.inputs}
    captured = (*(name for name in target.captured if name in present), *parts.prepared)
    changed = replace(target, module=parts.step.key, captured=captured, dims=_bound(target, parts.step))
    inputs = (*(given[name] for name in changed.inputs), *equation.inputs[len(target.inputs) :])
    return [once, replace(equation, inputs=inputs, target=changed)]


def _prepare_call(
    equation: Equation, target: Call | Scan, parts: Parts, given: Mapping[str, int | None], values: Values
) -> Equation:
    bound = _bound(target, parts.prepare)
    types = [renamed(parts.prepare.types[port.value], dict(bound)) for port in parts.prepare.outputs]
    outputs = tuple(map(values.new, types))
    inputs = tuple(given[port.name] for port in parts.prepare.inputs)
    call = Call(target.instance, parts.prepare.key, bound)
    return Equation("call", inputs, outputs, target=call, origin=equation.origin)


def _bound(target: Call | Scan, callee: Module) -> tuple[tuple[str, Size], ...]:
    wanted = formal_dimensions(callee)
    return tuple((name, size) for name, size in target.dims if name in wanted)
