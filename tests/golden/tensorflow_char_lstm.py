"""A character-level language model on an LSTM whose gates see the cell state
(peepholes: Gers and Schmidhuber, 2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


def scan(
    step: Callable[..., Any],
    inputs: Sequence[tf.Tensor],
    states: Sequence[tf.Tensor],
    axis: int = 1,
    reverse: bool = False,
    lengths: tf.Tensor | None = None,
    steps: int | None = None,
    dtypes: Sequence[str | None] = ("float32",),
) -> list[tf.Tensor]:
    """Runs `step(*inputs at t, *states)` over time: stacked outputs, final states.

    `step` returns its outputs (of `dtypes`; one of None is not kept), then the new
    states. From a row's length on, outputs are 0 and states stay.
    """
    rows = [ops.moveaxis(x, axis, 0) for x in inputs]
    steps = ops.shape(rows[0])[0] if steps is None else steps
    arrays = [tf.TensorArray(x.dtype, size=steps).unstack(x) for x in rows]

    def masked(valid: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
        return tf.where(tf.reshape(valid, [-1] + [1] * (len(new.shape) - 1)), new, old)

    def body(
        count: tf.Tensor, outputs: list[Any], carried: list[tf.Tensor]
    ) -> tuple[Any, ...]:
        t = steps - 1 - count if reverse else count
        results = step(*(array.read(t) for array in arrays), *carried)
        results = list(results) if isinstance(results, tuple | list) else [results]
        made, new = results[: len(dtypes)], results[len(dtypes) :]
        values = [value for value, dtype in zip(made, dtypes, strict=True) if dtype]
        if lengths is not None:
            valid = tf.cast(t, lengths.dtype) < lengths
            values = [
                masked(valid, value, tf.zeros((), value.dtype)) for value in values
            ]
            new = [masked(valid, *pair) for pair in zip(new, carried, strict=True)]
        new = [
            tf.ensure_shape(value, old.shape)
            for value, old in zip(new, carried, strict=True)
        ]
        return (
            count + 1,
            [
                array.write(t, value)
                for array, value in zip(outputs, values, strict=True)
            ],
            new,
        )

    outputs = [tf.TensorArray(dtype, size=steps) for dtype in dtypes if dtype]
    _, outputs, final = tf.while_loop(
        lambda count, *_: count < steps,
        body,
        (tf.constant(0), outputs, list(states)),
        maximum_iterations=steps,
    )
    return [ops.moveaxis(array.stack(), 0, axis) for array in outputs] + list(final)


@keras.saving.register_keras_serializable(package="char_lstm_f2302066")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="char_lstm_f2302066")
class PeepholeLstmCell(keras.layers.Layer):
    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.dense = Dense(4 * hidden)
        self.dense_2 = Dense(4 * hidden, use_bias=False)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.peep_i = self.add_weight(
            name="peep_i", shape=(self.hidden,), initializer="zeros"
        )
        self.peep_f = self.add_weight(
            name="peep_f", shape=(self.hidden,), initializer="zeros"
        )
        self.peep_o = self.add_weight(
            name="peep_o", shape=(self.hidden,), initializer="zeros"
        )

    def call(self, x: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, ...]:
        i, f, g, o = tf.split(self.dense(x) + self.dense_2(h), 4, axis=-1)
        sigmoid = ops.sigmoid(f + self.peep_f * c)
        next_c = sigmoid * c + ops.sigmoid(i + self.peep_i * c) * ops.tanh(g)
        next_h = ops.sigmoid(o + self.peep_o * next_c) * ops.tanh(next_c)
        return next_h, next_h, next_c

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}


@keras.saving.register_keras_serializable(package="char_lstm_f2302066")
class CharLSTMBody(keras.layers.Layer):
    def __init__(
        self, vocab: int = 96, hidden: int = 256, layers: int = 2, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.vocab = vocab
        self.hidden = hidden
        self.layers = layers
        self.embedding = keras.layers.Embedding(
            vocab,
            hidden,
            embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )
        self.peephole_lstm_cell = [PeepholeLstmCell(hidden) for _ in range(layers)]
        self.logits = Dense(vocab)
        self.built = True

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        n = ops.shape(tokens)[0]
        x = self.embedding(tokens)
        for peephole_lstm_cell in self.peephole_lstm_cell:
            zeros = ops.zeros((n, self.hidden))
            x, _, _ = scan(
                peephole_lstm_cell, [x], [zeros, ops.zeros((n, self.hidden))]
            )
        logits = self.logits(x)
        return logits

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocab": self.vocab,
            "hidden": self.hidden,
            "layers": self.layers,
        }


def CharLSTM(vocab: int = 96, hidden: int = 256, layers: int = 2) -> keras.Model:
    tokens = keras.Input((None,), dtype="int64", name="tokens")
    outputs = CharLSTMBody(vocab=vocab, hidden=hidden, layers=layers)(tokens)
    return keras.Model(tokens, outputs, name="CharLSTM")


KERAS_LAYERS = [keras.layers.Dense, keras.layers.Embedding]
PYTORCH_NAMES = {"kernel": "weight", "embeddings": "weight"}


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
