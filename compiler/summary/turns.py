"""Turns of a loop that are the same, as one row with their count: `encoder_layer.0-5  x 6`.

Turns are the same if they stand at one place of the text, come one after the other, and have the same hyperparameters,
outputs and inside. Numbers of a folded row, and of what is below it, are those of all its turns together, so that they
still add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlc.dims import Size, multiply
from dlc.summary.rows import Row


@dataclass(frozen=True, slots=True)
class Folded:
    """`count` rows shown as one: `row` is the first of them, `name` tells the turns, `times` counts those above too."""

    row: Row
    name: str
    count: int
    times: int
    children: tuple[Folded, ...]

    @property
    def parameters(self) -> int:
        return self.row.parameters * self.times

    @property
    def buffers(self) -> int:
        return self.row.buffers * self.times

    @property
    def multiply_adds(self) -> Size:
        return multiply(self.row.multiply_adds, self.times)


def fold(rows: Sequence[Row], *, expand: bool = False, times: int = 1) -> tuple[Folded, ...]:
    """The rows of one level with their equal turns folded, or with `expand` as they are."""
    groups = [[row] for row in rows] if expand else _groups(rows)
    return tuple(_folded(group, expand, times) for group in groups)


def _folded(group: Sequence[Row], expand: bool, times: int) -> Folded:
    first, count = group[0], len(group)
    below = fold(first.children, expand=expand, times=times * count)
    return Folded(first, _name(group), count, times * count, below)


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Equal rows of one site that follow each other there; each group stands where its first row does."""
    groups: list[list[Row]] = []
    last: dict[str, list[Row]] = {}
    for row in rows:
        group = last.get(row.site)
        if group is not None and row.name != row.site and _signature(group[0]) == _signature(row):
            group.append(row)
            continue
        last[row.site] = [row]
        groups.append(last[row.site])
    return groups


def _signature(row: Row) -> object:
    return (
        row.block,
        row.scanned,
        row.applied,
        row.outputs,
        (row.calls, row.reads, row.parameters, row.buffers, row.multiply_adds, row.activations),
        tuple((child.name, _signature(child)) for child in row.children),
    )


def _name(group: Sequence[Row]) -> str:
    """`unit.1.1-3` for turns that count on, else the first and the last: `unit.0.0 ... unit.1.1`."""
    first, last = group[0].name, group[-1].name
    if len(group) == 1:
        return first
    stem, _, start = first.rpartition(".")
    other, _, end = last.rpartition(".")
    if stem == other and start.isdigit() and end.isdigit() and int(end) - int(start) == len(group) - 1:
        return f"{stem}.{start}-{end}"
    return f"{first} ... {last}"
