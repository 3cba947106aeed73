"""Convolutions and their transposes, in one to three dimensions."""

from __future__ import annotations

import ast
from collections.abc import Callable

from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import VARIES
from dlc.backends.tensorflow.natives.parts import (
    All,
    KerasNative,
    covers,
    cuts_evenly,
    is_float,
    one_border,
    one_group,
    option,
    strides_or_dilates,
    undilated,
    windows_last,
    without_output_padding,
)

_WEIGHTS = {"weight": "kernel", "bias": "bias"}


def _conv(layer: str) -> Callable[[Arguments], ast.expr]:
    def construct(a: Arguments) -> ast.expr:
        return call(
            layer,
            a.code["filters"],
            a.code["kernel"],
            strides=option(a, "stride", 1),
            border=option(a, "padding", 0),
            dilation_rate=option(a, "dilation", 1) if "dilation" in a.code else None,
            use_bias=option(a, "bias", True),
        )

    return construct


def _conv_transpose(layer: str) -> Callable[[Arguments], ast.expr]:
    """Where paddings differ, the one that is none says so."""

    def construct(a: Arguments) -> ast.expr:
        padding: ast.expr | None = literal("same")
        if a.values["padding"] is VARIES:
            padding = quote("'valid' if $padding == 0 else 'same'", padding=a.code["padding"])
        elif a.values["padding"] == 0:
            padding = None
        return call(
            layer,
            a.code["filters"],
            a.code["kernel"],
            strides=option(a, "stride", 1),
            padding=padding,
            use_bias=option(a, "bias", True),
        )

    return construct


def _native(rank: int) -> KerasNative:
    """TensorFlow pads images itself, but those not dilated alone."""
    dilation = undilated if rank == 2 else strides_or_dilates
    words = ("filters", "kernel", "stride", "padding", "bias", *(() if rank == 2 else ("dilation",)))
    return KerasNative(
        f"conv{rank}d",
        All((is_float, windows_last, one_group, one_border, dilation)),
        (),
        words,
        _conv(f"Conv{rank}D"),
        layer=f"keras.layers.Conv{rank}D",
        printed=f"Conv{rank}D",
        weights=_WEIGHTS,
    )


def _transposed(rank: int) -> KerasNative:
    return KerasNative(
        f"conv_transpose{rank}d",
        All((is_float, windows_last, covers, cuts_evenly, without_output_padding)),
        (),
        ("filters", "kernel", "stride", "padding", "bias"),
        _conv_transpose(f"Conv{rank}DTranspose"),
        layer=f"keras.layers.Conv{rank}DTranspose",
        printed=f"Conv{rank}DTranspose",
        weights=_WEIGHTS,
    )


CONVOLUTIONS = (
    _native(2),
    _native(1),
    _native(3),
    _transposed(2),
    _transposed(1),
    _transposed(3),
)
