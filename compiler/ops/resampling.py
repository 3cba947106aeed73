"""Images and sequences of another size, and at places between their elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.attributes import show, spatial_rank
from dlc.ops.dtypes import require_float, require_number
from dlc.ops.lazy_numpy import np
from dlc.ops.samples import between, floats, ints, sample

#: By mode: how many elements along an axis go into one.
TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
_ELSEWHERE = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic", "area": "nearest"}

#: The cubic convolution's free parameter: PyTorch's and ONNX's. (TensorFlow's is -0.5.)
CUBIC = -0.75


def _infer_resize(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, size, mode = types[0], tuple(attributes["size"]), attributes["mode"]
    rank = spatial_rank(types)
    _check_mode(x, mode, attributes["align_corners"], rank)
    require_number(types, "resize's input") if mode == "nearest" else require_float(types, "resize's input")
    if len(size) != rank:
        raise OpError(
            f"resize needs a size for each of the {rank} spatial axes of {x}",
            found=show(size),
            expected=f"{rank} sizes",
        )
    for place, target in enumerate(size):
        if isinstance(target, int) and target < 1:
            raise OpError("resize makes at least one element", found=str(target), expected="1 or more")
        if x.shape[place + 2] == 0:
            raise OpError(f"resize has nothing to take from {x}", found=str(x), operand=0)
    return (TensorType(x.dtype, (*x.shape[:2], *size)),)


def _check_mode(x: TensorType, mode: str, align_corners: bool, rank: int) -> None:
    if mode not in TAPS:
        here = f"; it is called {_ELSEWHERE[mode]!r} here" if mode in _ELSEWHERE else ""
        raise OpError(f"resize has no mode {mode!r}{here}", found=mode, expected=", ".join(TAPS))
    if mode == "cubic" and rank != 2:
        raise OpError(f"resize with mode cubic is for images, not {x}", found=str(x), expected="[N, C, H, W]")
    if mode == "nearest" and align_corners:
        raise OpError("resize with mode nearest has no corners to align", found="true", expected="linear or cubic")


def coordinates(source: int, target: int, align_corners: bool, dtype: Any) -> Any:
    """Where each of `target` elements lies among `source`, as a float: centres on centres, or ends on ends."""
    positions = np.arange(target, dtype=dtype)
    if align_corners:
        step = np.asarray(source - 1, dtype) / np.asarray(max(target - 1, 1), dtype)
        return positions * step
    half = np.asarray(0.5, dtype)
    return (positions + half) * (np.asarray(source, dtype) / np.asarray(target, dtype)) - half


def cubic_weights(t: Any) -> tuple[Any, Any, Any, Any]:
    """Of the elements at -1, 0, 1, 2 for a place t after 0 (Keys' cubic convolution)."""
    a = CUBIC

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _taps(source: int, target: int, attributes: Attributes, dtype: Any) -> list[tuple[Any, Any]]:
    """Pairs of places and weights, one of each per element of the result; border elements are repeated."""
    last = source - 1
    if attributes["mode"] == "nearest":
        return [(np.arange(target) * source // target, None)]
    place = coordinates(source, target, attributes["align_corners"], dtype)
    if attributes["mode"] == "linear":
        place = np.clip(place, 0, last)
    first = np.floor(place)
    t = (place - first).astype(dtype)
    weights = (1 - t, t) if attributes["mode"] == "linear" else cubic_weights(t)
    start = first.astype("int64") - (len(weights) // 2 - 1)
    return [(np.clip(start + offset, 0, last), weight.astype(dtype)) for offset, weight in enumerate(weights)]


def _resize(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    """Axis by axis."""
    x = operands[0]
    for axis, target in enumerate(attributes["size"], 2):
        x = _resized_along(x, axis, _taps(x.shape[axis], target, attributes, x.dtype))
    return (x,)


def _resized_along(x: Any, axis: int, taps: Sequence[tuple[Any, Any]]) -> Any:
    column = (-1, *(1 for _ in range(axis + 1, x.ndim)))
    total = None
    for places, weight in taps:
        taken = np.take(x, places, axis)
        part = taken if weight is None else taken * weight.reshape(column)
        total = part if total is None else total + part
    return total


# --- grid_sample -----------------------------------------------------------------------------------------------

_BORDERS = ("zeros", "border")


def _infer_grid_sample(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    x, grid = types
    padding = attributes["padding"]
    if padding not in _BORDERS:
        raise OpError(f"grid_sample has no padding {padding!r}", found=padding, expected=", ".join(_BORDERS))
    dtype = require_float(types, "grid_sample's input")
    if grid.dtype != dtype:
        raise OpError("grid_sample's grid has x's element type", found=str(grid), expected=f"{dtype}[...]", operand=1)
    if x.rank != 4:
        raise OpError("grid_sample takes an image [N, C, H, W]", found=str(x), expected="[N, C, H, W]", operand=0)
    if grid.rank != 4 or grid.shape[0] != x.shape[0] or grid.shape[3] != 2:
        raise OpError(
            f"grid_sample's grid names (x, y) for each place of the result, for each of {x.shape[0]} images",
            found=str(grid),
            expected=f"[{x.shape[0]}, P, Q, 2]",
            operand=1,
        )
    if 0 in x.shape[2:]:
        raise OpError(f"grid_sample has nothing to take from {x}", found=str(x), operand=0)
    return (TensorType(dtype, (*x.shape[:2], *grid.shape[1:3])),)


def _on_axis(grid: Any, size: int, attributes: Attributes) -> list[tuple[Any, Any]]:
    """The two neighbours of each place along an axis: -1..1 are the axis' ends, or its last pixels' centres."""
    whole, half = np.asarray(size, grid.dtype), np.asarray(0.5, grid.dtype)
    place = (grid + 1) * half * (whole - 1) if attributes["align_corners"] else (grid + 1) * half * whole - half
    if attributes["padding"] == "border":
        place = np.clip(place, 0, size - 1)
    first = np.floor(place)
    start, t = first.astype("int64"), place - first
    pairs = ((start, 1 - t), (start + 1, t))
    return [(np.clip(i, 0, size - 1), np.where((i >= 0) & (i < size), weight, 0)) for i, weight in pairs]


def _grid_sample(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    x, grid = operands
    images = np.arange(x.shape[0])[:, None, None]
    columns = _on_axis(grid[..., 0], x.shape[3], attributes)
    result = np.zeros((*grid.shape[:3], x.shape[1]), x.dtype)
    for row, vertical in _on_axis(grid[..., 1], x.shape[2], attributes):
        for column, horizontal in columns:
            result += x[images, :, row, column] * (vertical * horizontal)[..., None].astype(x.dtype)
    return (np.moveaxis(result, -1, 1),)


def _length(types: Sequence[TensorType], attributes: Attributes) -> Size:
    return TAPS[attributes["mode"]] ** (types[0].rank - 2)


OPS: tuple[Op, ...] = (
    Op(
        "resize",
        ("x",),
        (
            AttributeSpec("size", "sizes"),
            AttributeSpec("mode", "str", "nearest"),
            AttributeSpec("align_corners", "bool", False),
        ),
        _infer_resize,
        _resize,
        (
            sample(floats(2, 3, 4, 5), size=(8, 10)),
            sample(floats(1, 2, 5, 4), size=(7, 3), name="uneven"),
            sample(floats(1, 2, 6, 4), size=(3, 2), name="smaller"),
            sample(floats(2, 2, 5), size=(10,), name="sequence"),
            sample(floats(1, 2, 2, 3, 4), size=(2, 6, 5), name="volume"),
            sample(ints(0, 9, 1, 1, 2, 3), size=(4, 6), name="ints"),
            sample(floats(2, 3, 4, 5), size=(8, 10), mode="linear", name="linear"),
            sample(floats(1, 2, 7, 6), size=(4, 9), mode="linear", name="linear uneven"),
            sample(floats(1, 2, 4, 5), size=(7, 3), mode="linear", align_corners=True, name="linear corners"),
            sample(floats(2, 3, 6), size=(9,), mode="linear", name="linear sequence"),
            sample(floats(2, 3, 6), size=(1,), mode="linear", align_corners=True, name="linear to one"),
            sample(floats(1, 2, 2, 3, 4), size=(3, 6, 2), mode="linear", name="linear volume"),
            sample(floats(1, 2, 1, 1), size=(3, 2), mode="linear", name="linear of one"),
            sample(floats(2, 2, 5, 4), size=(10, 8), mode="cubic", name="cubic"),
            sample(floats(1, 2, 6, 7), size=(4, 9), mode="cubic", name="cubic uneven"),
            sample(floats(1, 2, 4, 5), size=(7, 3), mode="cubic", align_corners=True, name="cubic corners"),
            sample(floats(1, 1, 1, 2), size=(3, 4), mode="cubic", name="cubic of few"),
            sample(floats(0, 2, 4, 5), size=(4, 10), mode="linear", name="no rows"),
        ),
        "[N, C, ...] at another size of its spatial axes: the nearest element, or linear or cubic interpolation with "
        "centres on half-pixels (or ends on ends); borders are repeated. torch.nn.functional.interpolate.",
        reduction=_length,
    ),
    Op(
        "grid_sample",
        ("x", "grid"),
        (AttributeSpec("padding", "str", "zeros"), AttributeSpec("align_corners", "bool", False)),
        _infer_grid_sample,
        _grid_sample,
        (
            sample(floats(2, 3, 4, 5), between(-0.9, 0.9, 2, 3, 2, 2)),
            sample(floats(2, 3, 4, 5), between(-1.6, 1.6, 2, 3, 4, 2), name="beyond"),
            sample(floats(1, 2, 4, 3), between(-1.6, 1.6, 1, 5, 1, 2), padding="border", name="border"),
            sample(floats(1, 2, 4, 3), between(-1.3, 1.3, 1, 2, 3, 2), align_corners=True, name="corners"),
            sample(
                floats(2, 1, 3, 3),
                between(-1.3, 1.3, 2, 2, 3, 2),
                padding="border",
                align_corners=True,
                name="border corners",
            ),
            sample(floats(1, 2, 1, 1), between(-0.8, 0.8, 1, 2, 2, 2), name="one pixel"),
            sample(floats(1, 2, 4, 3), floats(1, 0, 2, 2), name="no places"),
        ),
        "The image at places between its pixels: grid[n, p, q] is (x, y), each -1..1 over the image; linear "
        "interpolation, and beyond the image zeros or its border. torch.nn.functional.grid_sample.",
        reduction=lambda types, attributes: 4,
    ),
)
