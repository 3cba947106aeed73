"""Layers that blocks are given: keywords of calls, owned once, by who made them; models with them come back alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from keras_models import ROOT, check_agrees, compiled, imported, inputs_of, require_ruff_clean, weights_of, written
from safetensors.numpy import save_file

SPECS = (
    ROOT / "tests" / "torch" / "programs" / "layers.dl",
    ROOT / "tests" / "torch" / "programs" / "nested_layers.dl",
    Path(__file__).parent / "programs" / "tied_table.dl",
    Path(__file__).parent / "programs" / "given_cells.dl",
)


def unit(path: Path) -> Unit:
    return networks.elaborate(load_project(path)).unit


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_agrees(path: Path, natives: bool, tmp_path: Path) -> None:
    check_agrees(unit(path), tmp_path, natives)
    require_ruff_clean(tmp_path / f"{path.stem}_tensorflow.py")


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_weight_has_one_owner(path: Path, natives: bool, tmp_path: Path) -> None:
    spec = unit(path)
    compiled(spec, tmp_path, natives)
    module = imported(tmp_path / f"{path.stem}_tensorflow.py")
    for network in spec.networks:
        body = getattr(module, network.name)().layers[-1]
        found = module.named_weights(body)
        assert set(found) == {parameter.path for parameter in parameters(network.training)}
        assert len(body.weights) == len(found)


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_reload(path: Path, natives: bool, tmp_path: Path) -> None:
    """From `.keras` and as a SavedModel, at other sizes."""
    import keras
    import tensorflow as tf

    (network, *_) = (spec := unit(path)).networks
    compiled(spec, tmp_path, natives)
    module = imported(tmp_path / f"{path.stem}_tensorflow.py")
    model = getattr(module, network.name)()
    save_file(weights_of(network), tmp_path / "w.safetensors")
    module.load_weights(model, str(tmp_path / "w.safetensors"))
    model.save(tmp_path / "model.keras")
    model.export(str(tmp_path / "saved"), verbose=False)
    again = keras.models.load_model(tmp_path / "model.keras")
    served = tf.saved_model.load(str(tmp_path / "saved"))
    for sizes in ({"N": 2, "T": 5}, {"N": 3, "T": 2}):
        inputs = inputs_of(network.inference, sizes)
        fed = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        expected = [np.asarray(item) for item in keras.tree.flatten(model(fed))]
        for found in (again(fed), served.serve(keras.tree.map_structure(tf.constant, fed))):
            for one, wanted in zip(keras.tree.flatten(found), expected, strict=True):
                np.testing.assert_allclose(np.asarray(one), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_a_layer_without_weights_is_an_object_where_it_is_given(tmp_path: Path) -> None:
    text = (
        "block double:\n    input x: float[N, D]\n    output x * 2\n\n\n"
        "block twice(f: layer):\n    input x: float[N, D]\n    output f(f(x))\n\n\n"
        "network Net:\n    input x: float[N, 3]\n    d = double()\n    output y = d(x) + twice(d)(x)\n"
    )
    check_agrees(written(tmp_path, text), tmp_path)
