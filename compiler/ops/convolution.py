"""Convolution (as deep learning has it: cross-correlation) and its transpose, over 1 to 3 spatial axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, add, exact_divide, multiply, product, subtract
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.borders import complete_transposed, complete_window
from dlc.ops.dtypes import require_float, require_same_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import floats, sample
from dlc.ops.shapes import Shape
from dlc.ops.windows import check_windows, extent, offsets, pad_spatial, strided, window_counts, windows

#: Bytes of unrolled windows held at once.
COLUMN_BYTES = 256 * 2**20


def _check(types: Sequence[TensorType], attributes: Attributes, what: str) -> str:
    x, weight = types
    require_float(types, f"{what}'s input")
    dtype = require_same_dtype(types, what)
    if weight.rank != x.rank:
        raise OpError(
            f"{what}'s weight needs {x.rank} axes, as the input {x} has; it is {weight}",
            found=str(weight),
            expected=f"{x.rank} axes",
            operand=1,
        )
    if 0 in weight.shape[2:]:
        raise OpError(f"{what}'s kernel is empty", found=str(weight), expected="at least 1 along each axis", operand=1)
    check_windows(attributes, ("stride", "dilation"), what)
    if attributes["groups"] < 1:
        raise OpError(f"{what}'s groups must be at least 1", found=str(attributes["groups"]), expected="1 or more")
    return dtype


def _require_groups(size: Size, groups: int, what: str) -> Size:
    part = exact_divide(size, groups)
    if part is None:
        raise OpError(f"{what}, {size}, do not split into {groups} groups", found=str(size), expected=f"{groups}*n")
    return part


# --- conv ------------------------------------------------------------------------------------------------------


def _infer_conv(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, weight = types
    dtype = _check(types, attributes, "conv")
    part = _require_groups(x.shape[1], attributes["groups"], "conv's input channels")
    _require_groups(weight.shape[0], attributes["groups"], "conv's output channels")
    if weight.shape[1] != part:
        raise OpError(
            f"conv's weight {weight} is for {multiply(weight.shape[1], attributes['groups'])} input channels; "
            f"{x} has {x.shape[1]}",
            found=str(x.shape[1]),
            expected=str(multiply(weight.shape[1], attributes["groups"])),
            operand=0,
        )
    counts = window_counts(x, weight.shape[2:], attributes, "conv")
    return (TensorType(dtype, (x.shape[0], weight.shape[0], *counts)),)


def _conv(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, weight = operands
    kernel = weight.shape[2:]
    types = [TensorType("float", item.shape) for item in operands]
    out = tuple(int(str(size)) for size in _infer_conv(types, attributes)[0].shape)
    padded = pad_spatial(x, attributes["padding"])
    result = np.empty(out, dtype=x.dtype)
    unrolled = x.shape[1] * math.prod(kernel) * math.prod(out[2:]) * x.itemsize
    if unrolled > COLUMN_BYTES:
        return (_conv_by_offsets(padded, weight, attributes, result),)
    chunk = max(1, COLUMN_BYTES // max(unrolled, 1))
    for start in range(0, out[0], chunk):
        rows = slice(start, start + chunk)
        _conv_unrolled(padded[rows], weight, attributes, result[rows])
    return (result,)


def _conv_unrolled(x: Any, weight: Any, attributes: Attributes, result: Any) -> None:
    """Unrolls the windows to columns, then one matrix product per group; fills `result`."""
    rank, groups = weight.ndim - 2, attributes["groups"]
    view = windows(x, weight.shape[2:], attributes["stride"], attributes["dilation"], result.shape[2:])
    # [N, C, *K, *out]: positions innermost, so that copying runs along rows of the image.
    view = view.transpose(0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    count, inner, places = x.shape[0], math.prod(weight.shape[1:]), math.prod(result.shape[2:])
    columns = view.reshape(count, groups, inner, places)
    kernels = weight.reshape(groups, weight.shape[0] // groups, inner)
    result[...] = np.matmul(kernels, columns).reshape(result.shape)


def _conv_by_offsets(x: Any, weight: Any, attributes: Attributes, result: Any) -> Any:
    """One matrix product per kernel place: needs no more memory than the result."""
    groups, out = attributes["groups"], result.shape
    part = (groups, weight.shape[0] // groups, weight.shape[1])
    for row in range(out[0]):
        total = np.zeros((groups, part[1], math.prod(out[2:])), dtype=x.dtype)
        for offset in offsets(weight.shape[2:]):
            seen = x[(row, slice(None), *strided(offset, attributes["stride"], attributes["dilation"], out[2:]))]
            total += np.matmul(weight[(..., *offset)].reshape(part), seen.reshape(groups, part[2], -1))
        result[row] = total.reshape(out[1:])
    return result


def _length_conv(types: Sequence[TensorType], attributes: Attributes) -> Size:
    return product(types[1].shape[1:])


def _complete_conv(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    return complete_window(types, attributes, types[1].shape[2:], "conv")


# --- conv_transpose --------------------------------------------------------------------------------------------


def _infer_transpose(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, weight = types
    dtype = _check(types, attributes, "conv_transpose")
    _require_groups(x.shape[1], attributes["groups"], "conv_transpose's input channels")
    if weight.shape[0] != x.shape[1]:
        raise OpError(
            f"conv_transpose's weight {weight} is for {weight.shape[0]} input channels; {x} has {x.shape[1]}",
            found=str(x.shape[1]),
            expected=str(weight.shape[0]),
            operand=0,
        )
    channels = multiply(weight.shape[1], attributes["groups"])
    return (TensorType(dtype, (x.shape[0], channels, *_transposed_sizes(x, weight, attributes))),)


def _transposed_sizes(x: TensorType, weight: TensorType, attributes: Attributes) -> Shape:
    """(n - 1) * stride - low - high + reach + output_padding for each spatial axis."""
    sizes: list[Size] = []
    for axis, (size, kernel) in enumerate(zip(x.shape[2:], weight.shape[2:], strict=True)):
        stride, dilation = attributes["stride"][axis], attributes["dilation"][axis]
        low, high = attributes["padding"][axis]
        extra = attributes["output_padding"][axis]
        if not 0 <= extra < stride:  # what a conv can leave over; torch takes more for a larger dilation, others do not
            raise OpError(
                "conv_transpose's output_padding must be smaller than the stride",
                found=str(extra),
                expected=f"0 to {stride - 1}",
            )
        whole = add(multiply(subtract(size, 1), stride), extent(kernel, dilation))
        result = add(whole, extra - low - high)
        if isinstance(result, int) and result < 1:
            raise OpError(f"conv_transpose leaves nothing of axis {axis + 2} of {x}", found=str(result), operand=0)
        sizes.append(result)
    return tuple(sizes)


def _conv_transpose(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    """The adjoint of conv: each input element adds its multiple of the kernel to the output."""
    x, weight = operands
    groups, kernel = attributes["groups"], weight.shape[2:]
    types = [TensorType("float", item.shape) for item in operands]
    out = tuple(int(str(size)) for size in _infer_transpose(types, attributes)[0].shape)
    room = tuple(size + low + high for size, (low, high) in zip(out[2:], attributes["padding"], strict=True))
    whole = np.zeros((*out[:2], *room), dtype=x.dtype)
    part = (groups, weight.shape[0] // groups, weight.shape[1])
    columns = x.reshape(x.shape[0], groups, part[1], math.prod(x.shape[2:]))
    for offset in offsets(kernel):
        place = strided(offset, attributes["stride"], attributes["dilation"], x.shape[2:])
        kernels = weight[(..., *offset)].reshape(part).transpose(0, 2, 1)
        sent = np.matmul(kernels, columns)
        whole[(slice(None), slice(None), *place)] += sent.reshape(x.shape[0], out[1], *x.shape[2:])
    pairs = zip(attributes["padding"], out[2:], strict=True)
    inside = tuple(slice(low, low + size) for (low, _), size in pairs)
    return (np.ascontiguousarray(whole[(slice(None), slice(None), *inside)]),)


def _length_transpose(types: Sequence[TensorType], attributes: Attributes) -> Size:
    weight = types[1]
    part = exact_divide(weight.shape[0], attributes["groups"])
    return product([weight.shape[0] if part is None else part, *weight.shape[2:]])


_STRIDE = AttributeSpec("stride", "ints", 1)
_PADDING = AttributeSpec("padding", "pairs", 0)
_DILATION = AttributeSpec("dilation", "ints", 1)
_GROUPS = AttributeSpec("groups", "int", 1)

OPS: tuple[Op, ...] = (
    Op(
        "conv",
        ("x", "weight"),
        (_STRIDE, _PADDING, _DILATION, _GROUPS),
        _infer_conv,
        _conv,
        (
            sample(floats(2, 3, 6, 7), floats(4, 3, 3, 2)),
            sample(floats(2, 3, 8), floats(4, 3, 3), stride=2, padding=1, name="1d"),
            sample(floats(1, 2, 4, 5, 6), floats(3, 2, 2, 3, 2), padding=1, stride=(1, 2, 1), name="3d"),
            sample(floats(2, 4, 7, 7), floats(6, 2, 3, 3), groups=2, padding=((1, 0), (0, 2)), name="groups"),
            sample(floats(2, 4, 7, 8), floats(4, 1, 3, 3), groups=4, stride=2, padding=1, name="depthwise"),
            sample(floats(1, 4, 9, 9), floats(8, 1, 3, 3), groups=4, dilation=2, stride=2, name="depthwise dilated"),
            sample(floats(2, 3, 9, 9), floats(2, 3, 3, 3), dilation=(2, 3), padding=2, name="dilated"),
            sample(floats(2, 3, 5, 5), floats(4, 3, 1, 1), stride=2, name="pointwise strided"),
            sample(floats(1, 1, 1, 1), floats(1, 1, 1, 1), name="size 1"),
            sample(floats(2, 1, 3, 3), floats(2, 1, 3, 3), name="whole"),
            sample(floats(2, 2, 5, 6), floats(3, 2, 4, 3), padding="same", name="same"),
            sample(floats(2, 2, 5, 6), floats(3, 2, 4, 3), stride=2, padding="same", name="same strided"),
            sample(floats(0, 3, 5), floats(2, 3, 3), name="empty batch"),
        ),
        "out[n, o, p] = sum over c, k of x[n, c, p * stride + k * dilation - low] * weight[o, c, k] within the group "
        "of o; outside of x is 0. torch.nn.functional.conv2d without bias.",
        reduction=_length_conv,
        complete=_complete_conv,
    ),
    Op(
        "conv_transpose",
        ("x", "weight"),
        (_STRIDE, _PADDING, AttributeSpec("output_padding", "ints", 0), _DILATION, _GROUPS),
        _infer_transpose,
        _conv_transpose,
        (
            sample(floats(2, 3, 4, 5), floats(3, 4, 3, 2)),
            sample(floats(2, 3, 5), floats(3, 2, 4), stride=2, padding=1, name="1d"),
            sample(floats(1, 2, 2, 3, 3), floats(2, 3, 2, 3, 2), stride=(1, 2, 2), padding=(0, 1, 0), name="3d"),
            sample(floats(2, 3, 4, 4), floats(3, 2, 4, 4), stride=2, padding=1, name="doubling"),
            sample(floats(2, 3, 4, 4), floats(3, 2, 3, 2), stride=2, padding="same", name="same"),
            sample(floats(2, 3, 4, 4), floats(3, 2, 3, 3), stride=2, padding=1, output_padding=1, name="extra"),
            sample(floats(2, 4, 4, 5), floats(4, 3, 3, 3), groups=2, stride=2, name="groups"),
            sample(floats(2, 2, 4, 4), floats(2, 3, 3, 3), dilation=2, padding=((1, 2), (0, 1)), name="dilated"),
            sample(floats(1, 2, 2, 2), floats(2, 1, 1, 1), stride=3, output_padding=2, name="gaps"),
            sample(floats(1, 1, 1), floats(1, 1, 1), name="size 1"),
            sample(floats(0, 2, 4), floats(2, 3, 3), name="empty batch"),
        ),
        "The adjoint of conv: out[n, o, p * stride + k * dilation - low] += x[n, c, p] * weight[c, o, k]. "
        "torch.nn.functional.conv_transpose2d without bias.",
        reduction=_length_transpose,
        complete=complete_transposed,
    ),
)
