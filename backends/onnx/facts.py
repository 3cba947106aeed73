"""Which values of a program hold no entry of -inf, whatever the inputs and weights hold.

A module's inputs are known where they are at each of its calls. Of what a scan gives and takes nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.common.bounded import gives_above
from dlc.ir import Call, Equation, Module, Program, Scan


def values_above(program: Program) -> Mapping[str, frozenset[int]]:
    """The values above -inf, by the module's key."""
    facts = _Facts(program)
    facts.results(program.module(program.entry), frozenset())
    return facts.known


class _Facts:
    def __init__(self, program: Program):
        self._modules = {module.key: module for module in program.modules}
        self._results: dict[tuple[str, frozenset[int]], list[bool]] = {}
        self.known: dict[str, frozenset[int]] = {module.key: frozenset() for module in program.modules}
        self._met: set[str] = set()

    def results(self, module: Module, given: frozenset[int]) -> list[bool]:
        """What is known of a module's outputs and next states where its inputs and states in `given` are known."""
        key = (module.key, given)
        if key not in self._results:
            known = set(given)
            for equation in module.body:
                found = self._equation(module, equation, known)
                known.update(value for value, above in zip(equation.outputs, found, strict=True) if above)
            self._meet(module.key, frozenset(known))
            self._results[key] = [port.value in known for port in (*module.outputs, *module.next_states)]
        return self._results[key]

    def _meet(self, key: str, known: frozenset[int]) -> None:
        self.known[key] = self.known[key] & known if key in self._met else known
        self._met.add(key)

    def _equation(self, module: Module, equation: Equation, known: set[int]) -> Sequence[bool]:
        target = equation.target
        operands = [value in known for value in equation.inputs if value is not None]
        unknown = [False] * len(equation.outputs)
        match target:
            case Call():
                callee = self._modules[target.module]
                ports = [port.value for port in (*callee.inputs, *callee.states)]
                return self.results(
                    callee, frozenset(port for port, above in zip(ports, operands, strict=True) if above)
                )
            case Scan():
                self.results(self._modules[target.module], frozenset())
                return unknown
            case None:
                attributes = {name: static.value for name, static in equation.attributes}
                first = equation.inputs[0] if equation.inputs else None
                from_bool = first is not None and module.types[first].dtype == "bool"
                return [gives_above(equation.op, attributes, operands, from_bool)] * len(unknown)
            case _:
                return unknown
