"""What a network is made of: its instances as a tree, with blocks, hyperparameters, output shapes, parameter counts.

Nothing is allocated and no framework imported. Shapes are symbolic, in the network's own dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlc.backends.api import Network
from dlc.dims import Size, substitute
from dlc.ir import Call, Equation, LayerRef, Module, Program, Scan, Static, Template, TensorType
from dlc.parameters import NetworkParameter, join, network_parameters

_BYTES = {"float": 4, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "bool": 1}  # as stored; all others have 8
_WIDEST = 48  # columns of hyperparameters


@dataclass(frozen=True, slots=True)
class Row:
    """One instance. `path` is canonical (the prefix of its parameters' names), `name` its part below the owner.

    `hyperparameters` are those that the spec writes, as text; `outputs` those of the first of its `calls`; counts hold
    what is below it too.
    """

    path: str
    name: str
    depth: int
    block: str
    hyperparameters: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    calls: int
    parameters: int
    buffers: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A network in numbers. `str(summary)` is the tree for a terminal."""

    name: str
    hyperparameters: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    parameters: int
    buffers: int
    bytes: int

    def __str__(self) -> str:
        return self.text()

    def text(self, depth: int | None = None) -> str:
        """The tree as lines; instances more than `depth` levels down are left out."""
        lines = [self.name + (f"({_pairs(self.hyperparameters)})" if self.hyperparameters else "")]
        for word, ports in (("input", self.inputs), ("state", self.states), ("output", self.outputs)):
            lines += [f"  {word:6}  {name}: {type_}" for name, type_ in ports]
        shown = [row for row in self.rows if depth is None or row.depth < depth]
        lines += ["", *_table(shown)] if shown else []
        size = f"{self.bytes / 1e6:,.1f} MB" if self.bytes >= 1e5 else f"{self.bytes:,} bytes"
        buffers = f", {self.buffers:,} in buffers" if self.buffers else ""
        return "\n".join([*lines, "", f"{self.parameters:,} parameters{buffers}; {size} as a weights file"])

    def to_json(self) -> dict[str, Any]:
        return {
            "network": self.name,
            "hyperparameters": dict(self.hyperparameters),
            "inputs": dict(self.inputs),
            "states": dict(self.states),
            "outputs": dict(self.outputs),
            "parameters": self.parameters,
            "buffers": self.buffers,
            "bytes": self.bytes,
            "instances": [
                {
                    "path": row.path,
                    "block": row.block,
                    "hyperparameters": dict(row.hyperparameters),
                    "outputs": dict(row.outputs),
                    "calls": row.calls,
                    "parameters": row.parameters,
                    "buffers": row.buffers,
                }
                for row in self.rows
            ],
        }


def summarise(network: Network) -> Summary:
    """Raises DlcError where the network has too many instances or parameters (see `dlc.parameters`)."""
    program = network.inference
    stored = network_parameters(program, network.training)
    entry = program.module(program.entry)
    return Summary(
        network.name,
        tuple((name, value_text(static, entry)) for name, static in entry.hyperparameters),
        tuple((port.name, _type(entry.types[port.value], {})) for port in entry.inputs),
        tuple((state.name, _type(entry.types[state.value], {})) for state in entry.states),
        tuple((port.name, _type(entry.types[port.value], {})) for port in entry.outputs),
        tuple(_rows(program, _totals(stored))),
        sum(_elements(p) for p in stored if p.kind == "param"),
        sum(_elements(p) for p in stored if p.kind == "buffer"),
        sum(_elements(p) * _BYTES.get(p.dtype, 8) for p in stored),
    )


@dataclass(frozen=True, slots=True)
class _Visit:
    """An instance still to be shown: its owner, and the owner's dimensions in the network's."""

    owner: Module
    index: int
    calls: Sequence[Equation]
    above: str
    depth: int
    dims: Mapping[str, Size]


def _rows(program: Program, totals: Mapping[str, tuple[int, int]]) -> list[Row]:
    table = program.table
    rows: list[Row] = []
    stack = list(reversed(_visits(table[program.entry], "", 0, {})))
    while stack:
        visit = stack.pop()
        first = visit.calls[0]
        target = first.target
        assert isinstance(target, Call | Scan)
        callee, instance = table[target.module], visit.owner.instances[visit.index]
        path = join(visit.above, instance.path)
        inner = {name: substitute(size, visit.dims) for name, size in target.dims}
        hyperparameters = dict(instance.hyperparameters)
        written = [(name, hyperparameters[name]) for name in instance.written if name in hyperparameters]
        rows.append(
            Row(
                path,
                instance.path,
                visit.depth,
                ("scan " if isinstance(target, Scan) else "") + instance.block.name,
                tuple((name, value_text(static, visit.owner)) for name, static in written),
                tuple(
                    (port.name, _type(visit.owner.types[value], visit.dims))
                    for port, value in zip(callee.outputs, first.outputs, strict=False)
                ),
                len(visit.calls),
                *totals.get(path, (0, 0)),
            )
        )
        stack += reversed(_visits(callee, path, visit.depth + 1, inner))
    return rows


def _visits(module: Module, above: str, depth: int, dims: Mapping[str, Size]) -> list[_Visit]:
    """The module's own instances that are called here, in the order in which they were made."""
    calls: dict[int, list[Equation]] = {}
    for equation in module.body:
        if isinstance(equation.target, Call | Scan):
            calls.setdefault(equation.target.instance, []).append(equation)
    return [
        _Visit(module, index, calls[index], above, depth, dims)
        for index, instance in enumerate(module.instances)
        if index in calls and instance.given is None
    ]


def _totals(stored: Sequence[NetworkParameter]) -> dict[str, tuple[int, int]]:
    """Numbers in parameters and in buffers, for each prefix of a parameter's path."""
    found: dict[str, tuple[int, int]] = {}
    for parameter in stored:
        size = _elements(parameter)
        params, buffers = (size, 0) if parameter.kind == "param" else (0, size)
        parts = parameter.path.split(".")
        for end in range(1, len(parts)):
            prefix = ".".join(parts[:end])
            before = found.get(prefix, (0, 0))
            found[prefix] = (before[0] + params, before[1] + buffers)
    return found


def _elements(parameter: NetworkParameter) -> int:
    count = 1
    for size in parameter.shape:
        count *= size
    return count


def _type(type_: TensorType, dims: Mapping[str, Size]) -> str:
    shape = [str(substitute(size, dims)) if dims else str(size) for size in type_.shape]
    return f"{type_.dtype}[{', '.join(shape)}]"


def value_text(value: object, owner: Module) -> str:
    """A hyperparameter's value as the language writes it; a layer by its path in the owner."""
    if isinstance(value, Static):
        return value_text(value.value, owner)
    if isinstance(value, Template):
        bound = ", ".join(f"{name}={value_text(static, owner)}" for name, static in value.hyperparameters)
        return f"{value.block.name}({bound})" if bound else value.block.name
    if isinstance(value, LayerRef):
        return owner.instances[value.instance].path
    if isinstance(value, tuple):
        items: tuple[object, ...] = value
        return f"[{', '.join(value_text(item, owner) for item in items)}]"
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs)


def _table(rows: Sequence[Row]) -> list[str]:
    titles = ("instance", "block", "hyperparameters", "output", "parameters")
    cells = [titles, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    count = max(len(row[4]) for row in cells)
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4].rjust(count)])
        for row in cells
    ]


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    hyperparameters = _pairs(row.hyperparameters)
    if len(hyperparameters) > _WIDEST:
        hyperparameters = hyperparameters[: _WIDEST - 3] + "..."
    single = len(row.outputs) == 1
    outputs = ", ".join(type_ if single else f"{name}: {type_}" for name, type_ in row.outputs)
    if row.calls > 1:
        outputs += f" (first of {row.calls} calls)"
    return "  " * row.depth + row.name, row.block, hyperparameters, outputs, f"{row.parameters:,}"
