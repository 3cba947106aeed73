"""Helper functions of generated files. The compiler reads this file as text and copies what a network needs; only tests
import it. Each function stands alone or names its own helpers. Laid out for lines of 88, as generated files are.
"""

# fmt: off
# Keras has no types; what pyright infers from its sources is another backend's tensor, or None.
# pyright: basic, reportReturnType=false, reportArgumentType=false, reportOptionalOperand=false
# pyright: reportOptionalSubscript=false, reportOptionalMemberAccess=false, reportOptionalIterable=false
# pyright: reportOperatorIssue=false, reportCallIssue=false, reportIncompatibleMethodOverride=false
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from keras import ops


def masked_softmax(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Softmax that is 0 where everything along the axis is -inf."""
    empty = ops.max(x, axis=axis, keepdims=True) == float("-inf")
    return ops.where(empty, 0.0, tf.nn.softmax(ops.where(empty, 0.0, x), axis=axis))


def masked_log_softmax(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Log-softmax that is -inf where everything along the axis is -inf."""
    empty = ops.max(x, axis=axis, keepdims=True) == float("-inf")
    return ops.where(
        empty, float("-inf"), tf.nn.log_softmax(ops.where(empty, 0.0, x), axis=axis)
    )


def unbiased_variance(
    x: tf.Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> tf.Tensor:
    """The variance over `axis`, divided by the count less 1."""
    variance = ops.var(x, axis=axis, keepdims=keepdims)
    count = ops.cast(tf.size(x) / tf.size(variance), x.dtype)
    return variance * (count / (count - 1))


def triangle(x: tf.Tensor, diagonal: int, upper: bool = False) -> tf.Tensor:
    """One side of a diagonal that may lie outside the matrix; the rest is 0."""
    rows, columns = ops.shape(x)[-2:]
    offsets = ops.arange(columns) - ops.expand_dims(ops.arange(rows), 1)
    kept = offsets >= diagonal if upper else offsets <= diagonal
    return tf.where(kept, x, tf.zeros((), x.dtype))


def segment_softmax(x: tf.Tensor, segments: tf.Tensor, count: int) -> tf.Tensor:
    """Softmax over each segment; 0 where a segment is all -inf."""
    peak = tf.math.unsorted_segment_max(x, segments, count)
    peak = tf.stop_gradient(tf.where(peak <= x.dtype.min, tf.zeros((), x.dtype), peak))
    weights = tf.exp(x - tf.gather(peak, segments))
    total = tf.math.unsorted_segment_sum(weights, segments, count)
    total = tf.where(total == 0, tf.ones((), x.dtype), total)
    return weights / tf.gather(total, segments)


def scatter(
    x: tf.Tensor,
    indices: tf.Tensor,
    updates: tf.Tensor,
    axis: int,
    reduction: str = "set",
) -> tf.Tensor:
    """`x` with updates along an axis: `x[i, indices[i, j]] = updates[i, j]`, or reduced."""
    functions = {
        "set": tf.tensor_scatter_nd_update,
        "sum": tf.tensor_scatter_nd_add,
        "max": tf.tensor_scatter_nd_max,
        "min": tf.tensor_scatter_nd_min,
    }
    data, index, values = (
        ops.moveaxis(part, axis, -1) for part in (x, indices, updates)
    )
    shape = tf.shape(data, out_type=index.dtype)
    rows = ops.reshape(tf.range(tf.reduce_prod(shape[:-1])), shape[:-1])
    places = ops.expand_dims(rows, -1) * shape[-1] + index
    flat = functions[reduction](
        ops.reshape(data, [-1]),
        ops.reshape(places, [-1, 1]),
        ops.reshape(values, [-1]),
    )
    return ops.moveaxis(ops.reshape(flat, shape), -1, axis)


def top_k(
    x: tf.Tensor, k: int, axis: int, largest: bool = True
) -> tuple[tf.Tensor, tf.Tensor]:
    """The `k` largest (or smallest) along an axis and their places; of equals the first."""
    direction = "DESCENDING" if largest else "ASCENDING"
    order = tf.argsort(x, axis=axis, direction=direction, stable=True)
    places = tf.gather(order, tf.range(k), axis=axis)
    return ops.take_along_axis(x, places, axis=axis), ops.cast(places, "int64")


def edge_pad(x: tf.Tensor, pairs: Mapping[int, Sequence[int]]) -> tf.Tensor:
    """Pads axes by repeating the border; `pairs` has the (low, high) of each."""
    for axis, (low, high) in pairs.items():
        size = ops.shape(x)[axis]
        places = ops.clip(ops.arange(-low, size + high), 0, size - 1)
        x = tf.gather(x, places, axis=axis)
    return x


def wrap_pad(x: tf.Tensor, pairs: Mapping[int, Sequence[int]]) -> tf.Tensor:
    """Pads axes by continuing them with their other end; `pairs` has the (low, high) of each."""
    for axis, (low, high) in pairs.items():
        size = ops.shape(x)[axis]
        x = tf.gather(x, ops.arange(-low, size + high) % size, axis=axis)
    return x


def segment_max(x: tf.Tensor, segments: tf.Tensor, count: int) -> tf.Tensor:
    """The maximum over each segment; 0 where a segment is empty."""
    empty = tf.math.unsorted_segment_sum(tf.ones_like(segments), segments, count) == 0
    empty = tf.reshape(empty, [-1] + [1] * (len(x.shape) - 1))
    return tf.where(
        empty, tf.zeros((), x.dtype), tf.math.unsorted_segment_max(x, segments, count)
    )


def segment_min(x: tf.Tensor, segments: tf.Tensor, count: int) -> tf.Tensor:
    """The minimum over each segment; 0 where a segment is empty."""
    empty = tf.math.unsorted_segment_sum(tf.ones_like(segments), segments, count) == 0
    empty = tf.reshape(empty, [-1] + [1] * (len(x.shape) - 1))
    return tf.where(
        empty, tf.zeros((), x.dtype), tf.math.unsorted_segment_min(x, segments, count)
    )


def convolution(
    x: tf.Tensor,
    kernel: tf.Tensor,
    strides: Sequence[int] | None = None,
    padding: Sequence[tuple[int, int]] | None = None,
    dilations: Sequence[int] | None = None,
    groups: int = 1,
) -> tf.Tensor:
    """Convolution over the axes between batch and channels; `kernel` is [*K, in_channels // groups, filters].

    TensorFlow lacks strides together with dilations, and gradients of grouped convolutions on CPU.
    """
    rank = len(x.shape) - 2
    if padding is not None:
        x = tf.pad(x, [(0, 0), *padding, (0, 0)])
    dilated = dilations is not None and max(dilations) > 1
    options = (
        {"padding": "VALID", "dilations": dilations}
        if dilated
        else {"padding": "VALID", "strides": strides}
    )
    parts = zip(
        tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True
    )
    y = ops.concatenate(
        [tf.nn.convolution(part, weight, **options) for part, weight in parts], axis=-1
    )
    if dilated and strides is not None:
        y = y[
            (slice(None), *(slice(None, None, strides[axis]) for axis in range(rank)))
        ]
    return y


def transposed_convolution(
    x: tf.Tensor,
    kernel: tf.Tensor,
    strides: Sequence[int] | None = None,
    padding: Sequence[tuple[int, int]] | None = None,
    output_padding: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    groups: int = 1,
) -> tf.Tensor:
    """Transposed convolution; `kernel` is [*K, filters // groups, in_channels].

    The result is `padding` smaller at both ends and `output_padding` larger at the far end than the full one.
    """
    rank = len(x.shape) - 2
    strides = strides or (1,) * rank
    for axis, step in enumerate(dilations or ()):
        kernel = dilated(kernel, axis, step)
    shape, reach = ops.shape(x), ops.shape(kernel)
    extra = output_padding or (0,) * rank
    full = [
        (shape[axis + 1] - 1) * strides[axis] + reach[axis] + extra[axis]
        for axis in range(rank)
    ]
    output_shape = [shape[0], *full, kernel.shape[-2]]
    parts = zip(
        tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True
    )
    y = ops.concatenate(
        [
            tf.nn.conv_transpose(part, weight, output_shape, strides, padding="VALID")
            for part, weight in parts
        ],
        axis=-1,
    )
    if padding is None:
        return y
    cut = (slice(low, full[axis] - high) for axis, (low, high) in enumerate(padding))
    return y[(slice(None), *cut)]


def dilated(kernel: tf.Tensor, axis: int, step: int) -> tf.Tensor:
    """`step - 1` zeros between the entries along an axis."""
    shape = list(kernel.shape)
    size = shape[axis]
    pads = [(0, 0)] * (axis + 1) + [(0, step - 1)] + [(0, 0)] * (len(shape) - axis - 1)
    wide = tf.pad(ops.expand_dims(kernel, axis + 1), pads)
    shape[axis] = size * step
    return tf.gather(ops.reshape(wide, shape), range((size - 1) * step + 1), axis=axis)


def window_padding(
    x: tf.Tensor,
    reach: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]] | None,
    ceil_mode: bool,
) -> list[tuple[int, int]]:
    """The padding of each spatial axis; in ceil mode what the last window needs is added at the far end.

    A last window must start inside the input or its low padding.
    """
    pads = list(padding or [(0, 0)] * len(reach))
    if not ceil_mode:
        return pads
    sizes = ops.shape(x)[1:-1]
    for axis, (low, high) in enumerate(pads):
        room = sizes[axis] + low + high - reach[axis]
        rounded_up = (room + strides[axis] - 1) // strides[axis]
        inside = (sizes[axis] + low - 1) // strides[axis]
        last = rounded_up if high + strides[axis] - reach[axis] <= 0 else inside
        pads[axis] = (low, ops.maximum(high, high + last * strides[axis] - room))
    return pads


