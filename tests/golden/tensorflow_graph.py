"""Message passing on graphs: GCN (the slides' mean form) and GAT (Velickovic et al., 2018)."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


@keras.saving.register_keras_serializable(package="graph_0cc11ef1")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="graph_0cc11ef1")
class GcnLayer(keras.layers.Layer):
    """h_v' = relu(sum over u in N(v) of W h_u / |N(v)|)"""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.w = Dense(units, use_bias=False)
        self.built = True

    def call(self, h: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        v_2 = ops.shape(h)[0]
        u = edges[0]
        v = edges[1]
        total = tf.gather(tf.math.unsorted_segment_sum(ops.ones_like(v), v, v_2), v)
        total = ops.expand_dims(ops.cast(total, "float32"), axis=1)
        total = tf.math.unsorted_segment_sum(self.w(tf.gather(h, u)) / total, v, v_2)
        return ops.relu(total)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="graph_0cc11ef1")
class GCNBody(keras.layers.Layer):
    def __init__(self, classes: int = 7, hidden: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.hidden = hidden
        self.gcn_layer_2 = GcnLayer(hidden)
        self.gcn_layer = GcnLayer(classes)
        self.built = True

    def call(self, features: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        logits = self.gcn_layer(self.gcn_layer_2(features, edges), edges)
        return logits

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes, "hidden": self.hidden}


def GCN(classes: int = 7, hidden: int = 16) -> keras.Model:
    features = keras.Input((1433,), name="features")
    edges = keras.Input(batch_shape=(2, None), dtype="int64", name="edges")
    outputs = GCNBody(classes=classes, hidden=hidden)(features, edges)
    return keras.Model({"features": features, "edges": edges}, outputs, name="GCN")


KERAS_LAYERS = [keras.layers.Dense]
PYTORCH_NAMES = {"kernel": "weight"}


def load_weights(model: keras.Model, path: str) -> None:
    """Loads a safetensors file with PyTorch's names and layouts; both must fit exactly."""
    values, variables = load_file(path), named_weights(model.layers[-1])
    for name in values.keys() ^ variables.keys():
        place = path if name in values else "the model"
        raise ValueError(f"only {place} has {name}")
    for name, variable in variables.items():
        value = values[name]
        if variable.name == "kernel":  # Keras has [*K, in, out], PyTorch [out, in, *K]
            value = value.transpose(*range(2, value.ndim), 1, 0)
        variable.assign(value)


def named_weights(layer: Any, prefix: str = "") -> dict[str, keras.Variable]:
    """The variables below a layer by PyTorch's names, such as `encoder.0.dense.weight`."""
    if isinstance(layer, tuple(KERAS_LAYERS)):
        return {
            f"{prefix}{PYTORCH_NAMES.get(v.name, v.name)}": v for v in layer.weights
        }
    found: dict[str, keras.Variable] = {}
    items = enumerate(layer) if isinstance(layer, list) else vars(layer).items()
    for key, value in items:
        name = f"{prefix}{key}".removesuffix("_")
        if isinstance(value, keras.Variable):
            found[name] = value
        elif isinstance(value, keras.layers.Layer | list) and name[len(prefix)] != "_":
            found |= named_weights(value, f"{name}.")
    return found
