"""Linear layers, tables, and what only changes shapes."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, literal
from dlc.backends.torch.natives.parts import always, option, rank, value_of
from dlc.ir import Module


def _dense(a: Arguments) -> ast.expr:
    return call("nn.Linear", a.code["I"], a.code["units"], bias=option(a, "bias", True))


def _bilinear(a: Arguments) -> ast.expr:
    return call("nn.Bilinear", a.code["I"], a.code["J"], a.code["units"])


def _embedding(a: Arguments) -> ast.expr:
    return call("nn.Embedding", a.code["entries"], a.code["width"])


def _without_padding(module: Module) -> bool:
    """torch starts the row of `padding_idx` at 0 but reads what a weights file has there; the block gives 0."""
    return value_of(module, "padding") is None


def _flatten(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    return call("torch.flatten", operands["x"], literal(1))


LINEAR = (
    Native("dense", always, ("I",), ("units", "bias"), _dense),
    Native("bilinear", always, ("I", "J"), ("units",), _bilinear),
    Native("embedding", _without_padding, (), ("entries", "width"), _embedding),
    Native("flatten", lambda module: rank(module) > 1, (), (), None, _flatten),
)
