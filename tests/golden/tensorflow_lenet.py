"""LeNet-5 (LeCun, Bottou, Bengio, Haffner, 1998)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


@keras.saving.register_keras_serializable(package="lenet_422cc9d6")
class Conv2d(keras.layers.Layer):
    """[N, C, H, W] -> [N, filters, (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1, ...]."""

    canonical_axes: ClassVar[dict[str, tuple[int, ...]]] = {"weight": (2, 3, 1, 0)}

    def __init__(
        self,
        filters: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        in_channels = input_shape[-1]
        self.weight = self.add_weight(
            name="weight",
            shape=(self.kernel, self.kernel, in_channels // self.groups, self.filters),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(in_channels // self.groups * self.kernel**2),
                1 / math.sqrt(in_channels // self.groups * self.kernel**2),
            ),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.filters,),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(in_channels // self.groups * self.kernel**2),
                1 / math.sqrt(in_channels // self.groups * self.kernel**2),
            ),
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        y = tf.nn.conv2d(
            x,
            self.weight,
            strides=self.stride,
            padding=[
                (0, 0),
                (self.padding, self.padding),
                (self.padding, self.padding),
                (0, 0),
            ],
        )
        y = y + self.bias
        return y

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }


def avg_pool2d(
    x: tf.Tensor, *, kernel: int, stride: int = 0, padding: int = 0
) -> tf.Tensor:
    """The mean of each window, padding zeros counted; a stride of 0 means the kernel's size."""
    return tf.nn.avg_pool2d(x, kernel, kernel if stride == 0 else stride, "VALID")


def flatten(x: tf.Tensor) -> tf.Tensor:
    """All axes but the first into one: [N, ...] -> [N, product]. Row-major, as numpy and torch."""
    return ops.reshape(x, (-1, 400))


@keras.saving.register_keras_serializable(package="lenet_422cc9d6")
class Dense(keras.layers.Layer):
    """y = x W^T + b over the last axis: [..., I] -> [..., units]. Initialised as torch.nn.Linear."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        in_features = input_shape[-1]
        self.weight = self.add_weight(
            name="weight",
            shape=(self.units, in_features),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(in_features), 1 / math.sqrt(in_features)
            ),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(in_features), 1 / math.sqrt(in_features)
            ),
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        y = ops.matmul(x, ops.transpose(self.weight))
        y = y + self.bias
        return y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="lenet_422cc9d6")
class LeNet5Body(keras.layers.Layer):
    def __init__(self, classes: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.conv2d = Conv2d(6, 5, padding=2)
        self.conv2d_2 = Conv2d(16, 5)
        self.dense = Dense(120)
        self.dense_2 = Dense(84)
        self.dense_3 = Dense(classes)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, image: tf.Tensor) -> tf.Tensor:
        features = ops.tanh(self.conv2d(ops.reshape(image, (-1, 28, 28, 1))))
        features = avg_pool2d(
            ops.tanh(self.conv2d_2(avg_pool2d(features, kernel=2))), kernel=2
        )
        logits = ops.tanh(self.dense(flatten(ops.transpose(features, (0, 3, 1, 2)))))
        logits = self.dense_3(ops.tanh(self.dense_2(logits)))
        return logits

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}


def LeNet5(classes: int = 10) -> keras.Model:
    image = keras.Input((1, 28, 28), name="image")
    outputs = LeNet5Body(classes=classes)(image)
    return keras.Model(image, outputs, name="LeNet5")


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
