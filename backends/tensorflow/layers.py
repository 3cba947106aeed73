"""Keras' own layers, started (and padded) as the standard blocks say. The compiler reads this file as text (see
`helper_code`) and copies what a network needs; only tests import it. Laid out for lines of 88, as generated files are.
"""

# fmt: off
# Keras has no types; what pyright infers from its sources is another backend's tensor, or None.
# pyright: basic, reportReturnType=false, reportArgumentType=false, reportOptionalOperand=false
# pyright: reportOptionalSubscript=false, reportOptionalMemberAccess=false, reportOptionalIterable=false
# pyright: reportOperatorIssue=false, reportCallIssue=false, reportIncompatibleMethodOverride=false
from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops


class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


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


class Conv1D(keras.layers.Conv1D):
    """keras.layers.Conv1D with the padding and the initial weights of torch.nn.Conv1d."""

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

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        border = (self.border, self.border)
        return super().call(tf.pad(inputs, [(0, 0), border, (0, 0)]))

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        batch, *sizes, channels = input_shape
        wide = [None if size is None else size + 2 * self.border for size in sizes]
        return super().compute_output_shape((batch, *wide, channels))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "border": self.border}


class Conv3D(keras.layers.Conv3D):
    """keras.layers.Conv3D with the padding and the initial weights of torch.nn.Conv3d."""

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

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        border = (self.border, self.border)
        return super().call(tf.pad(inputs, [(0, 0), border, border, border, (0, 0)]))

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        batch, *sizes, channels = input_shape
        wide = [None if size is None else size + 2 * self.border for size in sizes]
        return super().compute_output_shape((batch, *wide, channels))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "border": self.border}


class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """keras.layers.Conv2DTranspose with the initial weights of torch.nn.ConvTranspose2d."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(math.prod(self.kernel_size) * self.filters)
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


class Conv1DTranspose(keras.layers.Conv1DTranspose):
    """keras.layers.Conv1DTranspose with the initial weights of torch.nn.ConvTranspose1d."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(math.prod(self.kernel_size) * self.filters)
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


class Conv3DTranspose(keras.layers.Conv3DTranspose):
    """keras.layers.Conv3DTranspose with the initial weights of torch.nn.ConvTranspose3d."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(math.prod(self.kernel_size) * self.filters)
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


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
