"""Deep residual networks (He, Zhang, Ren, Sun, 2015), ImageNet configurations."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
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


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
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


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class ConvBn(keras.layers.Layer):
    def __init__(
        self, filters: int, kernel: int, stride: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.conv2d = Conv2D(
            filters, kernel, strides=stride, border=kernel // 2, use_bias=False
        )
        self.batch_norm = BatchNormalization(momentum=0.9, epsilon=1e-05)
        self.built = True

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.batch_norm(self.conv2d(x))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel": self.kernel,
            "stride": self.stride,
        }


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class Basic(keras.layers.Layer):
    def __init__(self, width: int, stride: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.stride = stride

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        in_channels = input_shape[-1]
        self.conv_bn = ConvBn(self.width, 3, stride=self.stride)
        self.conv_bn_2 = ConvBn(self.width, 3)
        self.conv_bn_3 = None
        if self.stride != 1 or in_channels != self.width:
            self.conv_bn_3 = ConvBn(self.width, 1, stride=self.stride)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        residual = self.conv_bn_2(ops.relu(self.conv_bn(x)))
        if self.conv_bn_3 is None:
            shortcut = x
        else:
            shortcut = self.conv_bn_3(x)
        return ops.relu(residual + shortcut)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width, "stride": self.stride}


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class ResNetBasicBody(keras.layers.Layer):
    def __init__(self, depths: list[int], classes: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depths = depths
        self.classes = classes
        self.conv_bn = ConvBn(64, 7, stride=2)
        units = []
        for stage, depth in enumerate(depths):
            units.append(
                [
                    Basic(64 * 2**stage, stride=2 if stage > 0 and i == 0 else 1)
                    for i in range(depth)
                ]
            )
        self.unit = units
        self.global_avg_pool = keras.layers.GlobalAveragePooling2D()
        self.logits = Dense(classes)
        self.built = True

    def call(self, image: tf.Tensor) -> tf.Tensor:
        x = ops.relu(self.conv_bn(ops.transpose(image, (0, 2, 3, 1))))
        x = tf.nn.max_pool2d(x, 3, 2, [(0, 0), (1, 1), (1, 1), (0, 0)])
        for units in self.unit:
            for unit in units:
                x = unit(x)
        logits = self.logits(self.global_avg_pool(x))
        return logits

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depths": self.depths, "classes": self.classes}


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class Bottleneck(keras.layers.Layer):
    def __init__(
        self, width: int, stride: int = 1, expansion: int = 4, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.stride = stride
        self.expansion = expansion

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        in_channels = input_shape[-1]
        self.conv_bn = ConvBn(self.width, 1)
        self.conv_bn_2 = ConvBn(self.width, 3, stride=self.stride)
        self.conv_bn_3 = ConvBn(self.expansion * self.width, 1)
        self.conv_bn_4 = None
        if self.stride != 1 or in_channels != self.expansion * self.width:
            self.conv_bn_4 = ConvBn(self.expansion * self.width, 1, stride=self.stride)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        residual = self.conv_bn_3(ops.relu(self.conv_bn_2(ops.relu(self.conv_bn(x)))))
        if self.conv_bn_4 is None:
            shortcut = x
        else:
            shortcut = self.conv_bn_4(x)
        return ops.relu(residual + shortcut)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "width": self.width,
            "stride": self.stride,
            "expansion": self.expansion,
        }


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class ResNetBottleneckBody(keras.layers.Layer):
    def __init__(self, depths: list[int], classes: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depths = depths
        self.classes = classes
        self.conv_bn = ConvBn(64, 7, stride=2)
        units = []
        for stage, depth in enumerate(depths):
            units.append(
                [
                    Bottleneck(64 * 2**stage, stride=2 if stage > 0 and i == 0 else 1)
                    for i in range(depth)
                ]
            )
        self.unit = units
        self.global_avg_pool = keras.layers.GlobalAveragePooling2D()
        self.logits = Dense(classes)
        self.built = True

    def call(self, image: tf.Tensor) -> tf.Tensor:
        x = ops.relu(self.conv_bn(ops.transpose(image, (0, 2, 3, 1))))
        x = tf.nn.max_pool2d(x, 3, 2, [(0, 0), (1, 1), (1, 1), (0, 0)])
        for units in self.unit:
            for unit in units:
                x = unit(x)
        logits = self.logits(self.global_avg_pool(x))
        return logits

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depths": self.depths, "classes": self.classes}


def ResNet18(classes: int = 1000) -> keras.Model:
    image = keras.Input((3, 224, 224), name="image")
    outputs = ResNetBasicBody(depths=[2, 2, 2, 2], classes=classes)(image)
    return keras.Model(image, outputs, name="ResNet18")


def ResNet34(classes: int = 1000) -> keras.Model:
    image = keras.Input((3, 224, 224), name="image")
    outputs = ResNetBasicBody(depths=[3, 4, 6, 3], classes=classes)(image)
    return keras.Model(image, outputs, name="ResNet34")


def ResNet50(classes: int = 1000) -> keras.Model:
    image = keras.Input((3, 224, 224), name="image")
    outputs = ResNetBottleneckBody(depths=[3, 4, 6, 3], classes=classes)(image)
    return keras.Model(image, outputs, name="ResNet50")


def ResNet152(classes: int = 1000) -> keras.Model:
    image = keras.Input((3, 224, 224), name="image")
    outputs = ResNetBottleneckBody(depths=[3, 8, 36, 3], classes=classes)(image)
    return keras.Model(image, outputs, name="ResNet152")


KERAS_LAYERS = [
    keras.layers.Dense,
    keras.layers.Conv2D,
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
