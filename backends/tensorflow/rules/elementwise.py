"""Elementwise ops."""

from __future__ import annotations

import ast

from dlc.backends.common import powers
from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import dtype_code, is_int


def _rounding(name: str) -> Rule:
    """ops.floor and its kin make floats of integers; an integer is its own floor."""

    def rule(site: Site) -> ast.expr:
        return site.operands[0] if is_int(site) else quote(f"ops.{name}($0)", site.operands[0])

    return rule


def _where(site: Site) -> ast.expr:
    """Two plain numbers have no element type of their own."""
    condition, left, right = site.operands
    if site.numbers and site.numbers[1] is not None and site.numbers[2] is not None:
        left = quote("ops.cast($0, $1)", left, dtype_code(site.results[0].dtype))
    return quote("ops.where($0, $1, $2)", condition, left, right)


def _cast(site: Site) -> ast.expr:
    return quote("ops.cast($0, $1)", site.operands[0], dtype_code(site.results[0].dtype))


def _clip(site: Site) -> ast.expr:
    low, high = site.value("low"), site.value("high")
    infinite = float("inf")
    if low == -infinite and high == infinite:
        return site.operands[0]
    if high == infinite:
        return quote("ops.maximum($0, $low)", site.operands[0], low=site.attribute("low"))
    if low == -infinite:
        return quote("ops.minimum($0, $high)", site.operands[0], high=site.attribute("high"))
    return quote("ops.clip($0, $low, $high)", site.operands[0], low=site.attribute("low"), high=site.attribute("high"))


def _relu(site: Site) -> ast.expr:
    return quote("ops.relu($0)", site.operands[0])


def _power(site: Site) -> ast.expr:
    """A number alone on the left has no element type: `2.0 ** x` is fine, TensorFlow gives it the right one's."""
    exponent = site.numbers[1] if site.numbers else None
    if exponent == 2:
        return quote("ops.square($0)", site.operands[0])
    return quote("$0 ** $1", site.operands[0], powers.exponent(site))


def _erf(site: Site) -> ast.expr:
    """In float64, TensorFlow 2.21 gives NaN for infinite and for huge numbers; beyond 6, erf is 1 to the last bit."""
    if site.types[0].dtype == "f64":
        return quote("ops.erf(ops.clip($0, -6.0, 6.0))", site.operands[0])
    return quote("ops.erf($0)", site.operands[0])


ELEMENTWISE: dict[str, Rule] = {
    "exp": "ops.exp($0)",
    "log": "ops.log($0)",
    "log1p": "ops.log1p($0)",
    "expm1": "ops.expm1($0)",
    "sqrt": "ops.sqrt($0)",
    "rsqrt": "ops.rsqrt($0)",
    "sin": "ops.sin($0)",
    "cos": "ops.cos($0)",
    "tan": "ops.tan($0)",
    "tanh": "ops.tanh($0)",
    "sigmoid": "ops.sigmoid($0)",
    "erf": _erf,
    "relu": _relu,
    "negative": "-$0",
    "abs": "ops.abs($0)",
    "sign": "ops.sign($0)",
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "round": _rounding("round"),  # half to even, as NumPy's
    "square": "ops.square($0)",
    "stop_gradient": "ops.stop_gradient($0)",
    "logical_not": "~$0",
    "isnan": "ops.isnan($0)",
    "isinf": "ops.isinf($0)",
    "isfinite": "ops.isfinite($0)",
    "add": "$0 + $1",
    "subtract": "$0 - $1",
    "multiply": "$0 * $1",
    "divide": "$0 / $1",
    "maximum": "ops.maximum($0, $1)",
    "minimum": "ops.minimum($0, $1)",
    "power": _power,
    "floor_divide": "$0 // $1",
    "remainder": "$0 % $1",
    "equal": "$0 == $1",
    "not_equal": "$0 != $1",
    "less": "$0 < $1",
    "less_equal": "$0 <= $1",
    "greater": "$0 > $1",
    "greater_equal": "$0 >= $1",
    "logical_and": "$0 & $1",
    "logical_or": "$0 | $1",
    "logical_xor": "$0 ^ $1",
    "where": _where,
    "cast": _cast,
    "clip": _clip,
}
