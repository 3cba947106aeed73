"""Translation with additive attention (Bahdanau, Cho, Bengio, 2015), teacher forced."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


def masked_softmax(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Softmax that is 0 where everything along the axis is -inf."""
    empty = ops.max(x, axis=axis, keepdims=True) == float("-inf")
    return ops.where(empty, 0.0, tf.nn.softmax(ops.where(empty, 0.0, x), axis=axis))


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


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
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


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
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


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
class GruCell(keras.layers.Layer):
    """Gates in the order reset, update, new; resets after the product, with its recurrent bias (Cho et al., 2014; cuDNN's form)."""

    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.dense = Dense(3 * hidden)
        self.dense_2 = keras.layers.Dense(
            3 * hidden,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                1 / 3, mode="fan_in", distribution="uniform"
            ),
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.recurrent_bias = self.add_weight(
            name="recurrent_bias",
            shape=(self.hidden,),
            initializer=keras.initializers.RandomUniform(
                -1 / math.sqrt(self.hidden), 1 / math.sqrt(self.hidden)
            ),
        )

    def call(self, x: tf.Tensor, h: tf.Tensor) -> tuple[tf.Tensor, ...]:
        xr, xz, xn = tf.split(self.dense(x), 3, axis=-1)
        hr, hz, hn = tf.split(self.dense_2(h), 3, axis=-1)
        r = ops.sigmoid(xr + hr)
        z = ops.sigmoid(xz + hz)
        n = ops.tanh(xn + r * (hn + self.recurrent_bias))
        next_h = (1.0 - z) * n + z * h
        return next_h, next_h

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
class AdditiveScore(keras.layers.Layer):
    """score(s, h_j) = v . tanh(W s + U h_j)"""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.dense = Dense(units)
        self.dense_2 = keras.layers.Dense(
            units,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                1 / 3, mode="fan_in", distribution="uniform"
            ),
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.v = self.add_weight(
            name="v",
            shape=(self.units,),
            initializer=keras.initializers.RandomUniform(-0.1, 0.1),
        )

    def call(self, s: tf.Tensor, memory: tf.Tensor) -> tf.Tensor:
        tanh = ops.tanh(ops.expand_dims(self.dense(s), axis=1) + self.dense_2(memory))
        return ops.matmul(tanh, self.v)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
class AttentionDecoderCell(keras.layers.Layer):
    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.weights_ = AdditiveScore(hidden)
        self.gru_cell = GruCell(hidden)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(
        self, y: tf.Tensor, memory: tf.Tensor, attention_mask: tf.Tensor, s: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        weights = masked_softmax(
            ops.where(attention_mask, self.weights_(s, memory), float("-inf"))
        )
        context = ops.einsum("ns,nsm->nm", weights, memory)
        next_s, _ = self.gru_cell(ops.concatenate([y, context], axis=-1), s)
        state = ops.concatenate([next_s, context], axis=-1)
        return state, weights, next_s

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
class Seq2SeqBody(keras.layers.Layer):
    def __init__(
        self,
        source_vocab: int = 8000,
        target_vocab: int = 8000,
        hidden: int = 256,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_vocab = source_vocab
        self.target_vocab = target_vocab
        self.hidden = hidden
        self.words = Embedding(source_vocab, hidden)
        self.forward = GruCell(hidden)
        self.backward = GruCell(hidden)
        self.embedding = Embedding(target_vocab, hidden)
        self.dense = Dense(hidden)
        self.attention_decoder_cell = AttentionDecoderCell(hidden)
        self.logits = Dense(target_vocab)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """The layers inside are built when they are first called."""

    def call(self, source: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, ...]:
        mask = source != 0
        lengths = ops.sum(ops.cast(mask, "int64"), axis=1)
        words = self.words(source)
        full = ops.full((ops.shape(source)[0], self.hidden), 0, dtype="float32")
        output, _ = scan(self.forward, [words], [full], lengths=lengths)
        forward = output
        full_2 = ops.full((ops.shape(source)[0], self.hidden), 0, dtype="float32")
        output_2, h_2 = scan(
            self.backward, [words], [full_2], reverse=True, lengths=lengths
        )
        backward = output_2
        memory = ops.concatenate([forward, backward], axis=-1)
        embedding = self.embedding(target)
        tanh = ops.tanh(self.dense(h_2))
        state, weights, _ = scan(
            lambda y_t, s_2: self.attention_decoder_cell(y_t, memory, mask, s_2),
            [embedding],
            [tanh],
            dtypes=("float32", "float32"),
        )
        logits = self.logits(state)
        alignment = weights
        return logits, alignment

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "source_vocab": self.source_vocab,
            "target_vocab": self.target_vocab,
            "hidden": self.hidden,
        }


def Seq2Seq(
    source_vocab: int = 8000, target_vocab: int = 8000, hidden: int = 256
) -> keras.Model:
    source = keras.Input((None,), dtype="int64", name="source")
    target = keras.Input((None,), dtype="int64", name="target")
    layer = Seq2SeqBody(
        source_vocab=source_vocab, target_vocab=target_vocab, hidden=hidden
    )
    logits, alignment = layer(source, target)
    return keras.Model(
        {"source": source, "target": target},
        {"logits": logits, "alignment": alignment},
        name="Seq2Seq",
    )


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