def max_pool(
    x: tf.Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]] | None = None,
    dilations: Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> tf.Tensor:
    """Maximum over windows; padding never wins. TensorFlow has no ceil mode, nor strides together with dilations."""
    steps = dilations or (1,) * len(kernel)
    reach = [step * (size - 1) + 1 for size, step in zip(kernel, steps, strict=True)]
    pads = window_padding(x, reach, strides, padding, ceil_mode)
    lowest = float("-inf") if x.dtype.is_floating else x.dtype.min
    x = tf.pad(x, [(0, 0), *pads, (0, 0)], constant_values=tf.cast(lowest, x.dtype))
    if max(steps) == 1 and all(
        stride <= size for stride, size in zip(strides, kernel, strict=True)
    ):
        return tf.nn.pool(x, kernel, "MAX", strides=strides, padding="VALID")
    y = tf.nn.pool(x, kernel, "MAX", padding="VALID", dilations=steps)
    return y[(slice(None), *(slice(None, None, stride) for stride in strides))]


def avg_pool(
    x: tf.Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]] | None = None,
    ceil_mode: bool = False,
    include_padding: bool = True,
) -> tf.Tensor:
    """Average over windows. What a window has beyond the padding in ceil mode is never counted."""
    pads = window_padding(x, kernel, strides, padding, ceil_mode)
    ones = tf.ones_like(x[:1, ..., :1])
    if include_padding and padding is not None:
        ones = tf.pad(ones, [(0, 0), *padding, (0, 0)], constant_values=1)
        rest = [
            (0, high - declared)
            for (_, high), (_, declared) in zip(pads, padding, strict=True)
        ]
    else:
        rest = pads
    total = tf.nn.pool(
        tf.pad(x, [(0, 0), *pads, (0, 0)]), kernel, "AVG", padding="VALID"
    )
    counted = tf.nn.pool(
        tf.pad(ones, [(0, 0), *rest, (0, 0)]), kernel, "AVG", padding="VALID"
    )
    places = (slice(None), *(slice(None, None, stride) for stride in strides))
    return total[places] / counted[places]


