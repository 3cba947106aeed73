"""From built graphs to an `onnx.ModelProto`: the one file of the compile half that imports onnx, in functions only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlc import __version__
from dlc.backends.onnx.graph import CODES, Attribute, Graph, Literal, Node, Value
from dlc.dims import Size

if TYPE_CHECKING:
    import onnx

OPSET = 23
IR_VERSION = 10
_UNTYPED = re.compile(r"\(op_type:(\w+), node name: [^)]*\): Inputs typestr: \w+, has unsupported type")


@dataclass(frozen=True, slots=True)
class Function:
    """A model-local function. Inputs: data inputs, states, then weights by their path relative to the instance."""

    name: str
    graph: Graph
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A graph input or output: ONNX element type and shape; a symbolic size is a named dimension."""

    name: str
    element: str
    shape: Sequence[Size]


@dataclass(frozen=True, slots=True)
class Initialiser:
    """A weight whose numbers stand in `location` from byte `offset` on."""

    tensor: Tensor
    location: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Model:
    graph: Graph
    domain: str
    functions: Sequence[Function]
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    weights: Sequence[Initialiser]
    #: What the spec's file says of itself, and what the network says.
    doc: str
    graph_doc: str
    metadata: Mapping[str, str]


def serialise(model: Model) -> bytes:
    """The model's file; the same bytes every time."""
    return build(model).SerializeToString(deterministic=True)


def undefined_op(data: bytes) -> str | None:
    """An op of a serialised model that ONNX does not define for its element types: `Einsum` takes no bfloat16."""
    import onnx

    try:
        onnx.shape_inference.infer_shapes(data, check_type=True, strict_mode=True)
    except onnx.shape_inference.InferenceError as problem:
        found = _UNTYPED.search(str(problem))
        return found[1] if found else None
    return None


def build(model: Model) -> onnx.ModelProto:
    from onnx import helper

    domains = [helper.make_opsetid("", OPSET)]
    if model.functions:
        domains.append(helper.make_opsetid(model.domain, 1))
    graph = helper.make_graph(
        [_node(node) for node in model.graph.nodes],
        model.graph.name,
        [_tensor(tensor) for tensor in model.inputs],
        [_tensor(tensor) for tensor in model.outputs],
        [_initialiser(weight) for weight in model.weights],
        doc_string=model.graph_doc or None,
    )
    proto = helper.make_model(
        graph,
        functions=[_function(function, model.domain) for function in model.functions],
        opset_imports=domains,
        ir_version=IR_VERSION,
        producer_name="dlc",
        producer_version=__version__,
        doc_string=model.doc,
    )
    helper.set_model_props(proto, dict(model.metadata))
    return proto


def _function(function: Function, domain: str) -> onnx.FunctionProto:
    from onnx import helper

    domains = {"", *(node.domain for node in _all_nodes(function.graph))}
    return helper.make_function(
        domain,
        function.name,
        [value.name for value in function.graph.inputs],
        [value.name for value in function.graph.outputs],
        [_node(node) for node in function.graph.nodes],
        [helper.make_opsetid(name, 1 if name else OPSET) for name in sorted(domains)],
        doc_string=function.doc or None,
    )


def _all_nodes(graph: Graph) -> list[Node]:
    return [*graph.nodes, *(node for _, body in graph.bodies() for node in _all_nodes(body))]


def _node(node: Node) -> onnx.NodeProto:
    from onnx import helper

    proto = helper.make_node(
        node.op,
        ["" if value is None else value.name for value in node.inputs],
        [value.name for value in node.outputs],
        name=node.name or None,
        domain=node.domain or None,
    )
    for name, attribute in sorted(node.attributes.items()):
        proto.attribute.append(helper.make_attribute(name, _attribute(name, attribute)))
    return proto


def _attribute(name: str, attribute: Attribute) -> object:
    from onnx import helper

    if isinstance(attribute, Literal):
        return helper.make_tensor("", CODES[attribute.dtype], attribute.shape, attribute.numbers)
    if isinstance(attribute, Graph):
        return helper.make_graph(
            [_node(node) for node in attribute.nodes],
            attribute.name,
            [_untyped(value) for value in attribute.inputs],
            [_untyped(value) for value in attribute.outputs],
        )
    return attribute


def _untyped(value: Value) -> onnx.ValueInfoProto:
    """A body's input or output: its type follows from what the node is given."""
    from onnx import helper

    return helper.make_empty_tensor_value_info(value.name)


def _tensor(tensor: Tensor) -> onnx.ValueInfoProto:
    from onnx import helper

    shape = [size if isinstance(size, int) else str(size) for size in tensor.shape]
    return helper.make_tensor_value_info(tensor.name, CODES[tensor.element], shape)


def _initialiser(weight: Initialiser) -> onnx.TensorProto:
    import onnx

    proto = onnx.TensorProto(
        name=weight.tensor.name,
        data_type=CODES[weight.tensor.element],
        dims=[size for size in weight.tensor.shape if isinstance(size, int)],
        data_location=onnx.TensorProto.EXTERNAL,
    )
    entries = {"location": weight.location, "offset": str(weight.offset), "length": str(weight.length)}
    for key, value in entries.items():
        proto.external_data.add(key=key, value=value)
    return proto
