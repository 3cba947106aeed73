"""Message passing on graphs: GCN (the slides' mean form) and GAT (Velickovic et al., 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


@keras.saving.register_keras_serializable(package="graph_0cc11ef1")
class GcnLayer(keras.layers.Layer):
    """h_v' = relu(sum over u in N(v) of W h_u / |N(v)|)"""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.w = keras.layers.Dense(
            units,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                1 / 3, mode="fan_in", distribution="uniform"
            ),
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, h: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        u = edges[0]
        v = edges[1]
        total = tf.math.unsorted_segment_sum(ops.ones_like(v), v, ops.shape(h)[0])
        total = ops.expand_dims(ops.cast(tf.gather(total, v), "float32"), axis=1)
        total = tf.math.unsorted_segment_sum(
            self.w(tf.gather(h, u)) / total, v, ops.shape(h)[0]
        )
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

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

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


def load_weights(model: keras.Model, path: str) -> None:
    """Loads a safetensors file with the spec's names and PyTorch's layouts; every name and shape must match."""
    body = model.layers[-1]
    missing = {id(variable): variable.path for variable in body.weights}
    for name, value in load_file(path).items():
        variable, axes = find_variable(body, name)
        value = value if axes is None else value.transpose(axes)
        if tuple(variable.shape) != value.shape:
            raise ValueError(
                f"{name} has shape {value.shape}, not {tuple(variable.shape)}"
            )
        variable.assign(value)
        missing.pop(id(variable), None)
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing.values())}")


def find_variable(layer: Any, name: str) -> tuple[keras.Variable, Sequence[int] | None]:
    """The variable that a canonical name means, and its axes in the canonical layout's order if they differ."""
    *parts, last = name.split(".")
    owner = layer
    try:
        for part in parts:
            owner = owner[int(part)] if part.isdigit() else attribute(owner, part)
        native = native_names().get((type(owner), last))
        if native is not None:
            return getattr(owner, native[0]), native[1]
        found = attribute(owner, last)
    except (AttributeError, IndexError, TypeError) as problem:
        raise ValueError(f"the model has no {name}") from problem
    return found, getattr(owner, "canonical_axes", {}).get(last)


def attribute(owner: Any, name: str) -> Any:
    """The attribute of a canonical name, which has an underscore if Keras has it too."""
    return getattr(owner, f"{name}_" if hasattr(owner, f"{name}_") else name)


def native_names() -> dict[tuple[type, str], tuple[str, tuple[int, ...] | None]]:
    """Canonical names that Keras' own layers call otherwise, and the canonical axes."""
    return {
        (keras.layers.Dense, "weight"): ("kernel", (1, 0)),
        (keras.layers.Conv2D, "weight"): ("kernel", (2, 3, 1, 0)),
        (keras.layers.LayerNormalization, "weight"): ("gamma", None),
        (keras.layers.LayerNormalization, "bias"): ("beta", None),
    }
