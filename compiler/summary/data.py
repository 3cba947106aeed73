"""A summary as JSON; docs/summary.md has the schema. Keys are added, never renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlc.dims import Size
from dlc.summary.rows import Row, type_of

if TYPE_CHECKING:
    from dlc.summary import Summary


def to_json(summary: Summary) -> dict[str, Any]:
    """Every instance in a flat list, turns of loops one by one."""
    return {
        "network": summary.name,
        "hyperparameters": dict(summary.hyperparameters),
        "inputs": dict(summary.inputs),
        "states": dict(summary.states),
        "outputs": dict(summary.outputs),
        "parameters": summary.parameters,
        "buffers": summary.buffers,
        "bytes": summary.bytes,
        "sizes": dict(summary.sizes),
        "multiply_adds": _number(summary.multiply_adds),
        "activation_bytes": _number(summary.activations),
        "own_parameters": {parameter.path: type_of(parameter) for parameter in summary.own},
        "instances": [_row(row) for row in summary.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "path": row.path,
        "block": f"scan {row.block}" if row.scanned else row.block,
        "hyperparameters": dict(row.hyperparameters),
        "outputs": dict(row.outputs),
        "calls": row.calls,
        "reads": row.reads,
        "parameters": row.parameters,
        "buffers": row.buffers,
        "multiply_adds": _number(row.multiply_adds),
        "activation_bytes": _number(row.activations),
    }


def _number(size: Size) -> int | str:
    """A polynomial in dynamic dimensions as text."""
    return size if isinstance(size, int) else str(size)
