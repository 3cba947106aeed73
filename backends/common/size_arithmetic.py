"""Arithmetic on source expressions of sizes: numbers worked out, products and exact quotients brought together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from dlc.backends.common.evaluate import Unknown, evaluate, free_names
from dlc.spec.syntax import Binary, Conditional, Constant, Expr

#: Results by the id of what they come from, which is kept, so that an id stays its own.
Done = dict[int, tuple[Expr, Expr]]


def plus(a: Expr, b: Expr) -> Expr:
    return _joined("+", a, b)


def minus(a: Expr, b: Expr) -> Expr:
    return _joined("-", a, b)


def times(a: Expr, b: Expr) -> Expr:
    return _joined("*", a, b)


def over(a: Expr, b: Expr) -> Expr:
    return _joined("//", a, b)


def simplified(node: Expr, done: Done | None = None) -> Expr:
    """Arithmetic on numbers done, `a + 0`, `a * 1`, `a // 1` as a, and `(a + 1) - 2` as `a - 1`.

    Sizes are put into sizes, layer after layer: with `done`, what was simplified once is not looked at again.
    """
    if done is None:
        return _simplified(node, {})
    if id(node) not in done:
        result = _simplified(node, done)
        done[id(node)] = (node, result)
        done[id(result)] = (result, result)
    return done[id(node)][1]


def _simplified(node: Expr, done: Done) -> Expr:
    match node:
        case Conditional():
            return _chosen(node, done)
        case Binary(op, left, right):
            return _joined(op, simplified(left, done), simplified(right, done))
        case _:
            return node


def _joined(op: str, left: Expr, right: Expr) -> Expr:
    """The same for two operands that are simple."""
    a, b = _number(left), _number(right)
    if a is not None and b is not None and op in _NUMBERS and not (op == "//" and b == 0):
        return Constant(_NUMBERS[op](a, b))
    if (op in ("+", "-") and b == 0) or (op in ("*", "//") and b == 1):
        return left
    if (op == "+" and a == 0) or (op == "*" and a == 1):
        return right
    if op in ("+", "-") and b is not None and isinstance(left, Binary) and left.op in ("+", "-"):
        inner = _number(left.right)
        if inner is not None:
            total = (inner if left.op == "+" else -inner) + (b if op == "+" else -b)
            return _joined("+" if total >= 0 else "-", left.left, Constant(abs(total)))
    return Binary(op, left, right)


def _number(node: Expr) -> int | None:
    return node.value if isinstance(node, Constant) and type(node.value) is int else None


def _chosen(node: Conditional, done: Done) -> Expr:
    """The arm that is taken, where the test reads no names."""
    if free_names(node.test):
        return node
    try:
        return simplified(node.body if evaluate(node.test, {}) else node.orelse, done)
    except Unknown:
        return node


_NUMBERS: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
}


def product_source(factors: Sequence[Expr | None]) -> Expr | None:
    """The product, with numbers multiplied and `a * (b // a)`, which a reshape made, as `b`. None if one is unknown."""
    known = [factor for factor in factors if factor is not None]
    if len(known) != len(factors):
        return None
    rest = [one for factor in known for one in _factors(factor)]
    for quotient in tuple(rest):
        if isinstance(quotient, Binary) and quotient.op == "//" and quotient.right in rest:
            rest.remove(quotient)
            rest.remove(quotient.right)
            rest += _factors(quotient.left)
    return _multiplied(rest)


def _factors(product_: Expr) -> list[Expr]:
    match product_:
        case Binary("*", left, right):
            return [*_factors(left), *_factors(right)]
        case _:
            return [product_]


def _multiplied(factors: Sequence[Expr]) -> Expr:
    """Numbers as one, before a lone name and behind anything else."""
    number = 1
    others: list[Expr] = []
    for factor in factors:
        if isinstance(factor, Constant) and isinstance(factor.value, int):
            number *= factor.value
        else:
            others.append(factor)
    if len(others) == 1 and number != 1:
        return Binary("*", Constant(number), others[0])
    total: Expr | None = None
    for factor in (*others, Constant(number)) if number != 1 or not others else others:
        total = factor if total is None else Binary("*", total, factor)
    assert total is not None
    return total


def divided_by(whole: Expr, part: Expr) -> Expr:
    """An exact quotient: common factors go."""
    if isinstance(whole, Constant) and isinstance(part, Constant):
        return Constant(cast(int, whole.value) // cast(int, part.value))
    above, below = _factors(whole), [factor for factor in _factors(part) if factor != Constant(1)]
    for factor in tuple(below):
        if factor in above:
            above.remove(factor)
            below.remove(factor)
    if not below:
        return _multiplied(above or [Constant(1)])
    return Binary("//", _multiplied(above or [Constant(1)]), _multiplied(below))
