"""Exponents as a person writes them: `x**2`, where the language has made the 2 a float beside a float tensor."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import literal
from dlc.backends.common.rule import Site
from dlc.ir import FLOATS


def exponent(site: Site) -> ast.expr:
    """The code of a power's exponent. Beside a float tensor a whole number means the same as its float."""
    number = site.numbers[1] if len(site.numbers) > 1 else None
    whole = isinstance(number, float) and number.is_integer() and abs(number) < 100
    tensor = site.numbers[0] is None and site.types[0].dtype in FLOATS if site.numbers else False
    if isinstance(number, float) and whole and tensor and isinstance(site.operands[1], ast.Constant | ast.UnaryOp):
        return literal(int(number))
    return site.operands[1]
