"""The model-local functions of one model: one per module, and small helpers that rules ask for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Graph, Names, Value, live, reads
from dlc.backends.onnx.proto import Function

Build = Callable[[Builder, Sequence[Value]], Value]


class Library:
    """Functions in the order they were made, callees first; names are unique in the model."""

    def __init__(self, domain: str, precision: str):
        self.domain, self.precision = domain, precision
        self.functions: list[Function] = []
        self.names = Names()
        self._helpers: dict[Hashable, str] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def builder(self, name: str) -> Builder:
        return Builder(Graph(name), self.precision, library=self)

    def helper(
        self, b: Builder, name: str, key: Hashable, inputs: Sequence[tuple[str, Value]], build: Build, doc: str
    ) -> Value:
        """Calls the function `name` with named inputs; `build` writes its body where (name, key) is new."""
        return self.several(b, name, key, inputs, lambda b, given: [build(b, given)], doc, ["output"])[0]

    def several(
        self,
        b: Builder,
        name: str,
        key: Hashable,
        inputs: Sequence[tuple[str, Value]],
        build: Callable[[Builder, Sequence[Value]], Sequence[Value]],
        doc: str,
        outputs: Sequence[str],
        path: str = "",
    ) -> list[Value]:
        """`helper` with several outputs; `path` names the node."""
        if (name, key) not in self._helpers:
            inner = self.builder(name)
            formals = [Value(hint) for hint, _ in inputs]
            inner.graph.inputs += formals
            finish(inner, build(inner, formals), outputs, Names())
            self._helpers[(name, key)] = self.add(inner, name, doc)
        hints = [name] if len(outputs) == 1 else outputs
        given = [value for _, value in inputs]
        return b.many(self._helpers[(name, key)], given, hints, domain=self.domain, name=path)

    def add(self, builder: Builder, name: str, doc: str) -> str:
        """Adds a finished graph as a function called `name`, or like it; the name it got.

        Modules of one block that differ only in sizes known from their inputs are one function.
        """
        text = _text(builder.graph)
        if (name, text) not in self._texts:
            builder.graph.name = self._texts[(name, text)] = self.names.fresh(name)
            self.functions.append(Function(builder.graph.name, builder.graph, doc))
        return self._texts[(name, text)]

    def used(self, graph: Graph) -> list[Function]:
        """The functions that a graph reaches, callees first."""
        table = {function.name: function for function in self.functions}
        reached: set[str] = set()
        waiting = [graph]
        while waiting:
            current = waiting.pop()
            waiting += [body for _, body in current.bodies()]
            new = {node.op for node in current.nodes if node.domain == self.domain} - reached
            reached |= new
            waiting += [table[name].graph for name in sorted(new)]
        return [function for function in self.functions if function.name in reached]


def _text(graph: Graph) -> str:
    """All that a graph says, names included; equal for equal graphs."""
    lines = [f"{[value.name for value in graph.inputs]} -> {[value.name for value in graph.outputs]}"]
    for node in graph.nodes:
        attributes = {
            name: _text(value) if isinstance(value, Graph) else value for name, value in sorted(node.attributes.items())
        }
        given = [value and value.name for value in node.inputs]
        lines.append(f"{[value.name for value in node.outputs]} = {node.domain}.{node.op}{given} {attributes}")
    return "\n".join(lines)


def finish(
    builder: Builder,
    outputs: Sequence[Value],
    hints: Sequence[str],
    names: Names,
    weights: Mapping[str, Value] | None = None,
) -> list[str]:
    """Closes a function's graph: outputs of their own, no dead nodes, names for all; the paths of the weights it takes.

    An output that is an input, or that another output is already, gets an `Identity`. Only weights that are read become
    inputs.
    """
    graph = builder.graph
    borrowed = [*graph.inputs, *(weights or {}).values()]
    graph.outputs += own_values(builder, list(zip(outputs, hints, strict=True)), borrowed)
    live(graph)
    read = reads(graph)
    used = {path: value for path, value in (weights or {}).items() if value in read}
    graph.inputs += used.values()
    names.settle(graph.inputs)
    names.settle(graph.outputs)
    names.settle_graph(graph)
    return list(used)


def own_values(builder: Builder, named: Sequence[tuple[Value, str]], borrowed: Sequence[Value]) -> list[Value]:
    """Values that this graph makes itself, one per output, with the outputs' names as hints."""
    made = {value for node in builder.graph.nodes for value in node.outputs} - set(borrowed)
    values: list[Value] = []
    for value, hint in named:
        if value in made:
            made.discard(value)
        else:
            value = builder("Identity", value)
        value.hint = hint
        values.append(value)
    return values
