"""ResNet-50 and the Transformer in Keras 3 on TensorFlow, written by hand."""

from __future__ import annotations

import math

import keras
import tensorflow as tf
from keras import layers


def conv_bn(x, filters: int, kernel: int, stride: int = 1):
    """Padded as torch pads: symmetrically, also at stride 2."""
    if kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2)(x)
    x = layers.Conv2D(filters, kernel, strides=stride, use_bias=False)(x)
    return layers.BatchNormalization(epsilon=1e-5)(x)


def bottleneck(x, width: int, stride: int = 1):
    identity = x
    if stride != 1 or x.shape[-1] != 4 * width:
        identity = conv_bn(x, 4 * width, 1, stride)
    y = layers.ReLU()(conv_bn(x, width, 1))
    y = layers.ReLU()(conv_bn(y, width, 3, stride))
    return layers.ReLU()(layers.Add()([conv_bn(y, 4 * width, 1), identity]))


def ResNet50(classes: int = 1000) -> keras.Model:  # noqa: N802
    image = keras.Input((3, 224, 224))
    x = layers.Permute((2, 3, 1))(image)
    x = layers.ReLU()(conv_bn(x, 64, 7, 2))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage, depth in enumerate([3, 4, 6, 3]):
        for i in range(depth):
            x = bottleneck(x, 64 * 2**stage, 2 if stage > 0 and i == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes)(x))


class Attention(layers.Layer):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.q, self.k, self.v, self.out = (layers.Dense(dim) for _ in range(4))

    def split(self, x):
        shape = tf.shape(x)
        return tf.transpose(tf.reshape(x, [shape[0], shape[1], self.heads, self.size]), [0, 2, 1, 3])

    def call(self, query, memory, mask=None, causal: bool = False):
        q, k, v = self.split(self.q(query)), self.split(self.k(memory)), self.split(self.v(memory))
        scores = tf.matmul(q, k, transpose_b=True) / math.sqrt(self.size)
        if mask is not None:
            scores = tf.where(mask, scores, -1e9)
        if causal:
            t = tf.shape(scores)[-1]
            scores = tf.where(tf.linalg.band_part(tf.ones([t, t], tf.bool), -1, 0), scores, -1e9)
        context = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
        shape = tf.shape(context)
        return self.out(tf.reshape(context, [shape[0], shape[1], self.heads * self.size]))


class EncoderLayer(layers.Layer):
    def __init__(self, dim: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.linear1, self.linear2 = layers.Dense(inner, activation="relu"), layers.Dense(dim)
        self.norm1, self.norm2 = (layers.LayerNormalization(epsilon=1e-5) for _ in range(2))

    def call(self, x, mask):
        x = self.norm1(x + self.attention(x, x, mask))
        return self.norm2(x + self.linear2(self.linear1(x)))


class DecoderLayer(layers.Layer):
    def __init__(self, dim: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attention, self.cross_attention = Attention(dim, heads), Attention(dim, heads)
        self.linear1, self.linear2 = layers.Dense(inner, activation="relu"), layers.Dense(dim)
        self.norm1, self.norm2, self.norm3 = (layers.LayerNormalization(epsilon=1e-5) for _ in range(3))

    def call(self, x, memory, mask):
        x = self.norm1(x + self.self_attention(x, x, causal=True))
        x = self.norm2(x + self.cross_attention(x, memory, mask))
        return self.norm3(x + self.linear2(self.linear1(x)))


class Body(layers.Layer):
    def __init__(self, vocab: int, dim: int, heads: int, inner: int, count: int) -> None:
        super().__init__()
        self.dim = dim
        self.tokens = layers.Embedding(vocab, dim)
        self.encoder = [EncoderLayer(dim, heads, inner) for _ in range(count)]
        self.decoder = [DecoderLayer(dim, heads, inner) for _ in range(count)]

    def embed(self, tokens):
        length = tf.shape(tokens)[1]
        position = tf.cast(tf.range(length), tf.float32)[:, None]
        frequency = tf.exp(tf.range(0, self.dim, 2, dtype=tf.float32) * (-math.log(10000.0) / self.dim))
        angle = position * frequency
        waves = tf.reshape(tf.stack([tf.sin(angle), tf.cos(angle)], -1), [length, self.dim])
        return self.tokens(tokens) * math.sqrt(self.dim) + waves

    def call(self, source, target):
        mask = (source != 0)[:, None, None, :]
        x = self.embed(source)
        for layer in self.encoder:
            x = layer(x, mask)
        y = self.embed(target)
        for layer in self.decoder:
            y = layer(y, x, mask)
        return tf.matmul(y, self.tokens.embeddings, transpose_b=True)


def Transformer(  # noqa: N802
    vocab: int = 37000, dim: int = 512, heads: int = 8, inner: int = 2048, count: int = 6
) -> keras.Model:
    source = keras.Input((None,), dtype="int64")
    target = keras.Input((None,), dtype="int64")
    return keras.Model([source, target], Body(vocab, dim, heads, inner, count)(source, target))
