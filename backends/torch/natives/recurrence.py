"""torch's fused recurrences for scans over standard cells: one call instead of a loop over time.

The cell keeps its own weights: `nn.LSTM` would have a second bias per gate, which doubles what a step of training does
to their sum. So `torch.lstm`, which `nn.LSTM` calls, is given the cell's weights and zeros.

Not here: lengths, since a packed sequence takes no row of length 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.ir import BlockId, Scan

Condition = Callable[[Scan], bool]


@dataclass(frozen=True, slots=True)
class Fused:
    """`helper`: the function of `HELPERS` that runs it. `when`: conditions on the scan, all to hold."""

    helper: str
    when: tuple[Condition, ...]


def takes_x(scan: Scan) -> bool:
    """One input per step; a cell may also see the same one at each."""
    return [lane.name for lane in scan.scanned] == ["x"] and not scan.captured


def over_axis_1(scan: Scan) -> bool:
    return all(lane.axis == 1 for lane in (*scan.scanned, *scan.stacked))


def has_no_lengths(scan: Scan) -> bool:
    return not scan.has_lengths


_WHEN: tuple[Condition, ...] = (takes_x, over_axis_1, has_no_lengths)

#: By the standard cell's name. Gates are in the same order here and there.
RECURRENT: Mapping[str, Fused] = {
    "rnn_cell": Fused("run_rnn", _WHEN),
    "lstm_cell": Fused("run_lstm", _WHEN),
    "gru_cell": Fused("run_gru", _WHEN),
}


def fused(scan: Scan, block: BlockId) -> Fused | None:
    """The fused form of a scan over a cell, or None."""
    found = RECURRENT.get(block.name) if block.file == "std/recurrence.dl" else None
    return found if found is not None and all(holds(scan) for holds in found.when) else None
