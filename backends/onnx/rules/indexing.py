"""Slices, gathers, one-hot vectors and triangles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlc.backends.onnx.graph import Builder, Literal, Value
from dlc.backends.onnx.rule import Apply, Rule
from dlc.backends.onnx.rules.shape import INT_MAX, INT_MIN, Part, sliced
from dlc.dims import Size


def _slice(b: Builder, use: Apply) -> Value:
    """First the slices, in one node, then the indices, from the last axis on; each drops its axis."""
    items = use.attributes["items"]
    parts = [
        Part(axis, *_bounds(item), item[3])
        for axis, item in enumerate(items)
        if item[0] == "slice" and tuple(item[1:]) not in ((None, None, 1), (0, None, 1))
    ]
    x = sliced(b, use.sizes, use.inputs[0], parts) if parts else use.inputs[0]
    for axis in reversed(range(len(items))):
        if items[axis][0] == "index":
            x = b("Gather", x, use.sizes.scalar(items[axis][1]), axis=axis)
    return x


def _bounds(item: tuple[Any, ...]) -> tuple[Size, Size]:
    """An open end is as far as it goes: with a negative step, from the last element to before the first."""
    _, start, stop, step = item
    first = 0 if step > 0 else INT_MAX
    last = INT_MAX if step > 0 else INT_MIN
    return (first if start is None else start), (last if stop is None else stop)


def _gather(b: Builder, use: Apply) -> Value:
    return b("Gather", *use.inputs, axis=use.attributes["axis"])


def _take_along_axis(b: Builder, use: Apply) -> Value:
    return b("GatherElements", *use.inputs, axis=use.attributes["axis"])


_SCATTERS = {"set": "none", "sum": "add", "max": "max", "min": "min"}


def _scatter(b: Builder, use: Apply) -> Value:
    """ONNX Runtime scatters no 16-bit floats but by setting."""
    x, indices, updates = use.inputs
    dtype, reduction = use.types[0].dtype, _SCATTERS[use.attributes["reduction"]]
    half = b.element(dtype) == "FLOAT16" and reduction != "none"
    if half:
        x, updates = b.cast(x, "f32"), b.cast(updates, "f32")
    axis = use.attributes["axis"]
    found = b("ScatterElements", x, indices, updates, hint="scattered", axis=axis, reduction=reduction)
    return b.cast(found, dtype) if half else found


def _one_hot(b: Builder, use: Apply) -> Value:
    """`OneHot` wants an axis, and ONNX Runtime's makes 32-bit floats, so a scalar and other widths go another way."""
    depth = use.sizes.scalar(use.attributes["depth"])
    if use.types[0].rank == 0 or b.element("float") != "FLOAT":
        places = use.sizes.positions(use.attributes["depth"])
        index = b.cast(use.inputs[0], "int") if use.types[0].dtype == "i32" else use.inputs[0]
        index = b("Unsqueeze", index, b.integers([-1]), hint="index")
        return b.cast(b("Equal", index, places, hint="hot"), "float")
    values = b.literal(Literal("FLOAT", (2,), (0.0, 1.0)), "off_on")
    return b("OneHot", use.inputs[0], depth, values)


def _triangular(b: Builder, use: Apply) -> Value:
    diagonal = use.attributes["diagonal"]
    k = None if diagonal == 0 else use.sizes.scalar(diagonal)
    return b("Trilu", use.inputs[0], k, upper=int(use.attributes["upper"]))


RULES: Mapping[str, Rule] = {
    "slice": _slice,
    "gather": _gather,
    "take_along_axis": _take_along_axis,
    "scatter": _scatter,
    "one_hot": _one_hot,
    "triangular": _triangular,
}
