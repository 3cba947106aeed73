"""A GAN pair: DCGAN (Radford, Metz, Chintala, 2015) on 28 x 28 images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


def unbiased_variance(
    x: tf.Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> tf.Tensor:
    """The variance over `axis`, divided by the count less 1."""
    variance = ops.var(x, axis=axis, keepdims=keepdims)
    count = ops.cast(tf.size(x) / tf.size(variance), x.dtype)
    return variance * (count / (count - 1))


def transposed_convolution(
    x: tf.Tensor,
    kernel: tf.Tensor,
    strides: Sequence[int] | None = None,
    padding: Sequence[tuple[int, int]] | None = None,
    output_padding: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    groups: int = 1,
) -> tf.Tensor:
    """Transposed convolution; `kernel` is [*K, filters // groups, in_channels].

    The result is `padding` smaller at both ends and `output_padding` larger at the far end than the full one.
    """
    rank = len(x.shape) - 2
    strides = strides or (1,) * rank
    for axis, step in enumerate(dilations or ()):
        kernel = spread(kernel, axis, step)
    shape, reach = ops.shape(x), ops.shape(kernel)
    extra = output_padding or (0,) * rank
    full = [
        (shape[axis + 1] - 1) * strides[axis] + reach[axis] + extra[axis]
        for axis in range(rank)
    ]
    output_shape = [shape[0], *full, kernel.shape[-2]]
    parts = zip(
        tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True
    )
    y = ops.concatenate(
        [
            tf.nn.conv_transpose(part, weight, output_shape, strides, padding="VALID")
            for part, weight in parts
        ],
        axis=-1,
    )
    if padding is None:
        return y
    cut = (slice(low, full[axis] - high) for axis, (low, high) in enumerate(padding))
    return y[(slice(None), *cut)]


def spread(kernel: tf.Tensor, axis: int, step: int) -> tf.Tensor:
    """`step - 1` zeros between the entries along an axis."""
    shape = list(kernel.shape)
    size = shape[axis]
    pads = [(0, 0)] * (axis + 1) + [(0, step - 1)] + [(0, 0)] * (len(shape) - axis - 1)
    wide = tf.pad(ops.expand_dims(kernel, axis + 1), pads)
    shape[axis] = size * step
    return tf.gather(ops.reshape(wide, shape), range((size - 1) * step + 1), axis=axis)


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
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


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class BatchNorm(keras.layers.Layer):
    """Per channel over batch and positions (Ioffe, Szegedy, 2015): [N, C, ...] -> the same.

    Normalises by the biased variance; keeps the unbiased one, as torch. running = (1 - momentum) running + momentum batch.
    """

    def __init__(
        self, epsilon: float = 1e-05, momentum: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.momentum = momentum

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        in_channels = input_shape[-1]
        self.running_mean = self.add_weight(
            name="running_mean",
            shape=(in_channels,),
            initializer="zeros",
            trainable=False,
        )
        self.running_var = self.add_weight(
            name="running_var",
            shape=(in_channels,),
            initializer="ones",
            trainable=False,
        )
        self.weight = self.add_weight(
            name="weight", shape=(in_channels,), initializer="ones"
        )
        self.bias = self.add_weight(
            name="bias", shape=(in_channels,), initializer="zeros"
        )

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        if training:
            center = ops.mean(x, axis=(0, 1, 2))
            spread_2 = ops.var(x, axis=(0, 1, 2))
            scaled = (1 - self.momentum) * self.running_mean
            next_running_mean = scaled + self.momentum * center
            self.running_mean.assign(next_running_mean)
            unbiased_variance_2 = unbiased_variance(x, axis=(0, 1, 2))
            scaled_2 = (1 - self.momentum) * self.running_var
            next_running_var = scaled_2 + self.momentum * unbiased_variance_2
            self.running_var.assign(next_running_var)
        else:
            center = self.running_mean
            spread_2 = self.running_var
        scale = ops.rsqrt(spread_2 + self.epsilon)
        scale = scale * self.weight
        y = (x - center) * scale
        y = y + self.bias
        return y

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "momentum": self.momentum,
        }


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class ConvTranspose2d(keras.layers.Layer):
    """The adjoint of conv2d: [N, C, H, W] -> [N, filters, (H - 1) stride - 2 padding + kernel + output_padding, ...]."""

    canonical_axes: ClassVar[dict[str, tuple[int, ...]]] = {"weight": (2, 3, 1, 0)}

    def __init__(
        self,
        filters: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        output_padding: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.output_padding = output_padding

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        in_channels = input_shape[-1]
        self.weight = self.add_weight(
            name="weight",
            shape=(self.kernel, self.kernel, self.filters, in_channels),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(self.filters * self.kernel**2),
                1 / math.sqrt(self.filters * self.kernel**2),
            ),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.filters,),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(self.filters * self.kernel**2),
                1 / math.sqrt(self.filters * self.kernel**2),
            ),
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        y = transposed_convolution(
            x,
            self.weight,
            strides=(self.stride, self.stride),
            padding=((self.padding, self.padding), (self.padding, self.padding)),
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
            "output_padding": self.output_padding,
        }


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class GeneratorBody(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = Dense(6272)
        self.batch_norm = BatchNorm()
        self.conv_transpose2d = ConvTranspose2d(64, 4, stride=2, padding=1)
        self.batch_norm_2 = BatchNorm()
        self.conv_transpose2d_2 = ConvTranspose2d(1, 4, stride=2, padding=1)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, z: tf.Tensor) -> tf.Tensor:
        image = ops.transpose(ops.reshape(self.dense(z), (-1, 128, 7, 7)), (0, 2, 3, 1))
        image = self.conv_transpose2d(ops.relu(self.batch_norm(image)))
        image = ops.tanh(self.conv_transpose2d_2(ops.relu(self.batch_norm_2(image))))
        return ops.reshape(image, (-1, 1, 28, 28))


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
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


def leaky_relu(x: tf.Tensor, *, slope: float = 0.01) -> tf.Tensor:
    """x where x > 0, else slope x (Maas, Hannun, Ng, 2013)."""
    return ops.where(x > 0.0, x, slope * x)


def flatten(x: tf.Tensor) -> tf.Tensor:
    """All axes but the first into one: [N, ...] -> [N, product]. Row-major, as numpy and torch."""
    return ops.reshape(x, (-1, 6272))


@keras.saving.register_keras_serializable(package="dcgan_9aece563")
class DiscriminatorBody(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv2d = Conv2d(64, 4, stride=2, padding=1)
        self.conv2d_2 = Conv2d(128, 4, stride=2, padding=1)
        self.batch_norm = BatchNorm()
        self.dense = Dense(1)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, image: tf.Tensor) -> tf.Tensor:
        logit = leaky_relu(self.conv2d(ops.reshape(image, (-1, 28, 28, 1))), slope=0.2)
        logit = leaky_relu(self.batch_norm(self.conv2d_2(logit)), slope=0.2)
        logit = self.dense(flatten(ops.transpose(logit, (0, 3, 1, 2))))
        return logit


def Generator() -> keras.Model:
    z = keras.Input((100,), name="z")
    outputs = GeneratorBody()(z)
    return keras.Model(z, outputs, name="Generator")


def Discriminator() -> keras.Model:
    image = keras.Input((1, 28, 28), name="image")
    outputs = DiscriminatorBody()(image)
    return keras.Model(image, outputs, name="Discriminator")


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
