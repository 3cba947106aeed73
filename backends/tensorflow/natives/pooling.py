"""Pools, in one to three dimensions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, quote
from dlc.backends.common.rule import VARIES
from dlc.backends.tensorflow.natives.parts import (
    All,
    KerasNative,
    has_stride,
    is_float,
    option,
    padded,
    unpadded,
    windows_last,
)
from dlc.ir import Module


def _pool(layer: str) -> Callable[[Arguments], ast.expr]:
    """A stride of 0 means the kernel's size, which is Keras' default."""

    def construct(a: Arguments) -> ast.expr:
        strides = option(a, "stride", 0)
        if a.values["stride"] is VARIES:
            strides = quote("$stride or None", stride=a.code["stride"])
        return call(layer, a.code["kernel"], strides=strides)

    return construct


def _padded_max_pool(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    return quote(
        "tf.nn.max_pool2d($x, $kernel, $stride, [(0, 0), ($p, $p), ($p, $p), (0, 0)])",
        **operands,
        kernel=a.code["kernel"],
        stride=a.code["stride"],
        p=a.code["padding"],
    )


def _native(block: str, layer: str) -> KerasNative:
    return KerasNative(block, All((is_float, windows_last, unpadded)), (), ("kernel", "stride"), _pool(layer))


def _global(layer: str) -> Callable[[Arguments], ast.expr]:
    return lambda a: call(layer)


def over_line(module: Module) -> bool:
    """Over the positions of channels-last data."""
    return _means(module) == [(1,)]


def over_image(module: Module) -> bool:
    return _means(module) == [(1, 2)]


def over_solid(module: Module) -> bool:
    return _means(module) == [(1, 2, 3)]


def _means(module: Module) -> list[object]:
    return [equation.attribute("axis") for equation in module.body if equation.op == "mean"]


POOLS = (
    *(_native(f"max_pool{rank}d", f"keras.layers.MaxPooling{rank}D") for rank in (1, 2, 3)),
    *(_native(f"avg_pool{rank}d", f"keras.layers.AveragePooling{rank}D") for rank in (1, 2, 3)),
)

#: Beside those of `POOLS`: TensorFlow pads images alone.
PADDED = Native(
    "max_pool2d",
    All((is_float, windows_last, padded, has_stride)),
    (),
    ("kernel", "stride", "padding"),
    None,
    _padded_max_pool,
)

#: Means over all positions, one native for each number of them.
GLOBAL = {
    f"global_avg_pool{ending}": KerasNative(
        "global_avg_pool", All((is_float, over)), (), (), _global(f"keras.layers.GlobalAveragePooling{rank}D")
    )
    for rank, ending, over in ((2, "", over_image), (1, "1d", over_line), (3, "3d", over_solid))
}
