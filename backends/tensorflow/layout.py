"""Assigns channels-last layouts to a program's values, once, bottom-up.

A value whose spec shape is `[N, C, *S]` may be held as `[N, *S, C]`. Convolutions and pools ask for that form (they get
the attribute `channels_last` and nothing else changes: weights stay `[O, C, *K]`); elementwise ops, reductions and what
else has only axes to rename follow their operands; every other op asks for the spec's order. A transpose stands only
where the two meet. Modules are specialised by the layouts of their inputs, so a block that is called both ways becomes
two modules. Values that broadcast one vector against an image (`[1, C, 1, 1]`) are kept as the vector.

Cases: elementwise (operands aligned, lower ranks lifted), axis ops (axes renamed), transposes (absorbed), stacks of
channels-last values, calls (the callee's wishes are met outside), scans (stacked values are transposed once, before
the loop), states (the same form before and after a step). Not done: weights are never permuted, axes other than the
second are never moved. The meaning of the program stays, and so does its provenance (sources, origins, binds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlc import ir
from dlc.backends.tensorflow.axes import ASKING
from dlc.backends.tensorflow.demand import Demands
from dlc.backends.tensorflow.relayout import Relayout
from dlc.spec.record import replace


def assign_layouts(program: ir.Program, native_inputs: bool = False) -> ir.Program:
    """The program with layouts assigned; the same object where nothing in it asks for channels-last.

    `native_inputs`: the network takes its images channels-last; otherwise inputs and outputs keep the spec's order.
    """
    return assign(program, native_inputs)[0]


def assign(program: ir.Program, native_inputs: bool = False) -> tuple[ir.Program, dict[str, frozenset[str]]]:
    """`assign_layouts`, and the channels-last inputs and states of each module, by its key."""
    if not any(equation.op in ASKING for module in program.modules for equation in module.body):
        return program, {}
    work = Pass(program)
    inputs = work.demands.inputs(program.entry, frozenset()) if native_inputs else frozenset[int]()
    entry = work.variant(program.entry, inputs, frozenset(), spec_outputs=True).key
    modules = reachable(work.done, entry)
    return replace(program, modules=(*_starts(program, modules), *modules), entry=entry), work.last_inputs


def _starts(program: ir.Program, modules: Sequence[ir.Module]) -> tuple[ir.Module, ...]:
    """The functions that give parameters their first values, which nothing calls: they keep the spec's order."""
    keys = {p.initial.arguments[0].value for m in modules for p in m.parameters if p.initial.name == "computed"}
    return tuple(module for module in program.modules if module.key in keys)


@dataclass(frozen=True, slots=True)
class Variant:
    """A specialised module: its new key, and which inputs and outputs (states after them) are channels-last.

    `regrets` are inputs that it only turns back to the spec's order.
    """

    key: str
    inputs: frozenset[int]
    last: frozenset[int]
    regrets: frozenset[int]


class Pass:
    """Modules by what they were specialised to; `done` holds the new ones, callees first."""

    def __init__(self, program: ir.Program) -> None:
        self.table = dict(program.table)
        self.demands = Demands(self.table)
        self.done: list[ir.Module] = []
        self.last_inputs: dict[str, frozenset[str]] = {}
        self._variants: dict[tuple[str, frozenset[int], frozenset[int], bool], Variant] = {}

    def variant(self, key: str, inputs: frozenset[int], wishes: frozenset[int], spec_outputs: bool = False) -> Variant:
        """The module with channels-last `inputs` (indices into inputs, then states), made at first use.

        `wishes`: outputs that the caller will want channels-last; with `spec_outputs` all stay as the spec has them.
        """
        index = (key, inputs, wishes, spec_outputs)
        if index not in self._variants:
            module, last, regrets = Relayout(self, self.table[key], inputs, wishes, spec_outputs).run()
            ports = [*(port.name for port in module.inputs), *(state.name for state in module.states)]
            new = self._keep(module)
            self.last_inputs[new] = frozenset(ports[place] for place in inputs)
            self._variants[index] = Variant(new, inputs, last, regrets)
        return self._variants[index]

    def settle(self, key: str, inputs: frozenset[int], wishes: frozenset[int]) -> Variant:
        """`variant`, but an input that it would only turn back comes in the spec's order."""
        variant = self.variant(key, inputs, wishes)
        return self.variant(key, inputs - variant.regrets, wishes) if variant.regrets else variant

    def _keep(self, module: ir.Module) -> str:
        """Adds a module, or finds the one that is the same but for its key; returns its key."""
        twins = [old for old in self.done if old.key.split("~")[0] == module.key]
        for old in twins:
            if replace(old, key=module.key) == module:
                return old.key
        key = module.key if not twins else f"{module.key}~{len(twins) + 1}"
        self.done.append(replace(module, key=key))
        return key


def reachable(modules: Sequence[ir.Module], entry: str) -> tuple[ir.Module, ...]:
    """The modules that `entry` calls, directly or not, in the given order (callees first)."""
    needed = {entry}
    for module in reversed(modules):
        if module.key in needed:
            targets = [equation.target for equation in module.body]
            needed.update(target.module for target in targets if isinstance(target, ir.Call | ir.Scan))
    return tuple(module for module in modules if module.key in needed)
