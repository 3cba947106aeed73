"""Gradients of ops that move elements: the same move back, with a sum where an element was used several times."""

from __future__ import annotations

from dlc.dims import Size, add, subtract
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value
from dlc.ops.gradients.shaping import one_pad, one_slice, summed_to


def _reshape(b: Builder, use: Applied) -> Cotangents:
    return (b("reshape", use.cotangent, shape=use.operands[0].shape),)


def _expand_dims(b: Builder, use: Applied) -> Cotangents:
    return (b("squeeze", use.cotangent, axis=use.attributes["axis"]),)


def _squeeze(b: Builder, use: Applied) -> Cotangents:
    return (b("expand_dims", use.cotangent, axis=use.attributes["axis"]),)


def _transpose(b: Builder, use: Applied) -> Cotangents:
    axes: tuple[int, ...] = use.attributes["axes"]
    return (b("transpose", use.cotangent, axes=tuple(axes.index(axis) for axis in range(len(axes)))),)


def _broadcast_to(b: Builder, use: Applied) -> Cotangents:
    return (summed_to(b, use.cotangent, use.operands[0].shape),)


def _flip(b: Builder, use: Applied) -> Cotangents:
    return (b("flip", use.cotangent, axis=use.attributes["axis"]),)


def _roll(b: Builder, use: Applied) -> Cotangents:
    shift = subtract(0, use.attributes["shift"])
    return (b("roll", use.cotangent, shift=shift, axis=use.attributes["axis"]),)


# --- pad -------------------------------------------------------------------------------------------------------


def _pad(b: Builder, use: Applied) -> Cotangents:
    """The inside, plus what was copied to the border, axis by axis."""
    x, g, mode = use.operands[0], use.cotangent, use.attributes["mode"]
    for axis, (low, high) in enumerate(use.attributes["pairs"]):
        if low == 0 and high == 0:
            continue
        size, border = x.shape[axis], g
        g = one_slice(b, border, axis, low, add(low, size))
        if mode == "constant":
            continue
        if low != 0:
            g = g + _copied(b, one_slice(b, border, axis, 0, low), axis, size, mode, start=True)
        if high != 0:
            end = one_slice(b, border, axis, add(low, size), add(add(low, size), high))
            g = g + _copied(b, end, axis, size, mode, start=False)
    return (g,)


def _copied(b: Builder, border: Value, axis: int, size: Size, mode: str, *, start: bool) -> Value:
    """What a border of `pad` hands back, along the whole axis: `edge` to the end, `reflect` to the neighbours of the
    end, `wrap` to the other end."""
    if mode == "edge":
        total = b("sum", border, axis=axis, keepdims=True)
        rest = subtract(size, 1)
        return one_pad(b, total, axis, 0, rest) if start else one_pad(b, total, axis, rest, 0)
    if mode == "wrap":
        rest = subtract(size, border.shape[axis])
        return one_pad(b, border, axis, rest, 0) if start else one_pad(b, border, axis, 0, rest)
    mirrored = b("flip", border, axis=axis)
    rest = subtract(subtract(size, 1), border.shape[axis])
    return one_pad(b, mirrored, axis, 1, rest) if start else one_pad(b, mirrored, axis, rest, 1)


# --- repetition ------------------------------------------------------------------------------------------------


def _tile(b: Builder, use: Applied) -> Cotangents:
    """The sum over the copies, which are axes of their own for a moment."""
    x, g = use.operands[0], use.cotangent
    shape: list[Size] = []
    copies: list[int] = []
    for size, count in zip(x.shape, use.attributes["counts"], strict=True):
        if count != 1:
            copies.append(len(shape))
            shape.append(count)
        shape.append(size)
    return (b("sum", b("reshape", g, shape=shape), axis=copies) if copies else g,)


def _repeat(b: Builder, use: Applied) -> Cotangents:
    x, g, axis = use.operands[0], use.cotangent, use.attributes["axis"]
    shape = (*x.shape[: axis + 1], use.attributes["count"], *x.shape[axis + 1 :])
    return (b("sum", b("reshape", g, shape=shape), axis=axis + 1),)


GRADIENTS: Gradients = {
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
