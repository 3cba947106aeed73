"""Which values a module's later equations want channels-last (a backward pass, memoised per module)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dlc import ir
from dlc.backends.tensorflow.axes import ALIGNED, ASKING, ELEMENTWISE, REDUCING, eligible, lone_axis, permutation


class Demands:
    """Answers what a module wants, given what its callers want of its outputs."""

    def __init__(self, table: Mapping[str, ir.Module]) -> None:
        self._table = table
        self._memo: dict[tuple[str, frozenset[int]], frozenset[int]] = {}

    def inputs(self, key: str, outputs: frozenset[int]) -> frozenset[int]:
        """Indices of the inputs (then states) that the module wants channels-last.

        `outputs`: indices of outputs (then next states) that are wanted so.
        """
        if (key, outputs) not in self._memo:
            module = self._table[key]
            wanted = self.values(module, outputs)
            ports = [*(port.value for port in module.inputs), *(state.value for state in module.states)]
            self._memo[key, outputs] = frozenset(index for index, value in enumerate(ports) if value in wanted)
        return self._memo[key, outputs]

    def values(self, module: ir.Module, outputs: frozenset[int]) -> frozenset[int]:
        """Ids of the module's values that are wanted channels-last."""
        ports = [*module.outputs, *module.next_states]
        wanted = {ports[index].value for index in outputs}
        wanted = {value for value in wanted if eligible(module.types[value].shape)}
        for equation in reversed(module.body):
            wanted.update(value for value in self._asked(module, equation, wanted) if self._full(module, value))
        return frozenset(wanted)

    def _asked(self, module: ir.Module, equation: ir.Equation, wanted: set[int]) -> Iterable[int]:
        target = equation.target
        present = [value for value in equation.inputs if value is not None]
        if isinstance(target, ir.Call):
            outputs = frozenset(index for index, value in enumerate(equation.outputs) if value in wanted)
            asked = self.inputs(target.module, outputs)
            return [v for index, v in enumerate(equation.inputs) if v is not None and index in asked]
        if isinstance(target, ir.Scan):
            return self._asked_by_scan(equation, target)
        if equation.op in ASKING:
            return present[:1]
        if equation.op == "transpose" and _brings_channels_last(module, equation):
            return present
        if not any(value in wanted for value in equation.outputs):
            return ()
        ranks = {module.types[value].rank for value in equation.outputs}
        follows = equation.op in ELEMENTWISE or equation.op in ALIGNED or equation.op in REDUCING
        return [value for value in present if follows and ranks == {module.types[value].rank}]

    def _asked_by_scan(self, equation: ir.Equation, target: ir.Scan) -> Iterable[int]:
        """Captured values and states; scanned ones have another form (one axis more) and are transposed at the loop."""
        module = self._table[target.module]
        asked = self.inputs(target.module, frozenset())
        names = [*(port.name for port in module.inputs), *(state.name for state in module.states)]
        wanted = {names[index] for index in asked}
        values = dict(zip(scan_names(module, target), equation.inputs, strict=False))
        scanned = {lane.name for lane in target.scanned}
        return [v for name, v in values.items() if name in wanted and name not in scanned and v is not None]

    def _full(self, module: ir.Module, value: int) -> bool:
        shape = module.types[value].shape
        return eligible(shape) and lone_axis(shape) is None


def _brings_channels_last(module: ir.Module, equation: ir.Equation) -> bool:
    """Three axes are left out: exchanging the last two is a matrix' transpose as often."""
    rank = module.types[equation.outputs[0]].rank
    return rank > 3 and equation.attribute("axes") == permutation(rank)


def scan_names(module: ir.Module, target: ir.Scan) -> list[str]:
    """What each input of a scan equation feeds (lengths, if any, come after)."""
    return [*target.inputs, *(state.name for state in module.states)]
