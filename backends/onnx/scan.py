"""`scan` as ONNX `Scan`: the body calls the cell's function; what the cell captures is read from outside.

Loop state: the cell's states, then the buffers that it updates in training. With lengths, the position in the row is
scanned too; where it is not below the row's length, the old state is kept and the output is 0. Both directions scan the
same positions, so a reversed scan keeps its initial state until the row's last valid step.

Trap: ONNX Runtime dies of a division by zero (SIGFPE, 1.31.1) where a `Scan` runs over no steps at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.library import own_values
from dlc.backends.onnx.rules.elementwise import select
from dlc.backends.onnx.scope import Scope
from dlc.check_ir import size_of
from dlc.ir import Module, Scan, TensorType

#: Calls the cell in a builder with its inputs and states; gives outputs and next states.
CallCell = Callable[[Builder, Sequence[Value]], Sequence[Value]]


@dataclass(frozen=True, slots=True)
class _Operands:
    """What a `scan` equation is given, in its order."""

    scanned: Sequence[Value]
    captured: Sequence[Value]
    states: Sequence[Value]
    lengths: Value | None


def scan(scope: Scope, target: Scan, given: Sequence[Value], call_cell: CallCell) -> list[Value]:
    """Outputs stacked along their lanes' axes, then final states."""
    callee = scope.callees[target.module]
    operands = _split(target, given, len(callee.module.states))
    buffers = [scope.path(target.instance, path) for path in callee.buffers]
    carried = [*operands.states, *map(scope.weight, buffers)]
    rows = list(operands.scanned)
    if target.has_lengths or not rows:  # a scan over steps alone still needs something to scan
        rows.append(scope.sizes.positions(size_of(target.steps)))
    instance = scope.module.instances[target.instance]
    body = scope.b.nested(f"{instance.site.split('.')[-1]}_step")
    _write_body(scope, target, operands, body, buffers, call_cell)
    hints = [*(f"final_{state.name}" for state in callee.module.states), *buffers]
    results = scope.b.many(
        "Scan",
        [*carried, *rows],
        hints + [lane.name for lane in target.stacked],
        {"body": body.graph, **_attributes(target, len(rows))},
        name=instance.path,
    )
    count = len(operands.states)
    for path, value in zip(buffers, results[count : len(carried)], strict=True):
        scope.buffers[path] = value
    return results[len(carried) :] + results[:count]


def _attributes(target: Scan, rows: int) -> dict[str, Attribute]:
    """Positions, the row after the scanned values, have the one axis 0. What is ONNX's default is left out."""
    attributes: dict[str, Attribute] = {"num_scan_inputs": rows}
    inputs = [lane.axis for lane in target.scanned]
    outputs = [lane.axis for lane in target.stacked]
    if any(inputs):
        attributes["scan_input_axes"] = (*inputs, *[0] * (rows - len(inputs)))
    if any(outputs):
        attributes["scan_output_axes"] = tuple(outputs)
    if target.reverse:
        attributes["scan_input_directions"] = (1,) * rows
        if outputs:
            attributes["scan_output_directions"] = (1,) * len(outputs)
    return attributes


def _split(target: Scan, given: Sequence[Value], states: int) -> _Operands:
    first, second = len(target.scanned), len(target.scanned) + len(target.captured)
    lengths = given[second + states] if target.has_lengths else None
    return _Operands(given[:first], given[first:second], given[second : second + states], lengths)


def _write_body(
    scope: Scope, target: Scan, operands: _Operands, body: Builder, buffers: Sequence[str], call_cell: CallCell
) -> None:
    cell = scope.callees[target.module].module
    old = [Value(state.name) for state in cell.states]
    statistics = [Value(path) for path in buffers]
    rows = [Value(f"{lane.name}_t") for lane in target.scanned]
    body.graph.inputs += [*old, *statistics, *rows]
    position = Value("position")
    if target.has_lengths or not rows:
        body.graph.inputs.append(position)
    scope.buffers.update(zip(buffers, statistics, strict=True))
    results = list(call_cell(body, [*_inputs(cell, target, rows, operands.captured), *old]))
    if operands.lengths is not None:
        results = _masked(body, cell, results, old, body("Less", position, operands.lengths, hint="valid"))
    count = len(cell.outputs)
    named = [(value, f"next_{state.name}") for value, state in zip(results[count:], cell.states, strict=True)]
    named += [(scope.buffers[path], f"next_{path}") for path in buffers]
    by_name = {port.name: value for value, port in zip(results[:count], cell.outputs, strict=True)}
    named += [(by_name[lane.name], f"{lane.name}_t") for lane in target.stacked]
    body.graph.outputs += own_values(body, named, body.graph.inputs)


def _inputs(cell: Module, target: Scan, rows: Sequence[Value], captured: Sequence[Value]) -> list[Value]:
    table = dict(zip(target.inputs, (*rows, *captured), strict=True))
    return [table[port.name] for port in cell.inputs if port.name in table]


def _masked(body: Builder, cell: Module, results: Sequence[Value], old: Sequence[Value], valid: Value) -> list[Value]:
    """Rows that are over keep their state and give 0."""
    types = [cell.types[port.value] for port in (*cell.outputs, *cell.next_states)]
    shaped: dict[int, Value] = {1: valid}
    kept: list[Value] = []
    for place, (value, type_) in enumerate(zip(results, types, strict=True)):
        state = place - len(cell.outputs)
        other = old[state] if state >= 0 else body.number(0, type_.dtype)
        kept.append(select(body, _of_rank(body, shaped, type_), value, other, type_.dtype))
    return kept


def _of_rank(body: Builder, shaped: dict[int, Value], type_: TensorType) -> Value:
    """`valid`, [N], with axes of size 1 behind it, so that it broadcasts over a value of this rank."""
    if type_.rank not in shaped:
        axes = body.integers(range(1, type_.rank))
        shaped[type_.rank] = body("Unsqueeze", shaped[1], axes, hint="valid")
    return shaped[type_.rank]
