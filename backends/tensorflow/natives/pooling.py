"""Pools, in one to three dimensions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, quote
from dlc.backends.common.rule import VARIES
from dlc.backends.tensorflow.natives.parts import (
    All,
    Condition,
    KerasNative,
    gives_last,
    has_static_positions,
    has_stride,
    is_float,
    option,
    padded,
    regions_last,
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
    """Of means or extremes."""
    return [equation.attribute("axis") for equation in module.body if equation.op in ("mean", "max")]


def _adaptive(layer: str, words: Sequence[str], *conditions: Condition) -> KerasNative:
    """Keras has torch's borders."""

    def construct(a: Arguments) -> ast.expr:
        sizes = [a.code[word] for word in words]
        return call(layer, sizes[0] if len(sizes) == 1 else ast.Tuple(sizes, ast.Load()))

    block = f"adaptive_avg_pool{len(words)}d"
    condition = All((is_float, regions_last, has_static_positions, *conditions))
    return KerasNative(block, condition, (), tuple(words), construct)


POOLS = (
    *(_native(f"max_pool{rank}d", f"keras.layers.MaxPooling{rank}D") for rank in (1, 2, 3)),
    *(_native(f"avg_pool{rank}d", f"keras.layers.AveragePooling{rank}D") for rank in (1, 2, 3)),
    _adaptive("keras.layers.AdaptiveAveragePooling1D", ("length",), gives_last),
    _adaptive("keras.layers.AdaptiveAveragePooling2D", ("height", "width")),
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

#: Means and maxima over all positions, one native for each number of them.
GLOBAL = {
    f"global_{kind}_pool{ending}": KerasNative(
        f"global_{kind}_pool", All((is_float, over)), (), (), _global(f"keras.layers.Global{word}Pooling{rank}D")
    )
    for kind, word in (("avg", "Average"), ("max", "Max"))
    for rank, ending, over in ((2, "", over_image), (1, "1d", over_line), (3, "3d", over_solid))
}
