"""Pools over windows of 1 to 3 spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, product
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.borders import complete_window
from dlc.ops.dtypes import require_float, require_number
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import INF, floats, sample, value
from dlc.ops.windows import check_windows, extent, offsets, strided, window_counts


def _complete(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    kernel = attributes["kernel"]
    strided = attributes if attributes["stride"] is not None else {**attributes, "stride": kernel}
    return {"stride": strided["stride"], **complete_window(types, strided, kernel, "the pool")}


def _infer(types: Sequence[TensorType], attributes: Attributes, what: str) -> tuple[TensorType, ...]:
    x, kernel = types[0], attributes["kernel"]
    check_windows(attributes, [name for name in ("kernel", "stride", "dilation") if name in attributes], what)
    for size, reach, pair in zip(kernel, _reaches(attributes), attributes["padding"], strict=True):
        if max(pair) >= reach:
            raise OpError(
                f"{what}'s padding must be smaller than its window, {size}", found=str(max(pair)), expected=f"< {reach}"
            )
    counts = window_counts(x, kernel, attributes, what, attributes["ceil_mode"])
    return (TensorType(x.dtype, (*x.shape[:2], *counts)),)


def _reaches(attributes: Attributes) -> tuple[Any, ...]:
    kernel = attributes["kernel"]
    dilation = attributes.get("dilation", (1,) * len(kernel))
    return tuple(extent(size, step) for size, step in zip(kernel, dilation, strict=True))


def _infer_max(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_number(types, "max_pool's input")
    return _infer(types, attributes, "max_pool")


def _infer_average(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    require_float(types, "avg_pool's input")
    return _infer(types, attributes, "avg_pool")


def _padded(x: Any, attributes: Attributes, counts: Sequence[int], filler: Any) -> Any:
    """x in a frame of `filler` that holds every window, also those that hang over the end."""
    pads: list[tuple[int, int]] = []
    reaches = _reaches(attributes)
    for axis, (low, high) in enumerate(attributes["padding"]):
        needed = (counts[axis] - 1) * attributes["stride"][axis] + reaches[axis]
        pads.append((low, max(high, needed - low - x.shape[axis + 2])))
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=filler)


def _places(attributes: Attributes, counts: Sequence[int]) -> list[tuple[Any, ...]]:
    """For each place of the window, the index that picks it in all windows at once."""
    kernel = attributes["kernel"]
    dilation = attributes.get("dilation", (1,) * len(kernel))
    every = (slice(None), slice(None))
    return [(*every, *strided(offset, attributes["stride"], dilation, counts)) for offset in offsets(kernel)]


def _max_pool(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x = operands[0]
    counts = _counts(x, attributes, "max_pool")
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    padded = _padded(x, attributes, counts, lowest)
    places = _places(attributes, counts)
    result = padded[places[0]].copy()
    for place in places[1:]:
        np.maximum(result, padded[place], out=result)
    return (result,)


def _average_pool(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x = operands[0]
    counts = _counts(x, attributes, "avg_pool")
    padded = _padded(x, attributes, counts, 0)
    result = np.zeros((*x.shape[:2], *counts), dtype=x.dtype)
    for place in _places(attributes, counts):
        result += padded[place]
    return (result / _divisors(x, attributes, counts).astype(x.dtype),)


def _divisors(x: Any, attributes: Attributes, counts: Sequence[int]) -> Any:
    """How many elements each window counts, [*counts]: those inside the input, or inside the input with its padding.

    What a window has beyond that in ceil mode is never counted (torch).
    """
    divisors = np.ones((), dtype="int64")
    for axis, (low, high) in enumerate(attributes["padding"]):
        size = x.shape[axis + 2]
        starts = np.arange(counts[axis]) * attributes["stride"][axis] - low
        ends = starts + attributes["kernel"][axis]
        first, last = (-low, size + high) if attributes["include_padding"] else (0, size)
        along = np.minimum(ends, last) - np.maximum(starts, first)
        divisors = divisors[..., None] * along
    return divisors


def _counts(x: Any, attributes: Attributes, what: str) -> tuple[int, ...]:
    inferred = _infer([TensorType("float", x.shape)], attributes, what)[0].shape[2:]
    return tuple(int(str(size)) for size in inferred)


def _length(types: Sequence[TensorType], attributes: Attributes) -> Size:
    return product(attributes["kernel"])


_KERNEL = AttributeSpec("kernel", "ints")
_STRIDE = AttributeSpec("stride", "ints", None)
_PADDING = AttributeSpec("padding", "pairs", 0)
_DILATION = AttributeSpec("dilation", "ints", 1)
_CEIL = AttributeSpec("ceil_mode", "bool", False)
_INCLUDE = AttributeSpec("include_padding", "bool", True)

_CEIL_INSIDE: dict[str, Any] = {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True, "include_padding": False}
_COMMON = (
    sample(floats(2, 3, 6, 8), kernel=2),
    sample(floats(2, 3, 9), kernel=3, stride=2, padding=1, name="1d"),
    sample(floats(1, 2, 4, 5, 6), kernel=(2, 3, 2), stride=(1, 2, 2), padding=(0, 1, 1), name="3d"),
    sample(floats(2, 2, 7, 7), kernel=3, stride=2, padding=1, name="resnet"),
    sample(floats(2, 2, 7, 8), kernel=3, stride=2, padding="same", name="same"),
    sample(floats(1, 2, 7, 8), kernel=2, stride=2, ceil_mode=True, name="ceil"),
    sample(floats(1, 2, 6, 7), kernel=3, stride=2, padding=1, ceil_mode=True, name="ceil padded"),
    sample(floats(1, 2, 5), kernel=2, stride=3, padding=1, ceil_mode=True, name="ceil drops the last"),
    sample(floats(2, 2, 5, 5), kernel=(3, 2), stride=1, padding=((1, 0), (0, 1)), name="uneven"),
    sample(floats(1, 1, 1, 1), kernel=1, name="size 1"),
    sample(floats(2, 3, 4, 5), kernel=(4, 5), name="whole"),
)

OPS: tuple[Op, ...] = (
    Op(
        "max_pool",
        ("x",),
        (_KERNEL, _STRIDE, _PADDING, _DILATION, _CEIL),
        _infer_max,
        _max_pool,
        (
            *_COMMON,
            sample(floats(1, 2, 9, 9), kernel=3, stride=2, dilation=2, padding=1, name="dilated"),
            sample(value("float", [[[-INF, -INF, -3.0, -2.0]]]), kernel=2, name="negative and -inf"),
            sample(floats(0, 2, 4), kernel=2, name="empty batch"),
        ),
        "The largest of each window; padding never wins. torch.nn.functional.max_pool2d.",
        complete=_complete,
    ),
    Op(
        "avg_pool",
        ("x",),
        (_KERNEL, _STRIDE, _PADDING, _CEIL, _INCLUDE),
        _infer_average,
        _average_pool,
        (
            *_COMMON,
            sample(floats(2, 2, 5, 5), kernel=3, stride=2, padding=1, include_padding=False, name="inside only"),
            sample(floats(1, 2, 6, 7), **_CEIL_INSIDE, name="ceil inside"),
            sample(floats(0, 2, 4), kernel=2, name="empty batch"),
        ),
        "The mean of each window; padding counts as zeros unless include_padding is false; what hangs over the padded "
        "end in ceil mode does not count. torch.nn.functional.avg_pool2d.",
        reduction=_length,
        complete=_complete,
    ),
)
