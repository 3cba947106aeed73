"""What one writes in TensorFlow for a recurrence, or for a sum over the messages of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def made(case: str, weights: Mapping[str, np.ndarray[Any, np.dtype[Any]]]) -> Callable[..., tf.Tensor]:
    """The function of a case of `benchmarks.layer_speed`."""
    return (
        _recurrent(case, weights) if case in _LAYERS else {"sum": add, "mean": mean, "max": largest}.get(case, attend)
    )


def _recurrent(case: str, weights: Mapping[str, np.ndarray[Any, np.dtype[Any]]]) -> Callable[[tf.Tensor], tf.Tensor]:
    ours = {name.split(".", 3)[-1]: value for name, value in weights.items()}
    kernel, recurrent, bias = ours["dense.weight"].T, ours["dense_2.weight"].T, ours["dense.bias"]
    hidden = recurrent.shape[0]
    layer = _LAYERS[case](hidden, return_sequences=True)
    layer.build((None, None, kernel.shape[0]))
    if case == "gru":  # z, r, h in Keras
        order = np.concatenate([np.arange(hidden, 2 * hidden), np.arange(hidden), np.arange(2 * hidden, 3 * hidden)])
        second = np.concatenate([np.zeros(2 * hidden, np.float32), ours["recurrent_bias"]])
        kernel, recurrent, bias = kernel[:, order], recurrent[:, order], np.stack([bias[order], second])
    layer.set_weights([kernel, recurrent, bias])
    return lambda x: layer(x)


def add(h: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
    return tf.math.unsorted_segment_sum(tf.gather(h, edges[0]), edges[1], tf.shape(h)[0])


def mean(h: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
    return tf.math.unsorted_segment_mean(tf.gather(h, edges[0]), edges[1], tf.shape(h)[0])


def largest(h: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
    found = tf.math.unsorted_segment_max(tf.gather(h, edges[0]), edges[1], tf.shape(h)[0])
    return tf.where(found == found.dtype.min, tf.zeros((), found.dtype), found)


def attend(h: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
    source, target = edges[0], edges[1]
    count = tf.shape(h)[0]
    score = tf.gather(h[:, 0], source) + tf.gather(h[:, 1], target)
    peak = tf.math.unsorted_segment_max(score, target, count)
    weight = tf.exp(score - tf.gather(peak, target))
    total = tf.math.unsorted_segment_sum(weight, target, count)
    share = weight / tf.gather(total, target)
    return tf.math.unsorted_segment_sum(share[:, None] * tf.gather(h, source), target, count)
