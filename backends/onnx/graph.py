"""An ONNX function or graph while it is being built: values, nodes, constants.

Plain records, no `onnx` import: `proto` turns them into messages at the end. A body may stand inside another (of a
`Scan`): constants and sizes are then made once, in the outermost body, and read from inside as outer values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dlc.ir import FLOATS

if TYPE_CHECKING:
    from dlc.backends.onnx.library import Library

Attribute: TypeAlias = "int | float | str | tuple[int, ...] | tuple[float, ...] | Literal | Graph"
Number = int | float | bool


@dataclass(eq=False, slots=True)
class Value:
    """One tensor. `hint` is what it would like to be called; `name` is settled when its function is finished."""

    hint: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Literal:
    """A tensor attribute: element type (an ONNX name such as `FLOAT`), shape, numbers in row-major order."""

    dtype: str
    shape: tuple[int, ...]
    numbers: tuple[Number, ...]


@dataclass(eq=False, slots=True)
class Node:
    """One ONNX node; an input of None is an optional input left out. `optional`: outputs may be left out too."""

    op: str
    inputs: list[Value | None]
    outputs: list[Value]
    attributes: dict[str, Attribute] = field(default_factory=dict[str, "Attribute"])
    domain: str = ""
    name: str = ""
    optional: bool = False


@dataclass(eq=False, slots=True)
class Graph:
    """A body: of a function, of a `Scan`, or the model's graph."""

    name: str
    inputs: list[Value] = field(default_factory=list[Value])
    nodes: list[Node] = field(default_factory=list[Node])
    outputs: list[Value] = field(default_factory=list[Value])

    def bodies(self) -> Iterable[tuple[Node, Graph]]:
        for node in self.nodes:
            for attribute in node.attributes.values():
                if isinstance(attribute, Graph):
                    yield node, attribute


class Builder:
    """Appends nodes to a graph. `root` is the outermost builder, which keeps constants."""

    def __init__(self, graph: Graph, precision: str, *, library: Library | None = None, parent: Builder | None = None):
        self.graph, self.precision = graph, precision
        self._library = library
        self.root: Builder = parent.root if parent else self
        self._constants: dict[object, Value] = {}

    def nested(self, name: str) -> Builder:
        """A builder for a body inside this one."""
        return Builder(Graph(name), self.precision, library=self._library, parent=self)

    @property
    def library(self) -> Library:
        assert self._library is not None
        return self._library

    # --- nodes -------------------------------------------------------------------------------------------------

    def many(
        self,
        op: str,
        inputs: Sequence[Value | None],
        hints: Sequence[str],
        attributes: Mapping[str, Attribute] | None = None,
        *,
        domain: str = "",
        name: str = "",
        optional: bool = False,
    ) -> list[Value]:
        """One node with one output per hint; trailing absent inputs are dropped. For the rest see `Node`."""
        kept = list(inputs)
        while kept and kept[-1] is None:
            kept.pop()
        outputs = [Value(hint) for hint in hints]
        self.graph.nodes.append(Node(op, kept, outputs, dict(attributes or {}), domain, name, optional))
        return outputs

    def __call__(self, op: str, *inputs: Value | None, hint: str = "", **attributes: Attribute) -> Value:
        """One node with one output."""
        return self.many(op, inputs, [hint or snake(op)], attributes)[0]

    # --- constants ---------------------------------------------------------------------------------------------

    def integers(self, numbers: Sequence[int], hint: str = "") -> Value:
        """A constant int64 vector."""
        numbers = tuple(numbers)
        if not numbers:  # an attribute cannot tell an empty list of ints from an absent one
            return self.literal(Literal("INT64", (0,), ()), hint or "none")
        text = hint or "_".join(["ints", *map(_digits, numbers)])
        return self._constant(("ints", numbers, hint), text, {"value_ints": numbers})

    def number(self, value: Number, dtype: str, hint: str = "") -> Value:
        """A constant scalar of one of the IR's element types."""
        element = self.element(dtype)
        text = hint or f"{_kind(dtype)}_{_digits(value)}"
        if element == "INT64":
            return self._constant((element, int(value)), text, {"value_int": int(value)})
        if element == "FLOAT":  # the key is text, for 0.0 == -0.0
            return self._constant((element, repr(float(value))), text, {"value_float": float(value)})
        return self.literal(Literal(element, (), (value,)), text)

    def literal(self, literal: Literal, hint: str) -> Value:
        return self._constant(repr(literal), hint, {"value": literal})

    def _constant(self, key: object, hint: str, attributes: dict[str, Attribute]) -> Value:
        root = self.root
        if key not in root._constants:
            root._constants[key] = root.many("Constant", [], [hint], attributes)[0]
        return root._constants[key]

    # --- types -------------------------------------------------------------------------------------------------

    def element(self, dtype: str) -> str:
        """The ONNX element type of an IR type: families get their width from the precision."""
        return element(dtype, self.precision)

    def cast(self, value: Value, dtype: str, hint: str = "") -> Value:
        return self("Cast", value, hint=hint or value.hint, to=CODES[self.element(dtype)])


