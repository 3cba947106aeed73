"""Convolutions and transposed convolutions of 1, 2 and 3 dimensions."""

from __future__ import annotations

import ast

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call
from dlc.backends.torch.natives.parts import always, option, value_of
from dlc.ir import Module


def _convolution(dimensions: int) -> Native:
    def construct(a: Arguments) -> ast.expr:
        return call(
            f"nn.Conv{dimensions}d",
            a.code["C"],
            a.code["filters"],
            a.code["kernel"],
            stride=option(a, "stride", 1),
            padding=option(a, "padding", 0),
            dilation=option(a, "dilation", 1),
            groups=option(a, "groups", 1),
            bias=option(a, "bias", True),
        )

    hyperparameters = ("filters", "kernel", "stride", "padding", "dilation", "groups", "bias")
    return Native(f"conv{dimensions}d", always, ("C",), hyperparameters, construct)


def _transposed(dimensions: int) -> Native:
    def construct(a: Arguments) -> ast.expr:
        return call(
            f"nn.ConvTranspose{dimensions}d",
            a.code["C"],
            a.code["filters"],
            a.code["kernel"],
            stride=option(a, "stride", 1),
            padding=option(a, "padding", 0),
            output_padding=option(a, "output_padding", 0),
            bias=option(a, "bias", True),
        )

    hyperparameters = ("filters", "kernel", "stride", "padding", "output_padding", "bias")
    return Native(f"conv_transpose{dimensions}d", _output_padding_fits, ("C",), hyperparameters, construct)


def _output_padding_fits(module: Module) -> bool:
    """torch refuses an output padding that is not below the stride."""
    return value_of(module, "output_padding") in range(0, max(1, int(str(value_of(module, "stride")))))


CONVOLUTIONS = (*map(_convolution, (1, 2, 3)), *map(_transposed, (1, 2, 3)))
