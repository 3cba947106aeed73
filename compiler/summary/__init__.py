"""What a network is made of and what it costs: its instances as a tree, shapes, parameters, multiply-adds, memory.

Nothing is allocated and no framework imported. Shapes are symbolic, in the network's own dimensions; costs are
polynomials in them, told at the sizes that the caller gives, for a batch of 1 unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlc.backends.api import Network
from dlc.diagnostics import error
from dlc.dims import Size, is_symbol, substitute
from dlc.ir import Module
from dlc.parameters import NetworkParameter, network_parameters
from dlc.summary.costs import BYTES, Cost, costs
from dlc.summary.rows import Row, elements, flat, rows, type_text, value_text

__all__ = ["Row", "Summary", "batch_symbol", "flat", "summarise", "type_text", "value_text"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A network in numbers. `str(summary)` is the tree for a terminal, `summary.text(...)` with a choice of detail.

    `sizes` are those at which costs are told (`{"N": 1}`); where other dimensions are dynamic, `multiply_adds` and
    `activations` (bytes) are polynomials in them. `bytes` is the size of all parameters and buffers; `own` are those
    that the network declares itself, outside of all instances.
    """

    name: str
    hyperparameters: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    tree: tuple[Row, ...]
    own: tuple[NetworkParameter, ...]
    parameters: int
    buffers: int
    bytes: int
    multiply_adds: Size
    activations: Size
    sizes: Mapping[str, int]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All instances, owners before what they own."""
        return tuple(flat(self.tree))

    def __str__(self) -> str:
        return self.text()

    def text(self, depth: int | None = None, *, expand: bool = False, width: int = 100) -> str:
        """The tree as lines of at most `width` columns.

        Instances more than `depth` levels down are left out; equal turns of a loop are one row unless `expand`.
        """
        from dlc.summary.table import lines

        return "\n".join(line.plain for line in lines(self, depth, expand, width))

    def _repr_html_(self) -> str:
        from dlc.summary.html import html

        return html(self)

    def to_json(self) -> dict[str, Any]:
        from dlc.summary.data import to_json

        return to_json(self)


def summarise(network: Network, sizes: Mapping[str, int] | None = None) -> Summary:
    """`sizes`: of dynamic dimensions, for the costs. The batch is 1 if it is not among them.

    Raises DlcError where the network has too many instances or parameters (see `dlc.parameters`), and (E0203) where it
    has no such dimension.
    """
    program = network.inference
    entry = program.module(program.entry)
    fixed = _sizes(network.name, entry, sizes or {})
    stored = network_parameters(program, network.training)
    total: Cost = costs(program)[program.entry].at(fixed)
    return Summary(
        network.name,
        tuple((name, value_text(static, entry)) for name, static in entry.hyperparameters),
        tuple((port.name, type_text(entry.types[port.value], {})) for port in entry.inputs),
        tuple((state.name, type_text(entry.types[state.value], {})) for state in entry.states),
        tuple((port.name, type_text(entry.types[port.value], {})) for port in entry.outputs),
        rows(program, stored, fixed),
        tuple(parameter for parameter in stored if "." not in parameter.path),
        sum(elements(p) for p in stored if p.kind == "param"),
        sum(elements(p) for p in stored if p.kind == "buffer"),
        sum(elements(p) * BYTES.get(p.dtype, 8) for p in stored),
        total.multiply_adds,
        total.activations,
        {name: int(str(substitute(size, {}))) for name, size in fixed.items()},
    )


def batch_symbol(entry: Module) -> str | None:
    """The dynamic dimension that leads every input, state and output: the batch; None where there is none."""
    values = [port.value for port in (*entry.inputs, *entry.outputs)] + [state.value for state in entry.states]
    leading = {is_symbol(entry.types[value].shape[0]) if entry.types[value].shape else None for value in values}
    return leading.pop() if len(leading) == 1 else None


def _sizes(network: str, entry: Module, given: Mapping[str, int]) -> dict[str, Size]:
    dynamic = {home.symbol for home in entry.homes}
    batch = batch_symbol(entry)
    for name in given:
        if name not in dynamic:
            known = ", ".join(sorted(dynamic)) or "none"
            raise error("E0203", f"`{network}` has no dynamic dimension `{name}`", expected=known, exit_code=2)
    return {**({batch: 1} if batch is not None else {}), **given}