#: Element types, and their codes in `onnx.TensorProto`.
ELEMENTS = {
    "bool": "BOOL",
    "f16": "FLOAT16",
    "bf16": "BFLOAT16",
    "f32": "FLOAT",
    "f64": "DOUBLE",
    "i32": "INT32",
    "i64": "INT64",
    "int": "INT64",
}
CODES = {"FLOAT": 1, "INT32": 6, "INT64": 7, "BOOL": 9, "FLOAT16": 10, "DOUBLE": 11, "BFLOAT16": 16}


def element(dtype: str, precision: str) -> str:
    """The ONNX element type of an IR type under a precision: `float` under f32 is `FLOAT`."""
    return ELEMENTS[precision if dtype == "float" else dtype]


def is_float(dtype: str) -> bool:
    return dtype in FLOATS


def live(graph: Graph) -> None:
    """Drops nodes whose results nobody reads, in the graph and in its bodies."""
    for _, body in graph.bodies():
        live(body)
    needed = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if needed.isdisjoint(node.outputs):
            continue
        kept.append(node)
        needed.update(value for value in node.inputs if value is not None)
        needed.update(outer(node))
    graph.nodes = kept[::-1]


def outer(node: Node) -> set[Value]:
    """Values that a node's bodies read from outside."""
    found: set[Value] = set()
    for attribute in node.attributes.values():
        if isinstance(attribute, Graph):
            found |= reads(attribute)
    return found


def reads(graph: Graph) -> set[Value]:
    """Values that a graph reads and does not make."""
    made = set(graph.inputs)
    found = set(graph.outputs)
    for node in graph.nodes:
        made.update(node.outputs)
        found.update(value for value in node.inputs if value is not None)
        found |= outer(node)
    return found - made


class Names:
    """Gives each value of one function a name of its own: `x`, `x_2`, `x_3`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        #: The last number given out for a hint: none below is free.
        self._last: dict[str, int] = {}

    def fresh(self, hint: str) -> str:
        name, count = hint, self._last.get(hint, 1)
        while name in self._taken:
            count += 1
            name = f"{hint}_{count}"
        self._taken.add(name)
        self._last[hint] = count
        return name

    def settle(self, values: Iterable[Value]) -> None:
        for value in values:
            if not value.name:
                value.name = self.fresh(value.hint)

    def settle_graph(self, graph: Graph) -> None:
        """Names what is left in a graph, in order of the text."""
        self.settle(graph.inputs)
        for node in graph.nodes:
            for attribute in node.attributes.values():
                if isinstance(attribute, Graph):
                    self.settle_graph(attribute)
            self.settle(node.outputs)


def snake(op: str) -> str:
    """`ReduceMean` as a name: `reduce_mean`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", op).lower()


def _kind(dtype: str) -> str:
    return "float" if is_float(dtype) else "bool" if dtype == "bool" else "int"


def _digits(number: Number) -> str:
    """A number as part of a name: -0.5 is `minus_0_5`. Long ones are cut; names are made unique anyway."""
    text = f"{number:.6g}" if isinstance(number, float) else str(number).lower()
    return text.replace("-", "minus_").replace(".", "_").replace("+", "")
