"""What TensorFlow and Keras get wrong or lack, as small as it gets: each is why a rule goes another way.

Each holds as long as the fault does. Where one fails, TensorFlow has been mended, and the rule that it names can be
simpler.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

INF = math.inf
EMPTY = tf.zeros((0,), tf.int64)


def depthwise_steps() -> bool:
    """rules/convolution.py: stride and dilation together give numbers of other places, and now a warning too."""
    x = tf.reshape(tf.range(8.0), (1, 1, 8, 1))
    with pytest.warns(UserWarning, match="dilation rate"):
        found = tf.nn.depthwise_conv2d(x, tf.ones((1, 2, 1, 1)), [1, 2, 2, 1], "VALID", dilations=(1, 2))
    return ops.convert_to_numpy(found).reshape(-1).tolist() != [0.0 + 2.0, 2.0 + 4.0, 4.0 + 6.0]


def steps_of_convolutions() -> bool:
    """rules/convolution.py: no strides with dilations."""
    with pytest.raises(ValueError, match="not supported in conjunction"):
        tf.nn.convolution(tf.ones((1, 9, 9, 1)), tf.ones((3, 3, 1, 1)), strides=2, padding="VALID", dilations=2)
    return True


def gradient_of_groups() -> bool:
    """rules/convolution.py: grouped convolutions with padding have no gradient on the CPU."""
    x, kernel = tf.ones((1, 5, 5, 4)), tf.ones((3, 3, 2, 4))
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        y = tf.nn.conv2d(x, kernel, 1, [(0, 0), (1, 1), (1, 1), (0, 0)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="grouped convolutions are not supported"):
        tape.gradient(y, kernel)
    return True


def erf_in_64_bits() -> bool:
    """rules/elementwise.py."""
    return bool(np.isnan(ops.convert_to_numpy(ops.erf(tf.constant([INF], tf.float64)))).any())


def triangles_beyond() -> bool:
    """rules/indexing.py: a diagonal outside of the matrix."""
    with pytest.raises(Exception, match=r"out of bound|must be"):
        ops.tril(tf.ones((3, 3)), k=5)
    return True


def maximum_of_no_rows() -> bool:
    """rules/indexing.py: an empty segment's maximum is the lowest number."""
    return float(tf.math.unsorted_segment_max(tf.zeros((0,)), EMPTY, 1)[0]) < -1e38


def softmax_of_nothing() -> bool:
    """rules/reduction.py: NaN over nothing but -inf."""
    return bool(np.isnan(ops.convert_to_numpy(tf.nn.softmax(tf.constant([-INF, -INF])))).all())


def places_of_small_numbers() -> bool:
    """rules/reduction.py: ops.argmax takes small numbers for 0, or gives int32."""
    return ops.argmax(tf.constant([1.0, 2.0])).dtype == tf.int32


def nearest_pixels() -> bool:
    """rules/resampling.py: the nearest to the centre of a pixel of the result; elsewhere the one before its corner."""
    found = tf.image.resize(tf.reshape(tf.range(4.0), (1, 1, 4, 1)), (1, 2), "nearest")
    return ops.convert_to_numpy(found).reshape(-1).tolist() != [0.0, 2.0]


def linear_in_64_bits() -> bool:
    """rules/resampling.py: linear interpolation rounds to 32 bits."""
    return tf.image.resize(tf.ones((1, 2, 2, 1), tf.float64), (4, 4)).dtype == tf.float32


def cubic_parameter() -> bool:
    """rules/resampling.py: a = -0.5 in TensorFlow, -0.75 in PyTorch and ONNX. Between 0 and 1, an eighth from 0."""
    step = tf.constant([0.0, 0, 0, 0, 1, 1, 1, 1])
    found = ops.convert_to_numpy(tf.image.resize(tf.reshape(step, (1, 1, 8, 1)), (1, 16), "bicubic")).reshape(-1)
    return abs(found[6] - -0.03515625) > 1e-3


def sorted_pixels() -> bool:
    """rules/sorting.py: ops.sort has no direction, and tf.math.top_k takes the last axis alone."""
    with pytest.raises(TypeError):
        ops.sort(tf.constant([1.0]), descending=True)
    with pytest.raises(TypeError):
        tf.math.top_k(tf.constant([[1.0]]), 1, axis=0)
    return True


FAULTS: list[Callable[[], bool]] = [
    depthwise_steps,
    steps_of_convolutions,
    gradient_of_groups,
    erf_in_64_bits,
    triangles_beyond,
    maximum_of_no_rows,
    softmax_of_nothing,
    places_of_small_numbers,
    nearest_pixels,
    linear_in_64_bits,
    cubic_parameter,
    sorted_pixels,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_it_is_still_so(fault: Callable[[], bool]) -> None:
    assert fault(), "it may be mended: see the rule that this names"
