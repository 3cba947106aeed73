"""How tightly each operator binds, loosest first: the levels of `grammar.lark`."""

from __future__ import annotations

PIPE, CONDITIONAL, OR, AND, NOT, COMPARE, BIT_OR, BIT_AND, SUM, PRODUCT, SIGN, POWER, PRIMARY, ATOM = range(14)

BINARY = {
    "or": OR,
    "and": AND,
    "|": BIT_OR,
    "&": BIT_AND,
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "//": PRODUCT,
    "%": PRODUCT,
    "@": PRODUCT,
    "**": POWER,
}
UNARY = {"not": NOT, "-": SIGN, "+": SIGN, "~": SIGN}
