"""A scan over a standard cell as ONNX's own recurrent op (`LSTM` is twice as fast as `Scan` in ONNX Runtime).

The op wants time first, a leading axis of directions, its own order of gates, and two biases. A small function does
that: weights stay as the file holds them. Lengths become `sequence_lens`: outputs past a row's end are 0, and a
reversed scan starts at the last valid step, as the language says. Two things differ: ONNX Runtime refuses lengths
beyond the last step, and gives 0 for the final state of a row without a valid step, the language the state that it
started with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.onnx.graph import Attribute, Builder, Literal, Value
from dlc.backends.onnx.natives import Recurrent
from dlc.backends.onnx.scope import Callee, Scope
from dlc.ir import Scan


def recurrence(scope: Scope, target: Scan, given: Sequence[Value], callee: Callee, native: Recurrent) -> list[Value]:
    """The stacked output if it is wanted, then the final states. `given`: x, initial states, lengths."""
    states = [state.name for state in callee.module.states]
    paths = [native.input_weight, native.state_weight, native.bias]
    paths += [native.recurrent_bias] if native.recurrent_bias else []
    names = ["x", *states, *(["lengths"] if target.has_lengths else []), *paths]
    weights = [scope.weight(scope.path(target.instance, path)) for path in paths]
    hidden = dict(callee.module.hyperparameters)["hidden"].value
    assert isinstance(hidden, int)
    writer = _Writer(native, target, states, hidden)
    inputs = list(zip(names, [*given, *weights], strict=True))
    key = (native.op, hidden, target.scanned, target.stacked, target.reverse, target.has_lengths)
    doc = f"{native.op} over time, from weights in the order of the cell's own gates."
    outputs = [*(lane.name for lane in target.stacked), *(f"final_{name}" for name in states)]
    path = scope.module.instances[target.instance].path
    return scope.b.library.several(
        scope.b,
        f"{native.op.lower()}_reverse" if target.reverse else native.op.lower(),
        key,
        inputs,
        lambda b, values: writer.write(b, dict(zip(names, values, strict=True))),
        doc,
        outputs,
        path,
    )


class _Writer:
    """Writes the function's body; its inputs come by name."""

    def __init__(self, native: Recurrent, target: Scan, states: Sequence[str], hidden: int):
        self.native, self.target, self.states, self.hidden = native, target, states, hidden

    def write(self, b: Builder, given: Mapping[str, Value]) -> list[Value]:
        first = b.integers([0])
        operands = [
            self._time_first(b, given["x"]),
            b("Unsqueeze", self._reordered(b, given[self.native.input_weight]), first, hint="w"),
            b("Unsqueeze", self._reordered(b, given[self.native.state_weight]), first, hint="r"),
            b("Unsqueeze", self._biases(b, given), first, hint="b"),
            self._lengths(b, given) if "lengths" in given else None,
            *(b("Unsqueeze", given[name], first, hint=f"initial_{name}") for name in self.states),
        ]
        hints = ["stacked", *(f"last_{name}" for name in self.states)]
        stacked, *last = b.many(self.native.op, operands, hints, self._attributes(), optional=True)
        return [*self._stacked(b, stacked), *self._final(b, given, last)]

    def _attributes(self) -> dict[str, Attribute]:
        direction: dict[str, Attribute] = {"direction": "reverse"} if self.target.reverse else {}
        return {"hidden_size": self.hidden, **direction, **self.native.attributes}

    def _lengths(self, b: Builder, given: Mapping[str, Value]) -> Value:
        """ONNX Runtime refuses a length beyond the steps; in the language it says that all are valid."""
        (axis,) = (lane.axis for lane in self.target.scanned)
        steps = b("Shape", given["x"], hint="steps", start=axis, end=axis + 1)
        return b.cast(b("Min", given["lengths"], steps, hint="valid"), "i32")

    def _time_first(self, b: Builder, x: Value) -> Value:
        """[T, N, I], whichever axis has the time."""
        (axis,) = (lane.axis for lane in self.target.scanned)
        order = (axis, *(other for other in range(3) if other != axis))
        return b("Transpose", x, hint="steps", perm=order) if axis else x

    def _stacked(self, b: Builder, stacked: Value) -> list[Value]:
        """From [T, 1, N, hidden], time at the axis that its lane says."""
        if not self.target.stacked:
            return []
        (axis,) = (lane.axis for lane in self.target.stacked)
        order = [1, 2]
        order.insert(axis, 0)
        output = b("Squeeze", stacked, b.integers([1]))
        return [b("Transpose", output, perm=tuple(order)) if axis else output]

    def _final(self, b: Builder, given: Mapping[str, Value], last: Sequence[Value]) -> list[Value]:
        final = [b("Squeeze", value, b.integers([0]), hint=value.hint) for value in last]
        if "lengths" not in given:
            return final
        empty = b("Equal", given["lengths"], b.number(0, "int"), hint="empty")
        empty = b("Unsqueeze", empty, b.integers([1]), hint="empty")
        return [b("Where", empty, given[name], value) for name, value in zip(self.states, final, strict=True)]

    def _reordered(self, b: Builder, weight: Value) -> Value:
        """The gates of a weight, along its first axis, in ONNX's order."""
        gates = self.native.gates
        if gates == tuple(range(len(gates))):
            return weight
        hints = [f"{weight.hint}_{place}" for place in range(len(gates))]
        parts = b.many("Split", [weight], hints, {"axis": 0, "num_outputs": len(gates)})
        return b("Concat", *(parts[place] for place in gates), hint=f"{weight.hint}_gates", axis=0)

    def _biases(self, b: Builder, given: Mapping[str, Value]) -> Value:
        """The language has one bias per gate. The recurrent ones are 0, but for the one that a cell has by itself."""
        own = [given[self.native.recurrent_bias]] if self.native.recurrent_bias else []
        count = (len(self.native.gates) - len(own)) * self.hidden
        zeros = b("ConstantOfShape", b.integers([count]), hint="zeros", value=Literal("FLOAT", (1,), (0.0,)))
        return b("Concat", self._reordered(b, given[self.native.bias]), zeros, *own, hint="biases", axis=0)
