"""LeNet-5 (LeCun, Bottou, Bengio, Haffner, 1998)."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


@keras.saving.register_keras_serializable(package="lenet_422cc9d6")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="lenet_422cc9d6")
class Conv2D(keras.layers.Conv2D):
    """keras.layers.Conv2D with the padding and the initial weights of torch.nn.Conv2d."""

    def __init__(
        self, filters: int, kernel_size: int, border: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        self.border = border

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(math.prod(self.kernel_size) * input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        border = (self.border, self.border)
        padding = [(0, 0), border, border, (0, 0)]
        return tf.nn.conv2d(inputs, kernel, self.strides, padding)

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        batch, *sizes, channels = input_shape
        wide = [None if size is None else size + 2 * self.border for size in sizes]
        return super().compute_output_shape((batch, *wide, channels))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "border": self.border}


@keras.saving.register_keras_serializable(package="lenet_422cc9d6")
class LeNet5Body(keras.layers.Layer):
    def __init__(self, classes: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.conv2d = Conv2D(6, 5, border=2)
        self.avg_pool2d = keras.layers.AveragePooling2D(2)
        self.conv2d_2 = Conv2D(16, 5)
        self.avg_pool2d_2 = keras.layers.AveragePooling2D(2)
        self.flatten = keras.layers.Flatten()
        self.dense = Dense(120)
        self.dense_2 = Dense(84)
        self.dense_3 = Dense(classes)
        self.built = True

    def call(self, image: tf.Tensor) -> tf.Tensor:
        features = ops.tanh(self.conv2d(ops.reshape(image, (-1, 28, 28, 1))))
        features = self.avg_pool2d_2(ops.tanh(self.conv2d_2(self.avg_pool2d(features))))
        logits = self.dense(self.flatten(ops.transpose(features, (0, 3, 1, 2))))
        logits = self.dense_3(ops.tanh(self.dense_2(ops.tanh(logits))))
        return logits

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}


def LeNet5(classes: int = 10) -> keras.Model:
    image = keras.Input((1, 28, 28), name="image")
    outputs = LeNet5Body(classes=classes)(image)
    return keras.Model(image, outputs, name="LeNet5")


KERAS_LAYERS = [keras.layers.Dense, keras.layers.Conv2D]
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
