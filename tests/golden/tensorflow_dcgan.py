"""A GAN pair: DCGAN (Radford, Metz, Chintala, 2015) on 28 x 28 images."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
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


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """keras.layers.Conv2DTranspose with the initial weights of torch.nn.ConvTranspose2d."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(math.prod(self.kernel_size) * self.filters)
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class BatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization that keeps the unbiased variance, as torch.nn.BatchNorm2d."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training or not self.trainable:
            return super().call(inputs)
        mean, variance = tf.nn.moments(inputs, list(range(len(inputs.shape) - 1)))
        count = ops.cast(ops.size(inputs) / ops.size(mean), inputs.dtype)
        unbiased = variance * (count / (count - 1))
        new = 1 - self.momentum
        self.moving_mean.assign(self.momentum * self.moving_mean + new * mean)
        self.moving_variance.assign(
            self.momentum * self.moving_variance + new * unbiased
        )
        return ops.batch_normalization(
            inputs, mean, variance, -1, self.beta, self.gamma, self.epsilon
        )


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class GeneratorBody(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = Dense(6272)
        self.batch_norm = BatchNormalization(momentum=0.9, epsilon=1e-05)
        self.conv_transpose2d = Conv2DTranspose(64, 4, strides=2, padding="same")
        self.batch_norm_2 = BatchNormalization(momentum=0.9, epsilon=1e-05)
        self.conv_transpose2d_2 = Conv2DTranspose(1, 4, strides=2, padding="same")
        self.built = True

    def call(self, z: tf.Tensor) -> tf.Tensor:
        image = ops.transpose(ops.reshape(self.dense(z), (-1, 128, 7, 7)), (0, 2, 3, 1))
        image = self.conv_transpose2d(ops.relu(self.batch_norm(image)))
        image = ops.tanh(self.conv_transpose2d_2(ops.relu(self.batch_norm_2(image))))
        return ops.reshape(image, (-1, 1, 28, 28))


def leaky_relu(x: tf.Tensor, *, slope: float = 0.01) -> tf.Tensor:
    """x where x > 0, else slope x (Maas, Hannun, Ng, 2013)."""
    return ops.where(x > 0.0, x, slope * x)


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class DiscriminatorBody(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv2d = Conv2D(64, 4, strides=2, border=1)
        self.conv2d_2 = Conv2D(128, 4, strides=2, border=1)
        self.batch_norm = BatchNormalization(momentum=0.9, epsilon=1e-05)
        self.flatten = keras.layers.Flatten()
        self.dense = Dense(1)
        self.built = True

    def call(self, image: tf.Tensor) -> tf.Tensor:
        logit = leaky_relu(self.conv2d(ops.reshape(image, (-1, 28, 28, 1))), slope=0.2)
        logit = leaky_relu(self.batch_norm(self.conv2d_2(logit)), slope=0.2)
        logit = self.dense(self.flatten(ops.transpose(logit, (0, 3, 1, 2))))
        return logit


def Generator() -> keras.Model:
    z = keras.Input((100,), name="z")
    outputs = GeneratorBody()(z)
    return keras.Model(z, outputs, name="Generator")


def Discriminator() -> keras.Model:
    image = keras.Input((1, 28, 28), name="image")
    outputs = DiscriminatorBody()(image)
    return keras.Model(image, outputs, name="Discriminator")


KERAS_LAYERS = [
    keras.layers.Dense,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.BatchNormalization,
]
PYTORCH_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


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