def resize(
    x: tf.Tensor,
    size: Sequence[int],
    mode: str = "nearest",
    align_corners: bool = False,
) -> tf.Tensor:
    """Another size of the axes between batch and channels, one after the other.

    Nearest elements, linear or cubic interpolation (a = -0.75), as PyTorch means them.
    """
    for axis, after in enumerate(size, 1):
        before = ops.shape(x)[axis]
        if mode == "nearest":
            x = tf.gather(x, ops.arange(after) * before // after, axis=axis)
            continue
        exact = "float64" if x.dtype == "float64" else "float32"
        old, new = ops.cast(before, exact), ops.cast(after, exact)
        place = ops.cast(ops.arange(after), exact)
        if align_corners:
            place *= (old - 1) / ops.maximum(new - 1, 1)
        else:
            place = (place + 0.5) * (old / new) - 0.5
        if mode == "linear":
            place = ops.clip(place, 0, old - 1)
        first = ops.floor(place)
        t = ops.reshape(place - first, [-1] + [1] * (len(x.shape) - axis - 1))
        weights = [1 - t, t] if mode == "linear" else cubic_weights(t)
        parts = []
        for offset, weight in enumerate(weights, 1 - len(weights) // 2):
            places = ops.cast(ops.clip(first + offset, 0, old - 1), "int32")
            parts.append(tf.gather(x, places, axis=axis) * ops.cast(weight, x.dtype))
        x = tf.add_n(parts)
    return x


def cubic_weights(t: tf.Tensor) -> list[tf.Tensor]:
    """Keys' cubic convolution with a = -0.75, of the four neighbours of a place."""

    def near(d: tf.Tensor) -> tf.Tensor:
        return (1.25 * d - 2.25) * d * d + 1

    def far(d: tf.Tensor) -> tf.Tensor:
        return ((-0.75 * d + 3.75) * d - 6) * d + 3

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def grid_sample(
    x: tf.Tensor,
    grid: tf.Tensor,
    padding: str = "zeros",
    align_corners: bool = False,
) -> tf.Tensor:
    """Channels-last images at the places (x, y) of a grid, -1..1 over the image, by linear interpolation.

    Beyond the image there are zeros, or its border.
    """
    height, width = ops.shape(x)[1:3]
    sides = []
    for axis, size in enumerate((width, height)):
        last = ops.cast(size - 1, x.dtype)
        place = (grid[..., axis] + 1) / 2 * (last if align_corners else last + 1)
        if not align_corners:
            place -= 0.5
        if padding == "border":
            place = ops.clip(place, 0, last)
        first = ops.floor(place)
        t = place - first
        for index, weight in ((first, 1 - t), (first + 1, t)):
            inside = (index >= 0) & (index <= last)
            places = ops.cast(ops.clip(index, 0, last), "int32")
            sides.append((places, ops.where(inside, weight, ops.zeros_like(weight))))
    pixels = ops.reshape(x, (-1, height * width, x.shape[-1]))
    return tf.add_n(
        [
            tf.gather(pixels, row * width + column, batch_dims=1)
            * ops.expand_dims(down * across, -1)
            for row, down in sides[2:]
            for column, across in sides[:2]
        ]
    )


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
