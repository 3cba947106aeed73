"""Activations.

Not here, since their gradients in torch are 0 at both ends, where those of `clip` are 1: `F.relu6`, `F.hardtanh`,
`F.hardsigmoid`, `F.hardswish`. `nn.PReLU` is the one with a parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import VARIES
from dlc.backends.torch.natives.parts import always, function, function_of, value_of
from dlc.ir import Module


def _gelu(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    tanh = a.values["approximate"]
    if tanh is VARIES:
        return call("F.gelu", operands["x"], approximate=quote('"tanh" if $a else "none"', a=a.code["approximate"]))
    return call("F.gelu", operands["x"], approximate=literal("tanh") if tanh else None)


def _positive(module: Module) -> bool:
    """torch refuses a threshold below 0."""
    threshold = value_of(module, "threshold")
    return isinstance(threshold, int | float) and threshold >= 0


def _prelu(a: Arguments) -> ast.expr:
    shared = a.values["shared"]
    if shared is VARIES:
        return call("nn.PReLU", quote("1 if $shared else $c", shared=a.code["shared"], c=a.code["C"]))
    return call("nn.PReLU", *([] if shared else [a.code["C"]]))


ACTIVATIONS = (
    Native("prelu", always, ("C",), ("shared",), _prelu),
    function_of("leaky_relu", "F.leaky_relu", {"slope": ("negative_slope", 0.01)}),
    function_of("elu", "F.elu", {"alpha": ("alpha", 1.0)}),
    function_of("celu", "F.celu", {"alpha": ("alpha", 1.0)}),
    function_of("soft_shrink", "F.softshrink", {"threshold": ("lambd", 0.5)}, _positive),
    function_of("hard_shrink", "F.hardshrink", {"threshold": ("lambd", 0.5)}),
    Native("gelu", always, (), ("approximate",), None, _gelu),
    function("silu", "F.silu($x)"),
    function("softplus", "F.softplus($x)"),
    function("selu", "F.selu($x)"),
    function("mish", "F.mish($x)"),
    function("softsign", "F.softsign($x)"),
    function("log_sigmoid", "F.logsigmoid($x)"),
    function("tanh_shrink", "F.tanhshrink($x)"),
    function("glu", "F.glu($x)"),
)
