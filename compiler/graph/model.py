"""What a picture shows: nodes and edges, and graphs inside nodes. No sizes or places yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlc.dims import Size
from dlc.ir import Frame, Module


@dataclass(frozen=True, slots=True)
class End:
    """One port of a node: `port` counts its inputs, or its outputs."""

    node: int
    port: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A value on its way. `label` is what is written beside it, `type` its full type."""

    source: End
    target: End
    type: str
    label: str = ""
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """The call behind a node: the callee, where it stands, and how its ports and outputs stand for its values.

    `inputs` holds per port the callee's values that it feeds; `outputs` per port its name and the value that it gives.
    """

    module: Module
    path: str
    dims: tuple[tuple[str, Size], ...]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[str, int], ...]
    standard: bool


@dataclass(slots=True)
class Node:
    """A box, a junction, or a port of the box around it.

    `kind`: "block", "op", "join" (a circle with `title` in it), "input", "output", "parameter" (a value that nobody
    computes here), "repeat" (turns of a loop around its `inner` nodes), "in" and "out" (ports of the graph's owner).
    `count` is how many equal turns it stands for; `badge` a word at its corner. `inputs` and `outputs` name its
    ports; `outer` counts the ports of an "in" or "out".
    """

    kind: str
    title: str
    detail: str = ""
    family: str = ""
    badge: str = ""
    path: str = ""
    count: int = 1
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("",)
    outer: int = 0
    site: Site | None = None
    frames: tuple[Frame, ...] = ()
    signature: object = None
    inner: Graph | None = None


@dataclass(slots=True)
class Graph:
    """Nodes by number, in the order of the text; edges from one to another, sorted by their targets."""

    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    edges: list[Edge] = field(default_factory=list[Edge])

    def into(self, node: int) -> list[Edge]:
        return sorted((edge for edge in self.edges if edge.target.node == node), key=lambda edge: edge.target.port)

    def out_of(self, node: int) -> list[Edge]:
        return [edge for edge in self.edges if edge.source.node == node]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole picture: a network's name and hyperparameters, one line about it, and its graph."""

    title: str
    detail: str
    caption: str
    graph: Graph
