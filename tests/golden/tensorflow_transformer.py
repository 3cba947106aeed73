"""The Transformer (Vaswani et al., 2017)."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from safetensors.numpy import load_file


def masked_softmax(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Softmax that is 0 where everything along the axis is -inf."""
    empty = ops.max(x, axis=axis, keepdims=True) == float("-inf")
    return ops.where(empty, 0.0, tf.nn.softmax(ops.where(empty, 0.0, x), axis=axis))


@keras.saving.register_keras_serializable(package="transformer_38acce19")
class Dense(keras.layers.Dense):
    """keras.layers.Dense with the initial weights of torch.nn.Linear."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        bound = 1 / math.sqrt(input_shape[-1])
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        super().build(input_shape)


def add_sinusoidal_positions(x: tf.Tensor) -> tf.Tensor:
    """x + p, p[t, 2i] = sin(t / 10000^(2i / D)), p[t, 2i + 1] = cos(same) (Vaswani et al., 2017, section 3.5). D is even."""
    _, t, d = ops.shape(x)
    position = ops.expand_dims(
        ops.cast(ops.arange(t, dtype="int64"), "float32"), axis=1
    )
    frequency = ops.cast(ops.arange(0, d, 2, dtype="int64"), "float32")
    frequency = ops.exp(frequency * ops.cast(-math.log(10000.0) / d, "float32"))
    angle = position * frequency
    return x + ops.reshape(ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1), (t, d))


def scaled_dot_product_attention(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    causal: bool = False,
) -> tf.Tensor:
    """softmax(Q K^T / sqrt(D)) V for each head (Vaswani et al., 2017, equation 1).

    query [N, H, T, D], key [N, H, S, D], value [N, H, S, V] -> [N, H, T, V]; mask is true where one may attend, and
    broadcasts. A position that may attend to nothing gives 0.
    """
    _, _, t, d = ops.shape(query)
    einsum = ops.einsum("nhtd,nhsd->nhts", query, key)
    scores = einsum / ops.cast(math.sqrt(d), "float32")
    if mask is not None:
        scores = ops.where(mask, scores, float("-inf"))
    if causal:
        expand_dims = ops.expand_dims(ops.arange(t, dtype="int64"), axis=1)
        arange = ops.arange(ops.shape(key)[2], dtype="int64")
        earlier = ops.expand_dims(arange, axis=0) <= expand_dims
        scores = ops.where(earlier, scores, float("-inf"))
    return ops.einsum("nhts,nhsv->nhtv", masked_softmax(scores), value)


@keras.saving.register_keras_serializable(package="transformer_38acce19")
class MultiHeadAttention(keras.layers.Layer):
    """Attention in several heads (Vaswani et al., 2017, section 3.2.2).

    query [N, T, D], key [N, S, K], value [N, S, V] -> [N, T, D]; mask [N, 1 or T, S] is true where one may attend.
    A head that may attend to nothing gives 0.
    """

    def __init__(self, heads: int, causal: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.causal = causal

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        dim = input_shape[-1]
        self.q = Dense(dim)
        self.k = Dense(dim)
        self.v = Dense(dim)
        self.output_ = Dense(dim)

    def call(
        self,
        query: tf.Tensor,
        key: tf.Tensor,
        value: tf.Tensor,
        attention_mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        n, t, d = ops.shape(query)
        s = ops.shape(key)[1]
        q = ops.reshape(self.q(query), (n, t, self.heads, d // self.heads))
        q = ops.transpose(q, (0, 2, 1, 3))
        k = ops.transpose(
            ops.reshape(self.k(key), (n, s, self.heads, d // self.heads)), (0, 2, 1, 3)
        )
        v = ops.reshape(self.v(value), (n, s, self.heads, d // self.heads))
        v = ops.transpose(v, (0, 2, 1, 3))
        if attention_mask is not None:
            attention_mask = ops.expand_dims(attention_mask, axis=1)
        context = scaled_dot_product_attention(
            q, k, v, mask=attention_mask, causal=self.causal
        )
        output = self.output_(
            ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (n, t, d))
        )
        return output

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "causal": self.causal}


@keras.saving.register_keras_serializable(package="transformer_38acce19")
class FeedForward(keras.layers.Layer):
    def __init__(self, inner: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        dim = input_shape[-1]
        self.dense = Dense(self.inner)
        self.dense_2 = Dense(dim)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.dense_2(ops.relu(self.dense(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "inner": self.inner}


@keras.saving.register_keras_serializable(package="transformer_38acce19")
class EncoderLayer(keras.layers.Layer):
    def __init__(self, heads: int, inner: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.inner = inner
        self.multi_head_attention = MultiHeadAttention(heads)
        self.layer_norm = keras.layers.LayerNormalization(epsilon=1e-05)
        self.feed_forward = FeedForward(inner)
        self.layer_norm_2 = keras.layers.LayerNormalization(epsilon=1e-05)
        self.built = True

    def call(self, x: tf.Tensor, attention_mask: tf.Tensor) -> tf.Tensor:
        expand_dims = ops.expand_dims(attention_mask, axis=1)
        x = self.layer_norm(
            x + self.multi_head_attention(x, x, x, attention_mask=expand_dims)
        )
        return self.layer_norm_2(x + self.feed_forward(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "inner": self.inner}


@keras.saving.register_keras_serializable(package="transformer_38acce19")
class DecoderLayer(keras.layers.Layer):
    def __init__(self, heads: int, inner: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.inner = inner
        self.multi_head_attention = MultiHeadAttention(heads, causal=True)
        self.layer_norm = keras.layers.LayerNormalization(epsilon=1e-05)
        self.multi_head_attention_2 = MultiHeadAttention(heads)
        self.layer_norm_2 = keras.layers.LayerNormalization(epsilon=1e-05)
        self.feed_forward = FeedForward(inner)
        self.layer_norm_3 = keras.layers.LayerNormalization(epsilon=1e-05)
        self.built = True

    def call(
        self, x: tf.Tensor, memory: tf.Tensor, memory_mask: tf.Tensor
    ) -> tf.Tensor:
        x = self.layer_norm(x + self.multi_head_attention(x, x, x))
        expand_dims = ops.expand_dims(memory_mask, axis=1)
        multi_head_attention_2 = self.multi_head_attention_2(
            x, memory, memory, attention_mask=expand_dims
        )
        x = self.layer_norm_2(x + multi_head_attention_2)
        return self.layer_norm_3(x + self.feed_forward(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "inner": self.inner}


@keras.saving.register_keras_serializable(package="transformer_38acce19")
class TransformerBody(keras.layers.Layer):
    def __init__(
        self,
        vocab: int = 37000,
        width: int = 512,
        heads: int = 8,
        inner: int = 2048,
        layers: int = 6,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocab = vocab
        self.width = width
        self.heads = heads
        self.inner = inner
        self.layers = layers
        self.tokens = keras.layers.Embedding(
            vocab,
            width,
            embeddings_initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )
        self.encoder_layer = [EncoderLayer(heads, inner) for _ in range(layers)]
        self.decoder_layer = [DecoderLayer(heads, inner) for _ in range(layers)]
        self.built = True

    def call(self, source: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        source_mask = source != 0
        x = add_sinusoidal_positions(self.tokens(source) * math.sqrt(self.width))
        for encoder_layer in self.encoder_layer:
            x = encoder_layer(x, source_mask)
        y = add_sinusoidal_positions(self.tokens(target) * math.sqrt(self.width))
        for decoder_layer in self.decoder_layer:
            y = decoder_layer(y, x, source_mask)
        logits = ops.matmul(y, ops.transpose(self.tokens.embeddings))
        return logits

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocab": self.vocab,
            "width": self.width,
            "heads": self.heads,
            "inner": self.inner,
            "layers": self.layers,
        }


def Transformer(
    vocab: int = 37000,
    width: int = 512,
    heads: int = 8,
    inner: int = 2048,
    layers: int = 6,
) -> keras.Model:
    source = keras.Input((None,), dtype="int64", name="source")
    target = keras.Input((None,), dtype="int64", name="target")
    layer = TransformerBody(
        vocab=vocab, width=width, heads=heads, inner=inner, layers=layers
    )
    outputs = layer(source, target)
    return keras.Model(
        {"source": source, "target": target}, outputs, name="Transformer"
    )


def TransformerBig(vocab: int = 37000, layers: int = 6) -> keras.Model:
    source = keras.Input((None,), dtype="int64", name="source")
    target = keras.Input((None,), dtype="int64", name="target")
    layer = TransformerBody(
        vocab=vocab, width=1024, heads=16, inner=4096, layers=layers
    )
    outputs = layer(source, target)
    return keras.Model(
        {"source": source, "target": target}, outputs, name="TransformerBig"
    )


KERAS_LAYERS = [
    keras.layers.Dense,
    keras.layers.Embedding,
    keras.layers.LayerNormalization,
]
PYTORCH_NAMES = {
    "kernel": "weight",
    "embeddings": "weight",
    "gamma": "weight",
    "beta": "bias",
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
