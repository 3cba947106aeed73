"""The same elements, arranged differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule
from dlc.backends.onnx.sizes import Sizes
from dlc.dims import Size

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def _reshape(b: Builder, use: Apply) -> Value:
    """`Unsqueeze` or `Squeeze` where only axes of size 1 come or go, which asks for no sizes.

    Else a constant shape where one says it: 0 copies the input's size at that place, one -1 is found from the rest.
    -1 beside a size that may be 0 would be 0 / 0, so it stands beside constants only. (ONNX Runtime's ReshapeFusion
    puts it in other places too, so that some reshapes fail on an empty batch there.)
    """
    old, new = use.types[0].shape, tuple(use.attributes["shape"])
    if new == old:
        return use.inputs[0]
    if added := _ones_added(old, new):
        return b("Unsqueeze", use.inputs[0], b.integers(added))
    if removed := _ones_added(new, old):
        return b("Squeeze", use.inputs[0], b.integers(removed))
    if 0 in new or sum(not isinstance(size, int) for size in new) == 1:
        return _reshaped(b, use, use.inputs[0], new)
    copied: list[Size] = [
        0 if place < len(old) and size == old[place] and not isinstance(size, int) else size
        for place, size in enumerate(new)
    ]
    return b("Reshape", use.inputs[0], use.sizes.vector(copied))


def _reshaped(b: Builder, use: Apply, x: Value, shape: Sequence[Size]) -> Value:
    """`x` in a shape; one symbolic size beside constants other than 0 is left to ONNX."""
    if 0 not in shape and sum(not isinstance(size, int) for size in shape) == 1:
        return b("Reshape", x, b.integers([size if isinstance(size, int) else -1 for size in shape]))
    return b("Reshape", x, use.sizes.vector(shape), allowzero=1)


def _ones_added(old: Sequence[Size], new: Sequence[Size]) -> list[int]:
    """The axes of size 1 by which `new` differs from `old`, if it differs by nothing else."""
    axes: list[int] = []
    for axis, size in enumerate(new):
        place = axis - len(axes)
        if place < len(old) and size == old[place]:
            continue
        if size != 1:
            return []
        axes.append(axis)
    return axes if len(new) - len(axes) == len(old) else []


def _expand_dims(b: Builder, use: Apply) -> Value:
    return b("Unsqueeze", use.inputs[0], b.integers([use.attributes["axis"]]))


def _squeeze(b: Builder, use: Apply) -> Value:
    return b("Squeeze", use.inputs[0], b.integers([use.attributes["axis"]]))


def _transpose(b: Builder, use: Apply) -> Value:
    axes = tuple(use.attributes["axes"])
    if axes == tuple(range(len(axes))):
        return use.inputs[0]
    return b("Transpose", use.inputs[0], perm=axes)


def _broadcast_to(b: Builder, use: Apply) -> Value:
    """`Expand` broadcasts both ways, so an axis that has its size already is asked for as 1."""
    old, new = use.types[0].shape, tuple(use.attributes["shape"])
    if old == new:
        return use.inputs[0]
    padded = (1,) * (len(new) - len(old)) + old
    return b("Expand", use.inputs[0], use.sizes.vector([1 if x == y else y for x, y in zip(padded, new, strict=True)]))


@dataclass(frozen=True, slots=True)
class Part:
    """A slice along one axis, as ONNX says it: a negative bound counts from the end."""

    axis: int
    start: Size
    stop: Size
    step: int


def sliced(b: Builder, sizes: Sizes, x: Value, parts: Sequence[Part]) -> Value:
    """`Slice` along several axes at once."""
    starts = sizes.vector([part.start for part in parts], "starts")
    ends = sizes.vector([part.stop for part in parts], "ends")
    steps = None if all(part.step == 1 for part in parts) else b.integers([part.step for part in parts])
    return b("Slice", x, starts, ends, b.integers([part.axis for part in parts]), steps)


def _flip(b: Builder, use: Apply) -> Value:
    return sliced(b, use.sizes, use.inputs[0], [Part(use.attributes["axis"], -1, INT_MIN, -1)])


def _roll(b: Builder, use: Apply) -> Value:
    """Element i of the result is element (i - shift) mod size: `Mod` of ints has the divisor's sign."""
    axis, shift = use.attributes["axis"], use.attributes["shift"]
    size = use.types[0].shape[axis]
    if shift == 0:
        return use.inputs[0]
    moved = b(
        "Mod", b("Sub", use.sizes.positions(size), use.sizes.scalar(shift)), use.sizes.scalar(size), hint="source"
    )
    return b("Gather", use.inputs[0], moved, axis=axis)


def _pad(b: Builder, use: Apply) -> Value:
    pairs, mode = use.attributes["pairs"], use.attributes["mode"]
    axes = [axis for axis, pair in enumerate(pairs) if pair != (0, 0)]
    if not axes:
        return use.inputs[0]
    pads = use.sizes.vector([pairs[axis][side] for side in (0, 1) for axis in axes], "pads")
    value = use.attributes["value"] if mode == "constant" else 0
    fill = b.number(value, use.types[0].dtype) if value != 0 else None
    every = len(axes) == use.types[0].rank
    return b("Pad", use.inputs[0], pads, fill, None if every else b.integers(axes), mode=mode)


def _tile(b: Builder, use: Apply) -> Value:
    counts = tuple(use.attributes["counts"])
    if all(count == 1 for count in counts):
        return use.inputs[0]
    return b("Tile", use.inputs[0], use.sizes.vector(counts, "repeats"))


def _repeat(b: Builder, use: Apply) -> Value:
    """Along a new axis, which the reshape then joins to the one before it."""
    axis, count = use.attributes["axis"], use.attributes["count"]
    column = b("Unsqueeze", use.inputs[0], b.integers([axis + 1]), hint="column")
    copies: list[Size] = [1] * (use.types[0].rank + 1)
    copies[axis + 1] = count
    repeated = b("Tile", column, use.sizes.vector(copies, "copies"), hint="repeated")
    return _reshaped(b, use, repeated, use.results[0].shape)


RULES: Mapping[str, Rule] = {
    "reshape": _reshape,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "flip": _flip,
    "roll": _roll,
    "pad": _pad,
    "tile": _tile,
    "repeat": _repeat,
}
