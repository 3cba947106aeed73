"""Chosen values become outputs of the network, through calls and scans, so that `verify` can see where numbers part.

A point is (module, equation): each of the equation's outputs becomes an output of its module, of every call of that
module (`Tap.path` holds the instances on the way) and so of the network. Out of a scan it comes stacked along a
new first axis. Blocks that gain outputs lose their identity, so that no backend takes its native form of them; backends
know nothing of taps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dlc.check_ir import renamed, size_of, with_axis
from dlc.ir import BlockId, Call, Equation, Lane, Module, Origin, Port, Program, Scan, Static, TensorType
from dlc.passes.rewrite import Values, free_name, without_identity
from dlc.spec.record import replace

Point = tuple[str, int]  # a module's key and the number of an equation of its body


@dataclass(frozen=True, slots=True)
class Tap:
    """An output that shows one value: its name in the network's outputs, and which value it is.

    `calls` are the equations on the way from the entry to the value, each as (module, equation), the value's own last.
    """

    output: str
    calls: tuple[Point, ...]
    index: int  # among the outputs of the equation
    op: str
    origin: Origin

    @property
    def point(self) -> Point:
        return self.calls[-1]


def tap(program: Program, points: Iterable[Point]) -> tuple[Program, tuple[Tap, ...]]:
    """The program with an output per tapped value, and these outputs in the order in which the network computes
    them.
    """
    chosen = set(points)
    done: dict[str, Module] = {}
    taps: dict[str, tuple[Tap, ...]] = {}
    changed: set[BlockId] = set()
    targets = [equation.target for module in program.modules for equation in module.body]
    masked = {target.module for target in targets if isinstance(target, Scan) and target.has_lengths}
    for module in program.modules:
        tapped, taps[module.key] = _module(module, chosen, done, taps)
        done[module.key] = _with_rows(module, tapped) if module.key in masked else tapped
        if taps[module.key] and module.key != program.entry:
            changed.add(module.block)
    result = replace(program, modules=tuple(done.values()))
    return without_identity(result, changed), taps[program.entry]


class _Tapping:
    """A module that is given more outputs: what its callees tap, and its own chosen equations' results."""

    def __init__(self, module: Module, done: dict[str, Module], taps: dict[str, tuple[Tap, ...]]):
        self.module, self.done, self.taps = module, done, taps
        self.values = Values(module.types)
        self.outputs: list[Port] = []
        self.found: list[Tap] = []

    def add(self, wanted: str, value: int, tap: Tap) -> None:
        """An output, named like `wanted`; the tap is told its name."""
        taken = [port.name for port in (*self.module.outputs, *self.module.states, *self.outputs)]
        name = free_name(wanted, taken)
        self.outputs.append(Port(name, value))
        self.found.append(replace(tap, output=name))

    def call(self, point: Point, equation: Equation, target: Call | Scan) -> Equation:
        """The call with its callee's taps as outputs, stacked step by step where it is a scan."""
        callee, dims = self.done[target.module], dict(target.dims)
        types = {port.name: callee.types[port.value] for port in callee.outputs}
        path = self.module.instances[target.instance].path
        new: list[int] = []
        for inner in self.taps[target.module]:
            type_ = renamed(types[inner.output], dims)
            if isinstance(target, Scan):
                type_ = with_axis(type_, 0, size_of(target.steps))
            new.append(self.values.new(type_))
            self.add(f"{path}.{inner.output}", new[-1], replace(inner, calls=(point, *inner.calls)))
        at = len(callee.outputs) - len(new)
        if isinstance(target, Scan):
            at = len(target.stacked)
            lanes = tuple(Lane(inner.output, 0) for inner in self.taps[target.module])
            equation = replace(equation, target=replace(target, stacked=(*target.stacked, *lanes)))
        return replace(equation, outputs=(*equation.outputs[:at], *new, *equation.outputs[at:]))

    def results(self, point: Point, equation: Equation) -> None:
        """Taps of an equation's results."""
        for index, value in enumerate(equation.outputs):
            tap = Tap("", (point,), index, equation.op, equation.origin)
            self.add(f"tap_{equation.op}_{point[1]}_{index}", value, tap)


def _module(
    module: Module, chosen: set[Point], done: dict[str, Module], taps: dict[str, tuple[Tap, ...]]
) -> tuple[Module, tuple[Tap, ...]]:
    tapping = _Tapping(module, done, taps)
    body: list[Equation] = []
    for number, equation in enumerate(module.body):
        point, target = (module.key, number), equation.target
        if isinstance(target, Call | Scan) and taps[target.module]:
            body.append(tapping.call(point, equation, target))
        else:
            body.append(equation)
        if point in chosen:
            tapping.results(point, equation)
    if not tapping.outputs:
        return module, ()
    outputs = (*module.outputs, *tapping.outputs)
    changed = replace(module, types=tuple(tapping.values.types), body=tuple(body), outputs=outputs)
    return changed, tuple(tapping.found)


def _with_rows(before: Module, module: Module) -> Module:
    """Gives each output that the taps added to a cell the batch as axis 0, if it has not."""
    rows = [
        before.types[value].shape[:1]
        for value in (*(s.value for s in before.states), *(p.value for p in before.outputs))
    ]
    batch = next((size for size in rows if size), None)
    if batch is None:
        return module
    values, body, outputs = Values(module.types), list(module.body), list(module.outputs)
    for index, port in enumerate(module.outputs[len(before.outputs) :], len(before.outputs)):
        type_ = module.types[port.value]
        if type_.shape[:1] == batch:
            continue
        wide = TensorType(type_.dtype, (1, *type_.shape))
        whole = TensorType(type_.dtype, (*batch, *type_.shape))
        first, second = values.new(wide), values.new(whole)
        body.append(Equation("expand_dims", (port.value,), (first,), (("axis", Static(0)),)))
        body.append(Equation("broadcast_to", (first,), (second,), (("shape", Static(whole.shape)),)))
        outputs[index] = Port(port.name, second)
    return replace(module, types=tuple(values.types), body=tuple(body), outputs=tuple(outputs))
