"""Saved models come back with the same numbers, at other batch sizes and lengths; weights load strictly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlc.backends.api import Unit
from keras_models import compiled, example, imported, inputs_of, weights_of, written
from safetensors.numpy import save_file

Draw = Callable[[np.random.Generator, int, int], Any]


def _tokens(generator: np.random.Generator, rows: int, steps: int) -> np.ndarray:
    return generator.integers(0, 9, (rows, steps))


def _pair(generator: np.random.Generator, rows: int, steps: int) -> dict[str, np.ndarray]:
    return {"source": _tokens(generator, rows, steps), "target": _tokens(generator, rows, steps + 2)}


#: The network, its settings, and how its inputs are drawn (None: as their types say).
CASES: dict[str, tuple[str, dict[str, str], Draw | None]] = {
    "lenet": ("LeNet5", {}, lambda generator, rows, _: generator.normal(size=(rows, 1, 28, 28)).astype("float32")),
    "char_lstm": ("CharLSTM", {"vocab": "11", "hidden": "8"}, _tokens),
    "transformer": (
        "Transformer",
        {"vocab": "30", "width": "16", "heads": "2", "inner": "32", "layers": "2"},
        _pair,
    ),
    "seq2seq": ("Seq2Seq", {"source_vocab": "13", "target_vocab": "12", "hidden": "8"}, _pair),
    "graph": ("GCN", {}, None),
    "gat": ("GAT", {}, None),
    "dcgan": ("Generator", {}, None),
    "unet": ("UNet", {"width": "2", "levels": "2"}, None),
    "densenet": ("DenseNet", {"depths": "[2, 1]", "growth": "4", "classes": "10"}, None),
    "resnet": ("ResNet18", {"classes": "10"}, None),
}


def _drawn(unit: Unit, rows: int, steps: int) -> Any:
    found = inputs_of(unit.networks[0].inference, {"N": rows, "V": rows + 3, "E": steps})
    return found if len(found) > 1 else next(iter(found.values()))


def flat(results: Any) -> np.ndarray:
    import keras

    return np.concatenate([item.numpy().ravel() for item in keras.tree.flatten(results)])


@pytest.mark.parametrize(
    ("name", "natives"), [*((name, True) for name in CASES), ("lenet", False), ("transformer", False)]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_reload(name: str, natives: bool, tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    network, settings, draw = CASES[name]
    unit = example(name, network, settings)
    compiled(unit, tmp_path, natives)
    module = imported(tmp_path / f"{name}_tensorflow.py")
    model = getattr(module, network)()
    save_file(weights_of(unit.networks[0]), tmp_path / "w.safetensors")
    module.load_weights(model, str(tmp_path / "w.safetensors"))
    model.save(tmp_path / "model.keras")
    model.export(str(tmp_path / "saved"), verbose=False)
    again = keras.models.load_model(tmp_path / "model.keras")
    served = tf.saved_model.load(str(tmp_path / "saved"))
    generator = np.random.default_rng(0)
    for rows, steps in ((2, 5), (3, 8)):
        inputs = draw(generator, rows, steps) if draw else _drawn(unit, rows, steps)
        expected = flat(model(inputs))
        np.testing.assert_allclose(flat(again(inputs)), expected, rtol=0, atol=0)
        tensors = keras.tree.map_structure(tf.constant, inputs)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(flat(served.serve(tensors)), expected, rtol=0, atol=1e-5 * scale)


def test_every_weight_has_a_gradient(tmp_path: Path) -> None:
    import tensorflow as tf

    compiled(example("seq2seq", None, CASES["seq2seq"][1]), tmp_path)
    model = imported(tmp_path / "seq2seq_tensorflow.py").Seq2Seq()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(_pair(np.random.default_rng(0), 2, 4))["logits"]))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) == len(weights_of(example("seq2seq", None, CASES["seq2seq"][1]).networks[0]))
    assert all(gradient is not None for gradient in gradients)


@pytest.fixture
def lenet(tmp_path: Path) -> tuple[Any, Any, dict[str, np.ndarray]]:
    unit = example("lenet")
    compiled(unit, tmp_path)
    module = imported(tmp_path / "lenet_tensorflow.py")
    return module, module.LeNet5(), weights_of(unit.networks[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("dense.bias"), "only the model has dense.bias"),
        (lambda weights: weights.update(surplus=np.zeros(3, "float32")), "only .*wrong.safetensors has surplus"),
        (
            lambda weights: weights.update({"dense.bias": np.zeros(3, "float32")}),
            r"shape=\(120,\), Received.*shape=\(3,\)",
        ),
        (
            lambda weights: weights.update({"dense_9.bias": np.zeros(3, "float32")}),
            "only .*has dense_9.bias",
        ),
    ],
)
def test_loading_is_strict(lenet: Any, change: Callable[[Any], object], message: str, tmp_path: Path) -> None:
    module, model, weights = lenet
    change(weights)
    save_file(weights, tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError, match=message):
        module.load_weights(model, str(tmp_path / "wrong.safetensors"))


def test_two_specs_with_one_class_name_do_not_swap(tmp_path: Path) -> None:
    import keras

    text = (
        '"""A spec."""\n\nblock thing:\n    input x: float[N, D]\n    param w: float[D] = {value}\n    output x * w\n\n'
    )
    text += "network Net:\n    input x: float[N, 3]\n    output y = x -> thing\n"
    models = []
    for name, value in (("one", 2), ("two", 14)):
        compiled(written(tmp_path, text.format(value=value), name), tmp_path)
        models.append(imported(tmp_path / f"{name}_tensorflow.py").Net())
    models[0].save(tmp_path / "one.keras")
    again = keras.models.load_model(tmp_path / "one.keras")
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(flat(again(x)), flat(models[0](x)))
    assert type(again.layers[-1]) is type(models[0].layers[-1])
