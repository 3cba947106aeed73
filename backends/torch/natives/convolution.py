"""Convolutions and transposed convolutions of 1, 2 and 3 dimensions."""

from __future__ import annotations

import ast

from dlc.backends.common.native import Arguments, Native, numbers
from dlc.backends.common.quote import call
from dlc.backends.torch.natives.parts import option, value_of
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
    return Native(f"conv{dimensions}d", _padding_fits, ("C",), hyperparameters, construct)


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


def _padding_fits(module: Module) -> bool:
    """torch's padding is alike at both ends, or "same" without a stride, with the odd zero at the end as in ours."""
    if value_of(module, "padding") == "same":
        return set(numbers(module, "stride") or ()) == {1}
    return value_of(module, "padding") == "valid" or numbers(module, "padding") is not None


def _output_padding_fits(module: Module) -> bool:
    """torch refuses an output padding that is not below the stride, and words for the padding."""
    strides, extra = numbers(module, "stride") or (), numbers(module, "output_padding") or ()
    return numbers(module, "padding") is not None and max(extra) < min(strides)


CONVOLUTIONS = (*map(_convolution, (1, 2, 3)), *map(_transposed, (1, 2, 3)))
