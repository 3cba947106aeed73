"""A scan over a standard recurrent cell as ONNX's `LSTM` or `GRU` (twice as fast as `Scan` in ONNX Runtime).

The op wants time first, a leading axis of directions, its own order of gates, and two biases. A small function does
that: weights stay as the file holds them. Lengths become `sequence_lens`: outputs past a row's end are 0, and a
reversed scan starts at the last valid step, as the language says. One thing differs: ONNX Runtime gives 0 for the final
state of a row without a valid step, the language the state that it started with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlc.backends.onnx.graph import Attribute, Builder, Literal, Value
from dlc.backends.onnx.natives import in_32_bits
from dlc.backends.onnx.scope import Callee, Scope
from dlc.ir import Module, Scan


@dataclass(frozen=True, slots=True)
class Cell:
    """The op, and the place of each of its gates among the cell's own. `recurrent_bias`: of the last gate, if any."""

    op: str
    gates: tuple[int, ...]
    weights: tuple[str, ...]
    attributes: Mapping[str, Attribute]


#: By the standard cell's file and name.
CELLS: Mapping[tuple[str, str], Cell] = {
    # i, f, g, o here; i, o, f, c in ONNX
    ("std/recurrence.dl", "lstm_cell"): Cell(
        "LSTM", (0, 3, 1, 2), ("dense.weight", "dense_2.weight", "dense.bias"), {}
    ),
    # r, z, n here; z, r, h in ONNX; the reset after the product, with its bias
    ("std/recurrence.dl", "gru_cell"): Cell(
        "GRU",
        (1, 0, 2),
        ("dense.weight", "dense_2.weight", "dense.bias", "recurrent_bias"),
        {"linear_before_reset": 1},
    ),
}


def cell_of(module: Module, target: Scan, precision: str) -> Cell | None:
    """The native form of a scan, or None. Only the step's input is scanned, time stands first or second."""
    cell = CELLS.get((module.block.file, module.block.name))
    axis = _time_axis(target)
    plain = [lane.name for lane in target.scanned] == ["x"] and not target.captured and axis in (0, 1)
    return cell if cell is not None and plain and in_32_bits(module, precision) else None


def recurrence(scope: Scope, target: Scan, given: Sequence[Value], callee: Callee, cell: Cell) -> list[Value]:
    """The stacked output, then the final states. `given`: x, initial states, lengths."""
    states = [state.name for state in callee.module.states]
    names = ["x", *states, *(["lengths"] if target.has_lengths else []), *cell.weights]
    weights = [scope.weight(scope.path(target.instance, path)) for path in cell.weights]
    (hidden,) = (dict(callee.module.hyperparameters)[name].value for name in ["hidden"])
    assert isinstance(hidden, int)

    def build(b: Builder, values: Sequence[Value]) -> list[Value]:
        return _write(b, dict(zip(names, values, strict=True)), states, cell, target, hidden)

    inputs = list(zip(names, [*given, *weights], strict=True))
    key = (cell.op, hidden, _time_axis(target), len(target.stacked), target.reverse, target.has_lengths)
    doc = f"{cell.op} over time, from weights in the order of the cell's own gates."
    outputs = [*(lane.name for lane in target.stacked), *(f"final_{name}" for name in states)]
    path = scope.module.instances[target.instance].path
    return scope.b.library.several(scope.b, cell.op.lower(), key, inputs, build, doc, outputs, path)


def _write(
    b: Builder, given: Mapping[str, Value], states: Sequence[str], cell: Cell, target: Scan, hidden: int
) -> list[Value]:
    first, swap = b.integers([0]), (1, 0, 2)
    axis = _time_axis(target)
    x = b("Transpose", given["x"], hint="steps", perm=swap) if axis == 1 else given["x"]
    matrices = [b("Unsqueeze", _reordered(b, given[name], cell), first, hint=name) for name in cell.weights[:2]]
    bias = b("Concat", _reordered(b, given["dense.bias"], cell), _recurrent_bias(b, given, cell, hidden), axis=0)
    starts = [b("Unsqueeze", given[name], first, hint=f"first_{name}") for name in states]
    lengths = b.cast(given["lengths"], "i32") if "lengths" in given else None
    attributes: dict[str, Attribute] = {"hidden_size": hidden, **cell.attributes}
    if target.reverse:
        attributes["direction"] = "reverse"
    operands = [x, *matrices, b("Unsqueeze", bias, first, hint="biases"), lengths, *starts]
    stacked, *last = b.many(cell.op, operands, ["stacked", *(f"last_{name}" for name in states)], attributes)
    final = [b("Squeeze", value, first, hint=value.hint) for value in last]
    if "lengths" in given:
        empty = b("Equal", given["lengths"], b.number(0, "int"), hint="empty")
        empty = b("Unsqueeze", empty, b.integers([1]), hint="empty")
        final = [b("Where", empty, given[name], value) for name, value in zip(states, final, strict=True)]
    if not target.stacked:
        return final
    output = b("Squeeze", stacked, b.integers([1]))
    return [b("Transpose", output, perm=swap) if axis == 1 else output, *final]


def _time_axis(target: Scan) -> int | None:
    """The axis of time, where all lanes have the same."""
    axes = {lane.axis for lane in (*target.scanned, *target.stacked)}
    return axes.pop() if len(axes) == 1 else None


def _reordered(b: Builder, weight: Value, cell: Cell) -> Value:
    """The gates of a weight, along its first axis, in ONNX's order."""
    hints = [f"{weight.hint}_{place}" for place in range(len(cell.gates))]
    parts = b.many("Split", [weight], hints, {"axis": 0, "num_outputs": len(cell.gates)})
    return b("Concat", *(parts[place] for place in cell.gates), hint=f"{weight.hint}_gates", axis=0)


def _recurrent_bias(b: Builder, given: Mapping[str, Value], cell: Cell, hidden: int) -> Value:
    """The language has one bias per gate; but for the GRU's new gate, the recurrent one is 0."""
    own = "recurrent_bias" in given
    count = (len(cell.gates) - own) * hidden
    zeros = b("ConstantOfShape", b.integers([count]), hint="zeros", value=Literal("FLOAT", (1,), (0.0,)))
    return b("Concat", zeros, given["recurrent_bias"], hint="recurrent", axis=0) if own else zeros
