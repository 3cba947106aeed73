"""Deep residual networks (He, Zhang, Ren, Sun, 2015), ImageNet configurations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

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


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
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


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class ConvBn(keras.layers.Layer):
    def __init__(
        self, filters: int, kernel: int, stride: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.conv2d = keras.layers.Conv2D(
            filters,
            kernel,
            strides=stride,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                1 / 3, mode="fan_in", distribution="uniform"
            ),
        )
        self.batch_norm = BatchNorm()

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.batch_norm(
            self.conv2d(
                ops.pad(
                    x,
                    (
                        (0, 0),
                        (self.kernel // 2, self.kernel // 2),
                        (self.kernel // 2, self.kernel // 2),
                        (0, 0),
                    ),
                )
            )
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel": self.kernel,
            "stride": self.stride,
        }


def max_pool2d(
    x: tf.Tensor, *, kernel: int, stride: int = 0, padding: int = 0
) -> tf.Tensor:
    """The largest value of each window; a stride of 0 means the kernel's size."""
    return tf.nn.max_pool2d(
        x,
        kernel,
        kernel if stride == 0 else stride,
        [(0, 0), (padding, padding), (padding, padding), (0, 0)],
    )


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


def global_avg_pool(x: tf.Tensor) -> tf.Tensor:
    """The mean over all positions: [N, C, ...] -> [N, C]."""
    return ops.mean(x, axis=(1, 2))


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
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


@keras.saving.register_keras_serializable(package="resnet_e4f63046")
class ResNetBasicBody(keras.layers.Layer):
    def __init__(self, depths: list[int], classes: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depths = depths
        self.classes = classes
        self.conv_bn = ConvBn(64, 7, stride=2)
        units = []
        for stage, depth in enumerate(depths):
            units.append([])
            for i in range(depth):
                units[-1].append(
                    Basic(64 * 2**stage, stride=2 if stage > 0 and i == 0 else 1)
                )
        self.logits = Dense(classes)
        self.unit = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, image: tf.Tensor) -> tf.Tensor:
        x = ops.relu(self.conv_bn(ops.transpose(image, (0, 2, 3, 1))))
        x = max_pool2d(x, kernel=3, stride=2, padding=1)
        for units in self.unit:
            for unit in units:
                x = unit(x)
        logits = self.logits(global_avg_pool(x))
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
            units.append([])
            for i in range(depth):
                units[-1].append(
                    Bottleneck(64 * 2**stage, stride=2 if stage > 0 and i == 0 else 1)
                )
        self.logits = Dense(classes)
        self.unit = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, image: tf.Tensor) -> tf.Tensor:
        x = ops.relu(self.conv_bn(ops.transpose(image, (0, 2, 3, 1))))
        x = max_pool2d(x, kernel=3, stride=2, padding=1)
        for units in self.unit:
            for unit in units:
                x = unit(x)
        logits = self.logits(global_avg_pool(x))
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
