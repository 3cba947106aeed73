"""torch -> file -> TensorFlow -> file -> ONNX: the same bytes all the way, under the canonical names."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from dlc.api import Network
from safetensors.numpy import load_file, save_file
from small_networks import SMALL, small

QUICK = ("LeNet5", "ResNet", "Seq2Seq")
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
    find = sys.modules[type(body).__module__].find_variable
    found: dict[str, Any] = {}
    for name in names:
        variable, axes = find(body, name)
        value = variable.numpy()
        found[name] = np.ascontiguousarray(value if axes is None else value.transpose(np.argsort(axes)))
    return found


def onnx_state(network: Network, weights: Path, folder: Path) -> dict[str, Any]:
    """The initialisers of the model, read through onnx from the file beside it."""
    (path,) = network.compile("onnx").write(folder)
    beside = folder / f"{network.name}.safetensors"
    beside.write_bytes(weights.read_bytes())
    model = onnx.load_model(str(path), load_external_data=False)
    return {tensor.name: onnx.numpy_helper.to_array(tensor, base_dir=str(folder)) for tensor in model.graph.initializer}


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
    found = onnx_state(network, third, tmp_path)
    assert found
    require_same_bytes(found, {name: wanted[name] for name in found})


@pytest.mark.parametrize("name", QUICK)
def test_torch_reads_its_own_names_back(name: str, tmp_path: Path) -> None:
    network = small(name)
    wanted = torch_state(network)
    path = tmp_path / "weights.safetensors"
    save_file(wanted, str(path))
    state = canonical(network, network.build("torch", weights=path).state_dict())
    require_same_bytes({name: state[name].numpy() for name in wanted}, wanted)
