"""Gradients of conv and conv_transpose, which are each other's adjoint."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.dims import Size, add, floor_divide, multiply, product, subtract
from dlc.ops.api import Attributes
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value
from dlc.ops.gradients.shaping import cut_out, swapped
from dlc.ops.windows import extent

_SHARED = ("stride", "dilation", "groups")


def _conv(b: Builder, use: Applied) -> Cotangents:
    x, weight = use.operands
    if product(x.shape) == 0:
        return b.zeros(x.type), b.zeros(weight.type)
    to_weight = _to_weight(b, x, use.cotangent, weight.shape, use.attributes)
    return _to_input(b, use.cotangent, weight, x.shape[2:], use.attributes), to_weight


def _conv_transpose(b: Builder, use: Applied) -> Cotangents:
    """As conv's, with input and output exchanged."""
    x, weight = use.operands
    g = use.cotangent
    if product(x.shape) == 0:
        return b.zeros(x.type), b.zeros(weight.type)
    attributes = {name: use.attributes[name] for name in (*_SHARED, "padding")}
    return b("conv", g, weight, **attributes), _to_weight(b, g, x, weight.shape, attributes)


def _to_input(b: Builder, g: Value, weight: Value, sizes: Sequence[Size], attributes: Attributes) -> Value:
    """The transposed convolution, of the input's sizes: what no window reached at the end is 0.

    How many elements that are is the output_padding, where it is a number. Where it depends on a symbol, the whole is
    made and the input's part of it cut out.
    """
    shared = {name: attributes[name] for name in _SHARED}
    stride, padding = attributes["stride"], attributes["padding"]
    left: list[int] = []
    for axis, size in enumerate(sizes):
        reach = extent(weight.shape[axis + 2], attributes["dilation"][axis])
        whole = add(multiply(subtract(g.shape[axis + 2], 1), stride[axis]), reach)
        rest = subtract(add(size, sum(padding[axis])), whole)
        left += [rest] if isinstance(rest, int) else []
    if len(left) == len(sizes):
        return b("conv_transpose", g, weight, padding=padding, output_padding=tuple(left), **shared)
    found = b("conv_transpose", g, weight, **shared)
    return cut_out(b, found, [low for low, _ in padding], sizes, [step - 1 for step in stride])


def _to_weight(b: Builder, x: Value, g: Value, kernel: Sequence[Size], attributes: Attributes) -> Value:
    """sum over n, p of g[n, o, p] * x[n, c, p * stride + k * dilation - low], [O, C / groups, *K].

    That is a convolution whose batch is the channels of a group, whose channels are the batch, and whose kernel is the
    cotangent: what was a step of the window is now a dilation, and the other way round. Where the last window did not
    end at the end of x, it finds more places than the kernel has.
    """
    groups = attributes["groups"]
    swaps = {"stride": attributes["dilation"], "dilation": attributes["stride"]}
    images = _channels_first(b, x, groups)
    found = b("conv", images, swapped(b, g, 0, 1), padding=attributes["padding"], groups=groups, **swaps)
    rank = len(kernel) - 2
    return swapped(b, cut_out(b, found, (0,) * rank, kernel[2:], (0,) * rank), 0, 1)


def _channels_first(b: Builder, x: Value, groups: int) -> Value:
    """[N, groups * C, *S] as [C, groups * N, *S]."""
    if groups == 1:
        return swapped(b, x, 0, 1)
    count, channels, *sizes = x.shape
    part = floor_divide(channels, groups)
    split = b("reshape", x, shape=(count, groups, part, *sizes))
    return b("reshape", swapped(b, split, 0, 2), shape=(part, multiply(groups, count), *sizes))


GRADIENTS: Gradients = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
}
