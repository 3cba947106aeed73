"""Windows of 1, 2 and 3 dimensions, and means over regions.

Not here: `nn.AdaptiveMaxPool2d`, whose gradient goes to the first of equals where that of `max` is shared, and
`nn.LPPool2d`, whose gradient is NaN over a window of zeros.
"""

from __future__ import annotations

import ast

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call
from dlc.backends.common.rule import VARIES
from dlc.backends.torch.natives.parts import always, option, value_of
from dlc.ir import Module


def _pool(kind: str, dimensions: int) -> Native:
    def construct(a: Arguments) -> ast.expr:
        stride = a.values["stride"]
        same = stride == 0 and stride is not VARIES
        return call(
            f"nn.{kind.capitalize()}Pool{dimensions}d",
            a.code["kernel"],
            stride=None if same else a.code["stride"],
            padding=option(a, "padding", 0),
        )

    return Native(f"{kind}_pool{dimensions}d", _fits, (), ("kernel", "stride", "padding"), construct)


def _fits(module: Module) -> bool:
    """torch refuses padding above half the kernel; a stride of 0 must be told apart when the file is written."""
    padding, kernel = value_of(module, "padding"), value_of(module, "kernel")
    return isinstance(padding, int) and isinstance(kernel, int) and 2 * padding <= kernel


def _adaptive_1d(a: Arguments) -> ast.expr:
    return call("nn.AdaptiveAvgPool1d", a.code["length"])


def _adaptive_2d(a: Arguments) -> ast.expr:
    return call("nn.AdaptiveAvgPool2d", ast.Tuple([a.code["height"], a.code["width"]], ast.Load()))


POOLS = (
    *(_pool(kind, dimensions) for kind in ("max", "avg") for dimensions in (1, 2, 3)),
    Native("adaptive_avg_pool1d", always, (), ("length",), _adaptive_1d),
    Native("adaptive_avg_pool2d", always, (), ("height", "width"), _adaptive_2d),
)
