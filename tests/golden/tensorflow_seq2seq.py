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


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


@keras.saving.register_keras_serializable(package="seq2seq_33351b0d")
class GruCell(keras.layers.Layer):
    """Gates in the order reset, update, new; resets after the product, with its recurrent bias (Cho et al., 2014; cuDNN's form)."""

    def __init__(self, hidden: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.dense = Dense(3 * hidden)
        self.dense_2 = Dense(3 * hidden, use_bias=False)

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
        self.dense_2 = Dense(units, use_bias=False)

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
        self.built = True

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
        self.words = keras.layers.Embedding(
            source_vocab,
            hidden,
            embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )
        self.forward = GruCell(hidden)
        self.backward = GruCell(hidden)
        self.embedding = keras.layers.Embedding(
            target_vocab,
            hidden,
            embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )
        self.dense = Dense(hidden)
        self.attention_decoder_cell = AttentionDecoderCell(hidden)
        self.logits = Dense(target_vocab)
        self.built = True

    def call(self, source: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, ...]:
        n = ops.shape(source)[0]
        mask = source != 0
        lengths = ops.sum(ops.cast(mask, "int64"), axis=1)
        words = self.words(source)
        forward, _ = scan(
            self.forward, [words], [ops.zeros((n, self.hidden))], lengths=lengths
        )
        zeros = ops.zeros((n, self.hidden))
        backward, backward_h = scan(
            self.backward, [words], [zeros], reverse=True, lengths=lengths
        )
        memory = ops.concatenate([forward, backward], axis=-1)
        embedding = self.embedding(target)
        tanh = ops.tanh(self.dense(backward_h))
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
