"""Random draws become inputs of the network, so that `verify` can feed every backend the same numbers.

- A module's own draw becomes an input of the same name.
- A call of a module with draws gets an input for each: `<instance path>_<name>`.
- A scan over such a module gets a scanned input, with the time axis where the scan's other values have it.
- In a network, a module that draws in one mode only gets the same input, unused, in the other mode, so that both modes
are
  called alike. Where a call itself is there in one mode only, its input is absent in the other, and optional in both.

An input of the entry keeps the draw's distribution on the side, for whoever makes the numbers. Programs without draws
come back unchanged. Blocks that gain inputs lose their identity, so that no backend takes its native form of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.check_ir import formal_dimensions, renamed, size_of, with_axis
from dlc.dims import symbols
from dlc.ir import BlockId, Call, Distribution, Draw, Equation, Lane, Module, Port, Program, Scan
from dlc.passes.rewrite import Values, free_name, without_identity
from dlc.spec.record import replace


@dataclass(frozen=True, slots=True)
class Explicit:
    """Both modes of a network without draws, and the distribution of each input that stands for one, per mode."""

    inference: Program
    training: Program
    inference_draws: Mapping[str, Distribution]
    training_draws: Mapping[str, Distribution]


def explicit_draws(program: Program) -> tuple[Program, dict[str, Distribution]]:
    """The program with inputs for its draws, and their distributions by input name."""
    lifted = _Lift(program)
    if not lifted.gained:
        return program, {}
    changed = without_identity(lifted.program, lifted.blocks)
    return changed, lifted.gained.get(program.entry, {})


def explicit_network(inference: Program, training: Program) -> Explicit:
    """Both programs of a network with the same inputs, those that only the other mode draws marked absent."""
    pairs = _pairs(inference, training)
    first = _Lift(_with_draws(inference, training, pairs))
    second = _Lift(_with_draws(training, inference, {other: one for one, other in pairs.items()}))
    if not first.gained and not second.gained:
        return Explicit(inference, training, {}, {})
    blocks = first.blocks | second.blocks
    return Explicit(
        without_identity(_with_absent(first, {a: second.gained.get(b, {}) for a, b in pairs.items()}), blocks),
        without_identity(_with_absent(second, {b: first.gained.get(a, {}) for a, b in pairs.items()}), blocks),
        first.gained.get(inference.entry, {}),
        second.gained.get(training.entry, {}),
    )


class _Lift:
    """The lifted program; `gained` holds the inputs that each module got, in order."""

    def __init__(self, program: Program):
        self.table = program.table
        self.gained: dict[str, dict[str, Distribution]] = {}
        self.done: dict[str, Module] = {}
        for module in program.modules:
            self.done[module.key] = self._module(module)
        self.program = replace(program, modules=tuple(self.done.values()))
        self.blocks: set[BlockId] = {self.table[key].block for key in self.gained if key != program.entry}

    def _module(self, module: Module) -> Module:
        values = Values(module.types)
        inputs: list[Port] = []
        gained: dict[str, Distribution] = {}

        def add(wanted: str, value: int, distribution: Distribution) -> None:
            taken = [*(p.name for p in module.inputs), *module.absent, *(s.name for s in module.states), *gained]
            name = free_name(wanted, taken)
            gained[name] = distribution
            inputs.append(Port(name, value))

        for draw in module.draws:
            add(draw.name, draw.value, draw.distribution)
        body = tuple(self._equation(module, equation, values, add) for equation in module.body)
        if not gained:
            return module
        self.gained[module.key] = gained
        return replace(
            module,
            types=tuple(values.types),
            body=body,
            draws=(),
            inputs=(*module.inputs, *inputs),
            signature=(*module.signature, *((port.name, False) for port in inputs)),
        )

    def _equation(
        self, module: Module, equation: Equation, values: Values, add: Callable[[str, int, Distribution], None]
    ) -> Equation:
        target = equation.target
        if not isinstance(target, Call | Scan) or target.module not in self.gained:
            return equation
        callee, gained = self.done[target.module], self.gained[target.module]
        ports = {port.name: callee.types[port.value] for port in callee.inputs}
        path, dims = module.instances[target.instance].path, dict(target.dims)
        new: list[int] = []
        lanes: list[Lane] = []
        for name, distribution in gained.items():
            type_ = renamed(ports[name], dims)
            if isinstance(target, Scan):
                lanes.append(Lane(name, min(_time_axis(target), type_.rank)))
                type_ = with_axis(type_, lanes[-1].axis, size_of(target.steps))
            new.append(values.new(type_))
            add(f"{path}.{name}", new[-1], distribution)
        if isinstance(target, Scan):
            at = len(target.scanned)
            target = replace(target, scanned=(*target.scanned, *lanes))
        else:
            at = len(self.table[target.module].inputs)
        return replace(equation, target=target, inputs=(*equation.inputs[:at], *new, *equation.inputs[at:]))


def _time_axis(scan: Scan) -> int:
    return next((lane.axis for lane in (*scan.scanned, *scan.stacked)), 0)


def _with_draws(program: Program, other: Program, pairs: Mapping[str, str]) -> Program:
    """The program whose modules also have the draws of the modules that stand in their place in the other mode."""

    def of(module: Module) -> Module:
        if module.key not in pairs:
            return module
        twin = other.module(pairs[module.key])
        own = {draw.name: draw for draw in module.draws}
        known = {home.symbol for home in module.homes} | set(formal_dimensions(module))
        values = Values(module.types)
        draws: list[Draw] = []
        for draw in twin.draws if twin.training else (*module.draws, *twin.draws):
            if draw.name in {made.name for made in draws}:
                continue
            if draw.name in own:
                draws.append(own.pop(draw.name))
                continue
            type_ = twin.types[draw.value]
            if all(name in known for size in type_.shape for name in symbols(size)):
                draws.append(Draw(draw.name, values.new(type_), draw.distribution))
        return replace(module, draws=(*draws, *own.values()), types=tuple(values.types))

    return replace(program, modules=tuple(map(of, program.modules)))


def _with_absent(lifted: _Lift, others: Mapping[str, Mapping[str, Distribution]]) -> Program:
    """The program with the other mode's draws as absent inputs, and one signature for both modes."""

    def of(module: Module) -> Module:
        own, other = lifted.gained.get(module.key, {}), others.get(module.key, {})
        absent = tuple(name for name in other if name not in own)
        if not own and not absent:
            return module
        order = (*own, *other) if module.training else (*other, *own)
        both = {name: name in own and name in other for name in order}
        kept = tuple(item for item in module.signature if item[0] not in both)
        signature = (*kept, *((name, not always) for name, always in both.items()))
        return replace(module, absent=(*module.absent, *absent), signature=signature)

    return replace(lifted.program, modules=tuple(map(of, lifted.program.modules)))


def _pairs(inference: Program, training: Program) -> dict[str, str]:
    """Which training module stands where an inference module stands: the same instances, from the entries down."""
    found = {inference.entry: training.entry}
    queue = [(inference.entry, training.entry)]
    while queue:
        left, right = queue.pop()
        ours, theirs = _callees(inference.module(left)), _callees(training.module(right))
        for path, keys in ours.items():
            for one, other in zip(keys, theirs.get(path, ()), strict=False):
                if one not in found:
                    found[one] = other
                    queue.append((one, other))
    return found


def _callees(module: Module) -> dict[str, list[str]]:
    """The modules that each instance is called through, in order, by the instance's path."""
    found: dict[str, list[str]] = {}
    for equation in module.body:
        if isinstance(equation.target, Call | Scan):
            found.setdefault(module.instances[equation.target.instance].path, []).append(equation.target.module)
    return found
