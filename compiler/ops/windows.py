"""Windows over spatial axes: sizes of results, and views of the input, for convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from dlc.dims import Size, add, floor_divide, multiply, subtract
from dlc.ir import TensorType
from dlc.ops.api import Attributes, OpError
from dlc.ops.lazy_numpy import np


def extent(kernel: Size, dilation: int) -> Size:
    """How far a window reaches: dilation * (kernel - 1) + 1."""
    return add(multiply(dilation, subtract(kernel, 1)), 1)


def window_count(size: Size, reach: Size, stride: int, padding: tuple[int, int], ceil_mode: bool = False) -> Size:
    """How many windows fit along an axis.

    floor((size + low + high - reach) / stride) + 1. In ceil mode a last window may hang over the end, but must start
    inside the input or the low padding: the smaller of the rounded-up count and ceil((size + low) / stride), as torch
    has it.
    """
    low, high = padding
    room = subtract(add(size, low + high), reach)
    if not ceil_mode:
        return add(floor_divide(room, stride), 1)
    rounded_up = add(floor_divide(add(room, stride - 1), stride), 1)
    inside = floor_divide(add(size, low + stride - 1), stride)
    # The two numerators differ by a number, so the smaller is known even where the size is not.
    excess = subtract(add(high, stride), reach)
    return inside if not isinstance(excess, int) or excess > 0 else rounded_up


def check_windows(attributes: Attributes, names: Sequence[str], what: str) -> None:
    """Strides, dilations and kernels are at least 1, paddings at least 0."""
    for name in names:
        if any(isinstance(item, int) and item < 1 for item in attributes[name]):
            raise OpError(
                f"{what}'s {name} must be at least 1", found=str(list(attributes[name])), expected="1 or more"
            )
    if any(item < 0 for pair in attributes["padding"] for item in pair):
        raise OpError(f"{what}'s padding must be at least 0", found=str(attributes["padding"]), expected="0 or more")


def window_counts(
    x: TensorType, kernel: Sequence[Size], attributes: Attributes, what: str, ceil_mode: bool = False
) -> tuple[Size, ...]:
    """The spatial sizes of the result. Raises OpError where no window fits."""
    rank = len(kernel)
    dilation = attributes.get("dilation", (1,) * rank)
    counts: list[Size] = []
    for axis in range(rank):
        reach = extent(kernel[axis], dilation[axis])
        size = x.shape[axis + 2]
        count = window_count(size, reach, attributes["stride"][axis], attributes["padding"][axis], ceil_mode)
        if isinstance(count, int) and count < 1:
            raise OpError(
                f"{what}'s window reaches over {reach}, axis {axis + 2} of {x} with its padding has "
                f"{add(size, sum(attributes['padding'][axis]))}",
                found=str(size),
                expected=f"at least {subtract(reach, sum(attributes['padding'][axis]))}",
                operand=0,
            )
        counts.append(count)
    return tuple(counts)


def windows(x: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]) -> Any:
    """A view [N, C, *out, *kernel] of the (padded) input [N, C, *S]."""
    rank = len(kernel)
    steps = x.strides[2:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *out, *kernel),
        (
            *x.strides[:2],
            *(steps[axis] * stride[axis] for axis in range(rank)),
            *(steps[axis] * dilation[axis] for axis in range(rank)),
        ),
        writeable=False,
    )


def offsets(kernel: Sequence[int]) -> list[tuple[int, ...]]:
    """All places of a kernel."""
    return list(product(*(range(size) for size in kernel)))


def strided(
    offset: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> tuple[slice, ...]:
    """The slices of the (padded) input that kernel place `offset` meets: one element for each window."""
    rows = zip(offset, stride, dilation, out, strict=True)
    return tuple(
        slice(place * dilated, place * dilated + step * (count - 1) + 1, step) for place, step, dilated, count in rows
    )


def pad_spatial(x: Any, padding: Sequence[tuple[int, int]], value: Any = 0) -> Any:
    if not any(low or high for low, high in padding):
        return x
    return np.pad(x, ((0, 0), (0, 0), *padding), constant_values=value)
