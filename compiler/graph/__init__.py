"""Pictures of networks: nested boxes, shapes on the edges, equal turns of a loop drawn once.

The model (`model.py`) comes from the IR in four steps: `extract.py` (calls are boxes, ops of a statement one box),
`turns.py`, `opening.py`, `labels.py`. `arrange.py` measures and places, with the layered layout of `layered/`; `svg.py`
and `png.py` print the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlc.backends.api import Network
from dlc.graph.extract import network_graph
from dlc.graph.labels import label
from dlc.graph.model import Drawing
from dlc.graph.opening import Opener
from dlc.summary import summarise
from dlc.summary.numbers import exact, short
from dlc.summary.table import at_sizes, pairs

DEPTH = 2

__all__ = ["DEPTH", "Drawing", "draw"]


def draw(network: Network, depth: int = DEPTH, expand: Sequence[str] = (), *, turns: bool = False) -> Drawing:
    """The network's picture, without places: `dlc.graph.svg.svg` and its siblings print it.

    `depth`: levels of open boxes; `expand`: blocks that are open wherever they stand ("all": all of the user's own);
    `turns`: draw every turn of a loop.
    """
    program = network.inference
    table = program.table
    opener = Opener(table, depth, frozenset(expand), turns)
    graph = label(opener.open(network_graph(program.module(program.entry), table)))
    summary = summarise(network)
    caption = (
        f"{exact(summary.parameters)} parameters · {short(summary.multiply_adds)} multiply-adds{at_sizes(summary)}"
    )
    return Drawing(network.name, pairs(summary.hyperparameters), caption, graph)
