"""Generated code under a precision: made, initialised, drawn, loaded and saved in it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from dlc import networks
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend as tensorflow_backend
from dlc.backends.torch import backend as torch_backend
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from dlc.weights import randomised, read, write

SPEC = Path(__file__).parent / "starts.dl"
TORCH = {"f64": "float64", "bf16": "bfloat16", "f16": "float16"}
UNIT = networks.elaborate(load_project(SPEC)).unit
#: Mean, deviation and largest absolute value of each parameter's distribution; the last may be unbounded.
NUMBERS = {
    "a": (0.0, 0.289, 0.5),
    "b": (1.0, 0.5, 3.5),
    "c": (0.0, 1.76, 4.0),
    "d": (0.0, 0.204, 0.354),
    "e": (0.0, 0.289, 1.5),
    "g": (0.25, 0.0, 0.25),
}


def generated(backend: Any, precision: str) -> ModuleType:
    (text,) = backend.compile(UNIT, Options(precision=precision)).files.values()
    module = ModuleType(f"starts_{backend.name}_{precision}")
    sys.modules[module.__name__] = module
    exec(compile(str(text), module.__name__, "exec"), module.__dict__)
    return module


def weights(folder: Path) -> tuple[Path, dict[str, Any]]:
    (network,) = UNIT.networks
    parameters = network_parameters(network.inference, network.training)
    write(folder / "starts.safetensors", parameters, randomised(0))
    return folder / "starts.safetensors", dict(read(folder / "starts.safetensors", parameters))


def require_likely(found: dict[str, Any]) -> None:
    for name, (mean, deviation, largest) in NUMBERS.items():
        values = found[name].astype(np.float64)
        spread = 6 * deviation / values.size**0.5
        assert abs(values.mean() - mean) <= spread + 1e-9, name
        assert abs(values.std() - deviation) <= spread + 1e-9, name
        assert abs(values).max() <= largest * 1.01, name
    product = found["f"].astype(np.float64)
    np.testing.assert_allclose(product @ product.T, np.eye(24), atol=0.05)


@pytest.mark.parametrize("precision", TORCH)
def test_torch(precision: str, tmp_path: Path) -> None:
    import torch

    module, wanted = generated(torch_backend, precision), getattr(torch, TORCH[precision])
    torch.manual_seed(0)
    model = module.Starts()
    state = {name: value for name, value in model.state_dict().items() if value.dtype.is_floating_point}
    assert {value.dtype for value in state.values()} == {wanted}
    require_likely({name: value.double().numpy() for name, value in state.items()})
    result = model.train()(torch.ones(3, 24, dtype=wanted))
    assert result.dtype == wanted
    assert bool(result.isfinite().all())

    path, arrays = weights(tmp_path)
    module.load_weights(model, str(path))
    loaded = model.state_dict()
    for name, array in arrays.items():
        assert loaded[name].dtype == wanted
        assert torch.equal(loaded[name], torch.from_numpy(array.copy()).to(wanted)), name
    module.save_weights(model, str(tmp_path / "own.safetensors"))
    other = module.Starts()
    module.load_weights(other, str(tmp_path / "own.safetensors"))
    assert torch.equal(other.state_dict()["e"], loaded["e"])


@pytest.mark.parametrize(
    "precision", ["bf16", pytest.param("f64", marks=pytest.mark.slow), pytest.param("f16", marks=pytest.mark.slow)]
)
def test_tensorflow(precision: str, tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    module, wanted = generated(tensorflow_backend, precision), TORCH[precision]
    keras.utils.set_random_seed(0)
    model = module.Starts()
    body = model.layers[-1]
    variables = {variable.name: variable for variable in body.weights if variable.name in {*NUMBERS, "f"}}
    assert {variable.dtype for variable in model.weights if "seed" not in variable.path} == {wanted}
    require_likely({name: variable.numpy() for name, variable in variables.items()})
    result = model(tf.ones((3, 24), wanted), training=True)
    assert result.dtype == wanted
    assert np.isfinite(np.asarray(tf.cast(result, "float64"))).all()

    path, arrays = weights(tmp_path)
    module.load_weights(model, str(path))
    for name, variable in variables.items():
        assert variable.dtype == wanted
        rounded = tf.cast(tf.constant(arrays[name]), wanted)
        np.testing.assert_array_equal(variable.numpy(), rounded.numpy())
    model.save(tmp_path / "own.keras")
    again = keras.models.load_model(tmp_path / "own.keras")
    assert {variable.dtype for variable in again.weights if "seed" not in variable.path} == {wanted}
