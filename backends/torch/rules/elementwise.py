"""Elementwise ops, comparison, selection, casts."""

from __future__ import annotations

import ast

from dlc.backends.common.powers import exponent
from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Rule, Rules, Site
from dlc.backends.torch.dtypes import dtype_code


def _extreme(name: str, bound: str) -> Rule:
    """`maximum(x, 0)` of a number is a clamp."""

    def rule(site: Site) -> ast.expr:
        numbers = site.numbers or (None, None)
        for number, tensor in ((1, 0), (0, 1)):
            if numbers[number] is not None:
                return quote("$x.clamp($bound=$n)", x=site.operands[tensor], n=site.operands[number], bound=bound)
        return quote(f"torch.{name}($0, $1)", *site.operands)

    return rule


def _cast(site: Site) -> ast.expr:
    short = {"float": "$0.float()", "int": "$0.long()", "bool": "$0.bool()", "f32": "$0.float()", "i64": "$0.long()"}
    dtype = str(site.value("dtype"))
    precise = {"f64": "$0.double()", "f16": "$0.half()", "bf16": "$0.bfloat16()", "i32": "$0.int()"}
    if dtype == "float" and site.tools.precision != "f32":
        return quote("$0.to($1)", site.operands[0], dtype_code(dtype, site.tools.precision))
    return quote({**short, **precise}[dtype], *site.operands)


def _power(site: Site) -> ast.expr:
    """Integers with a tensor exponent go through torch.pow as well."""
    return quote("$0 ** $1", site.operands[0], exponent(site))


def _floating(template: str) -> Rule:
    """Rounding leaves integers alone."""

    def rule(site: Site) -> ast.expr:
        if site.types[0].dtype in ("int", "i32", "i64"):
            return site.operands[0]
        return quote(template, *site.operands)

    return rule


RULES: Rules = {
    **{name: f"torch.{name}($0)" for name in ("exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "sin", "cos", "tan")},
    **{name: f"torch.{name}($0)" for name in ("tanh", "sigmoid", "erf", "abs", "sign", "square")},
    "floor": _floating("torch.floor($0)"),
    "ceil": _floating("torch.ceil($0)"),
    "round": _floating("torch.round($0)"),
    "relu": "F.relu($0)",
    "negative": "-$0",
    "stop_gradient": "$0.detach()",
    "logical_not": "~$0",
    **{name: f"torch.{name}($0)" for name in ("isnan", "isinf", "isfinite")},
    "add": "$0 + $1",
    "subtract": "$0 - $1",
    "multiply": "$0 * $1",
    "divide": "$0 / $1",
    "floor_divide": "$0 // $1",
    "remainder": "$0 % $1",
    "power": _power,
    "maximum": _extreme("maximum", "min"),
    "minimum": _extreme("minimum", "max"),
    "equal": "$0 == $1",
    "not_equal": "$0 != $1",
    "less": "$0 < $1",
    "less_equal": "$0 <= $1",
    "greater": "$0 > $1",
    "greater_equal": "$0 >= $1",
    "logical_and": "$0 & $1",
    "logical_or": "$0 | $1",
    "logical_xor": "$0 ^ $1",
    "where": "torch.where($0, $1, $2)",
    "clip": "$0.clamp($low, $high)",
    "cast": _cast,
}
