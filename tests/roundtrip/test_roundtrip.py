"""torch -> file -> TensorFlow -> file -> ONNX: the same bytes all the way, under the canonical names.

At the end the model runs in ONNX Runtime, each weight an output beside the network's own: what the session holds are
the bytes that torch wrote, and the network's outputs are the oracle's for the numbers that torch had.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from dlc.api import Network
from dlc.verify.compare import AGREES, compare
from dlc.verify.inputs import choose_sizes, make_inputs
from dlc.verify.oracle import references
from roundtrip_networks import SMALL, small
from safetensors.numpy import load_file, save_file

QUICK = ("LeNet5", "Transformer", "Seq2Seq", "GCN")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SMALL]


def torch_state(network: Network) -> dict[str, Any]:
    """A model with its own initialisation, each value moved a little so that no two tensors are alike."""
    torch.manual_seed(3)
    torch.set_num_threads(1)
    found = canonical(network, network.build("torch").state_dict())
    return {
        name: (value + 0.01 * torch.rand_like(value) if value.is_floating_point() else value).numpy()
        for name, value in found.items()
    }


def canonical(network: Network, state: Mapping[str, Any]) -> dict[str, Any]:
    """A state dict under the spec's names: torch keeps some words for itself (`forward` is `forward_` there)."""
    entry = json.loads(network.compile("torch").artifact.entries[network.name])
    words = {after: before for before, after in entry["renamed"].items()}
    return {
        ".".join(words.get(word, word) for word in name.split(".")): value
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }


def tensorflow_state(model: Any, names: list[str]) -> dict[str, Any]:
    """What a Keras model's variables hold, by canonical name and in canonical layout."""
    body = model.layers[-1]
    variables = sys.modules[type(body).__module__].named_weights(body)
    assert set(variables) == set(names)
    found: dict[str, Any] = {}
    for name in names:
        value = variables[name].numpy()
        if variables[name].name == "kernel":  # [*K, in, out]; canonical is [out, in, *K]
            value = value.transpose(value.ndim - 1, value.ndim - 2, *range(value.ndim - 2))
        found[name] = np.ascontiguousarray(value)
    return found


def onnx_model(network: Network, weights: Path, folder: Path) -> Path:
    """The network's model, the weights beside it as it names them."""
    (path,) = network.compile("onnx").write(folder)
    (folder / f"{network.name}.safetensors").write_bytes(weights.read_bytes())
    return path


def observed(path: Path, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a session gives for the network's outputs, and for its weights: each is made an output too."""
    model = onnx.load_model(str(path), load_external_data=False)
    outputs = [value.name for value in model.graph.output]
    weights = [tensor.name for tensor in model.graph.initializer]
    for tensor in model.graph.initializer:
        model.graph.node.add(op_type="Identity", input=[tensor.name], output=[f"weight {tensor.name}"])
        shape = list(tensor.dims)
        model.graph.output.append(onnx.helper.make_tensor_value_info(f"weight {tensor.name}", tensor.data_type, shape))
    beside = path.with_suffix(".observed.onnx")
    beside.write_bytes(model.SerializeToString())
    session = ort.InferenceSession(str(beside), providers=["CPUExecutionProvider"])
    results: Any = session.run([*outputs, *(f"weight {name}" for name in weights)], dict(inputs))
    found = [np.asarray(value) for value in results]
    named = [name.removeprefix("output ") for name in outputs]
    return dict(zip(named, found[: len(named)], strict=True)), dict(zip(weights, found[len(outputs) :], strict=True))


def at_their_places(path: Path, wanted: Mapping[str, Any]) -> None:
    """Each initialiser's bytes stand in the file that it names, from its offset on."""
    for tensor in onnx.load_model(str(path), load_external_data=False).graph.initializer:
        place = {entry.key: entry.value for entry in tensor.external_data}
        start = int(place["offset"])
        found = (path.parent / place["location"]).read_bytes()[start : start + int(place["length"])]
        assert found == np.ascontiguousarray(wanted[tensor.name]).tobytes(), tensor.name


def require_same_bytes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        assert found[name].dtype == value.dtype, name
        assert found[name].shape == value.shape, name
        assert found[name].tobytes() == np.ascontiguousarray(value).tobytes(), name


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_stay(name: str, tmp_path: Path) -> None:
    from dlc.weights import write
    from dlc.weights_reuse import rewritten

    network = small(name)
    wanted = torch_state(network)
    assert set(wanted) == {parameter.path for parameter in network.parameters}
    first, second, third = (tmp_path / f"{place}.safetensors" for place in ("torch", "tensorflow", "onnx"))
    save_file(wanted, str(first))
    model = network.build("tensorflow", weights=first)
    save_file(tensorflow_state(model, list(wanted)), str(second))
    require_same_bytes(load_file(str(second)), wanted)
    write(third, network.parameters, rewritten(second))
    require_same_bytes(load_file(str(third)), wanted)
    path = onnx_model(network, third, tmp_path)
    at_their_places(path, wanted)
    program = network.programs.inference
    inputs = make_inputs(program, choose_sizes(program, 0), 0)
    outputs, held = observed(path, inputs)
    assert held
    require_same_bytes(held, {name: wanted[name] for name in held})
    for report in compare(outputs, references(program, wanted, inputs)):
        assert report.verdict == AGREES, report


@pytest.mark.parametrize("name", QUICK)
def test_torch_reads_its_own_names_back(name: str, tmp_path: Path) -> None:
    network = small(name)
    wanted = torch_state(network)
    path = tmp_path / "weights.safetensors"
    save_file(wanted, str(path))
    state = canonical(network, network.build("torch", weights=path).state_dict())
    require_same_bytes({name: state[name].numpy() for name in wanted}, wanted)
