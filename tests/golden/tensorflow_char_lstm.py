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
    dtypes: Sequence[str] = ("float32",),
) -> list[tf.Tensor]:
    """Runs `step(*inputs at t, *states)` over time: stacked outputs, final states.

    `step` returns its outputs (of `dtypes`), then the new states. From a row's length
    on, outputs are 0 and states stay.
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
        values, new = results[: len(dtypes)], results[len(dtypes) :]
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

    outputs = [tf.TensorArray(dtype, size=steps) for dtype in dtypes]
    _, outputs, final = tf.while_loop(
        lambda count, *_: count < steps,
        body,
        (tf.constant(0), outputs, list(states)),
        maximum_iterations=steps,
    )
    return [ops.moveaxis(array.stack(), 0, axis) for array in outputs] + list(final)


@keras.saving.register_keras_serializable(package="char_lstm_f2302066")
class Embedding(keras.layers.Layer):
    """Row tokens[...] of a table: int [...] -> [..., width]."""

    def __init__(self, entries: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entries = entries
        self.width = width

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.weight = self.add_weight(
            name="weight",
            shape=(self.entries, self.width),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.weight, tokens)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "entries": self.entries, "width": self.width}


@keras.saving.register_keras_serializable(package="char_lstm_f2302066")
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


@keras.saving.register_keras_serializable(package="char_lstm_f2302066")
class PeepholeLstmCell(keras.layers.Layer):
    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.dense = Dense(4 * hidden)
        self.dense_2 = keras.layers.Dense(
            4 * hidden,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                1 / 3, mode="fan_in", distribution="uniform"
            ),
        )

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
        self.embedding = Embedding(vocab, hidden)
        self.peephole_lstm_cell = [PeepholeLstmCell(hidden) for _ in range(layers)]
        self.logits = Dense(vocab)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        x = self.embedding(tokens)
        for peephole_lstm_cell in self.peephole_lstm_cell:
            full = ops.full((ops.shape(tokens)[0], self.hidden), 0, dtype="float32")
            full_2 = ops.full((ops.shape(tokens)[0], self.hidden), 0, dtype="float32")
            output, _, _ = scan(peephole_lstm_cell, [x], [full, full_2])
            x = output
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
