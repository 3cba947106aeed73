"""What a reader of a model relies on: names, no dead nodes, nothing twice; and what a user of the compiler does."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import dlc
import onnx
import pytest
from dlc.backends.api import Network, Options
from dlc.backends.onnx import backend
from dlc.parameters import parameters
from dlc.passes.draws import explicit_network
from dlc.weights import header_of
from test_onnx_examples import NETWORKS, unit_of

GOLDEN = Path(__file__).parent / "golden"


def model_of(file: str, name: str, settings: dict[str, str], **options: bool) -> onnx.ModelProto:
    unit = unit_of(file, name, settings)
    (network,) = unit.networks
    explicit = explicit_network(network.inference, network.training)
    unit = replace(unit, networks=(Network(name, explicit.inference, explicit.training),))
    (content,) = backend.compile(unit, Options(**options)).files.values()
    assert isinstance(content, bytes)
    return onnx.ModelProto.FromString(content)


def bodies(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield attribute.g


def reads(nodes: Sequence[onnx.NodeProto], outputs: Sequence[str]) -> set[str]:
    """All names that nodes, and graphs inside them, read."""
    found = {*outputs, *(name for node in nodes for name in node.input)}
    for body in bodies(nodes):
        found |= reads(body.node, [value.name for value in body.output])
    return found


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize(("file", "name", "settings"), NETWORKS, ids=[name for _, name, _ in NETWORKS])
def test_nothing_dead_and_nothing_twice(file: str, name: str, settings: dict[str, str], training: bool):
    model = model_of(file, name, settings, training=training)
    graph_outputs = [value.name for value in model.graph.output]
    parts = [(f.name, f.node, list(f.output)) for f in model.functions]
    for part, nodes, outputs in [("graph", model.graph.node, graph_outputs), *parts]:
        needed = reads(nodes, outputs)
        for node in nodes:
            assert needed & set(node.output), f"{part}: nobody reads {node.name}"
            assert node.op_type != "Identity" or node.output[0] in outputs, f"{part}: {node.name} does nothing"
        names = Counter(name for node in nodes for name in node.output)
        assert max(names.values()) == 1, part
        constants = Counter(str(list(node.attribute)) for node in nodes if node.op_type == "Constant")
        assert not constants or max(constants.values()) == 1, f"{part}: a constant stands twice"
    calls = [node for _, nodes, _ in [("", model.graph.node, []), *parts] for node in all_nodes(nodes) if node.domain]
    called = {node.op_type for node in calls}
    assert {function.name for function in model.functions} <= called
    texts = Counter(f"{f.input} {f.output} {f.node}" for f in model.functions)
    assert not texts or max(texts.values()) == 1, "two functions say the same"


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize(("file", "name", "settings"), NETWORKS, ids=[name for _, name, _ in NETWORKS])
def test_functions_take_and_give_what_is_needed(file: str, name: str, settings: dict[str, str], training: bool):
    """Each input is read, each output is read by some caller, and none only copies."""
    model = model_of(file, name, settings, training=training)
    parts = [(model.graph.node, [value.name for value in model.graph.output])]
    parts += [(function.node, list(function.output)) for function in model.functions]
    used: dict[str, set[int]] = {function.name: set() for function in model.functions}
    for nodes, outputs in parts:
        needed = reads(nodes, outputs)
        for node in all_nodes(nodes):
            if node.domain:
                used[node.op_type] |= {place for place, output in enumerate(node.output) if output in needed}
    for function in model.functions:
        assert set(function.input) <= reads(function.node, []), f"{function.name} does not read all its inputs"
        assert used[function.name] == set(range(len(function.output))), f"{function.name} gives what nobody reads"
        assert all(node.op_type != "Identity" for node in function.node), function.name
    for tensor in model.graph.initializer:
        assert tensor.name in reads(model.graph.node, [])


@pytest.mark.parametrize(("file", "name", "settings"), NETWORKS, ids=[name for _, name, _ in NETWORKS])
def test_nothing_is_computed_twice(file: str, name: str, settings: dict[str, str]):
    """Sizes above all: `Shape` of one value stands once."""
    model = model_of(file, name, settings)
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        texts = Counter(
            f"{node.domain}.{node.op_type} {list(node.input)} {list(node.attribute)}"
            for node in nodes
            if node.op_type != "Constant"
        )
        assert not texts or max(texts.values()) == 1, texts.most_common(1)


def all_nodes(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    yield from nodes
    for body in bodies(nodes):
        yield from all_nodes(body.node)


def test_border_and_weights():
    """Dynamic dimensions by name, weights by canonical path at their place in the safetensors file."""
    unit = unit_of("char_lstm", "CharLSTM", {"hidden": "6"})
    model = model_of("char_lstm", "CharLSTM", {"hidden": "6"})
    (network,) = unit.networks
    stored = parameters(network.inference)
    _, entries = header_of(stored)
    assert model.ir_version == 10
    assert (model.producer_name, model.producer_version) == ("dlc", dlc.__version__)
    assert "peepholes" in model.doc_string
    assert [entry.key for entry in model.metadata_props] == ["dlc.mode"]
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 23, "dlc.char_lstm": 1}
    (tokens,), (logits,) = model.graph.input, model.graph.output
    assert (tokens.name, [d.dim_param for d in tokens.type.tensor_type.shape.dim]) == ("tokens", ["N", "T"])
    assert [d.dim_param or d.dim_value for d in logits.type.tensor_type.shape.dim] == ["N", "T", 96]
    assert {tensor.name for tensor in model.graph.initializer} == set(entries)
    for tensor in model.graph.initializer:
        external = {entry.key: entry.value for entry in tensor.external_data}
        start, end = entries[tensor.name].start, entries[tensor.name].end
        assert not tensor.raw_data
        assert external == {"location": "CharLSTM.safetensors", "offset": str(start), "length": str(end - start)}


@pytest.mark.parametrize(("file", "name"), [("char_lstm", "CharLSTM"), ("graph", "GCN"), ("lenet", "LeNet5")])
def test_text(file: str, name: str, check_golden: Callable[[Path, str], None]):
    """How a model reads. Shows change, proves nothing."""
    model = model_of(file, name, {})
    model.producer_version = ""
    text = onnx.printer.to_text(model)
    check_golden(GOLDEN / f"{file}.txt", text)


def test_importing_the_backend_imports_no_framework():
    code = "import sys, dlc.backends.onnx; print([m for m in ('onnx', 'onnxruntime', 'numpy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
