"""Other sizes, and places between elements: `Resize`, which means what torch means if it is told."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.rule import Apply, Rule
from dlc.dims import Size, exact_divide


def _resize(b: Builder, use: Apply) -> Value:
    """ONNX Runtime finds the nearest element in 32-bit floats, which is right where sizes are multiplied."""
    before, after = use.types[0].shape[2:], tuple(use.attributes["size"])
    axes = [axis for axis, pair in enumerate(zip(before, after, strict=True), 2) if pair[0] != pair[1]]
    if not axes:
        return use.inputs[0]
    x, dtype = use.inputs[0], use.types[0].dtype
    multiple = all(_is_multiple(old, new) for old, new in zip(before, after, strict=True))
    if use.attributes["mode"] == "nearest" and not (multiple and b.element(dtype) == "FLOAT"):
        return _by_index(b, use, axes)
    half = b.element(dtype) in ("FLOAT16", "BFLOAT16")
    if half:
        x = b.cast(x, "f32")
    sizes = use.sizes.vector(use.results[0].shape, "sizes")
    resized = b.many("Resize", [x, None, None, sizes], ["resized"], _attributes(use))[0]
    return b.cast(resized, dtype) if half else resized


def _is_multiple(before: Size, after: Size) -> bool:
    factor = None if before == 0 else exact_divide(after, before)
    return isinstance(factor, int) and 1 <= factor <= 64


def _attributes(use: Apply) -> dict[str, Attribute]:
    """Centres lie on half-pixels; what is ONNX's default is left out (cubic_coeff_a is -0.75)."""
    mode = use.attributes["mode"]
    if mode == "nearest":
        return {"mode": mode, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    corners: dict[str, Attribute] = {"coordinate_transformation_mode": "align_corners"}
    return {"mode": mode, **(corners if use.attributes["align_corners"] else {})}


def _by_index(b: Builder, use: Apply, axes: list[int]) -> Value:
    """Element `i * before // after` for element i of each axis."""
    x = use.inputs[0]
    for axis in axes:
        before, after = use.types[0].shape[axis], use.attributes["size"][axis - 2]
        stretched = b("Mul", use.sizes.positions(after), use.sizes.scalar(before), hint="stretched")
        x = b("Gather", x, b("Div", stretched, use.sizes.scalar(after), hint="places"), axis=axis)
    return x


def _grid_sample(b: Builder, use: Apply) -> Value:
    attributes: dict[str, Attribute] = {}
    if use.attributes["padding"] != "zeros":
        attributes["padding_mode"] = use.attributes["padding"]
    if use.attributes["align_corners"]:
        attributes["align_corners"] = 1
    dtype = use.types[0].dtype
    half = b.element(dtype) in ("FLOAT16", "BFLOAT16")
    operands = [b.cast(value, "f32") for value in use.inputs] if half else use.inputs
    sampled = b("GridSample", *operands, hint="sampled", **attributes)
    return b.cast(sampled, dtype) if half else sampled


RULES: Mapping[str, Rule] = {"resize": _resize, "grid_sample": _grid_sample}
