"""Which boxes are open: the user's own blocks, down to a depth, each form of a block where it first stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dlc.graph.extract import block_graph
from dlc.graph.model import Graph, Node
from dlc.graph.turns import fold_turns
from dlc.ir import BlockId, Module

#: What `--expand` takes for "every block of the user's own, wherever it stands".
ALL = "all"

#: A block that is larger inside is opened in its first form only.
LARGE = 12


@dataclass(slots=True)
class Opener:
    """`depth`: levels of open boxes. `expand`: names of blocks that are open wherever they stand, standard ones too.

    Two boxes of one block have the same form if they hold the same nodes, joined in the same way, whatever their sizes.
    """

    table: Mapping[str, Module]
    depth: int
    expand: frozenset[str]
    turns: bool
    shown: dict[BlockId, set[object]] = field(default_factory=dict[BlockId, set[object]])

    def open(self, graph: Graph, level: int = 0) -> Graph:
        """Fills in the `inner` of the nodes that are open. A graph that was not folded yet is folded first."""
        folded = graph if self.turns else fold_turns(graph)
        self._inside(folded, level)
        return folded

    def _inside(self, graph: Graph, level: int) -> None:
        for node in graph.nodes.values():
            if node.inner is not None:  # turns of a loop
                self._inside(node.inner, level)
            elif node.site is not None and self._may_open(node, level):
                self._look(node, level)

    def _may_open(self, node: Node, level: int) -> bool:
        assert node.site is not None
        if node.title in self.expand:
            return True
        return level < self.depth and not node.site.standard

    def _look(self, node: Node, level: int) -> None:
        assert node.site is not None
        inner = block_graph(node.site, self.table)
        size = sum(child.kind not in ("in", "out") for child in inner.nodes.values())
        block, form = node.site.module.block, _form(inner)
        known = self.shown.setdefault(block, set())
        seen = form in known or (bool(known) and size > LARGE)
        if size < 2 or (seen and not {ALL, node.title} & self.expand):
            return
        known.add(form)
        node.inner = self.open(inner, level + 1)


def _form(graph: Graph) -> object:
    nodes = tuple((number, node.kind, node.title) for number, node in graph.nodes.items())
    return nodes, tuple((edge.source, edge.target) for edge in graph.edges)
