"""Bounds of initial values get a name where they stand several times: `bound = 1 / math.sqrt(fan)`.

Only what `nn.init.uniform_` is given is looked at, and only where a function is called to find it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence

from dlc.backends.common.quote import name, quote, statements


def named(fills: Sequence[ast.stmt], fresh: Callable[[str], str]) -> list[ast.stmt]:
    """The statements, each bound that two of them share, or that has both signs, assigned before them."""
    found: Counter[str] = Counter()
    for fill in fills:
        low, high = _bounds(fill)
        found.update(ast.dump(bound) for bound in (high, _opposite(low)) if bound is not None)
    words: dict[str, str] = {}
    out: list[ast.stmt] = []
    for fill in fills:
        low, high = _bounds(fill)
        bound = None if high is None else ast.dump(high)
        if high is None or bound is None or found[bound] < 2 or not _calls(high):
            out.append(fill)
            continue
        if bound not in words:
            words[bound] = fresh("bound")
            out += statements("$bound = $x", bound=name(words[bound]), x=high)
        mirrored = _opposite(low)
        below = quote("-$x", x=name(words[bound])) if mirrored is not None and ast.dump(mirrored) == bound else low
        out.append(_with_bounds(fill, below, name(words[bound])))
    return out


def _bounds(fill: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    match fill:
        case ast.Expr(ast.Call(ast.Attribute(attr="uniform_"), [_, low, high], [])):
            return low, high
        case _:
            return None, None


def _with_bounds(fill: ast.stmt, low: ast.expr | None, high: ast.expr) -> ast.stmt:
    match fill:
        case ast.Expr(ast.Call(function, [weight, *_])) if low is not None:
            return ast.Expr(ast.Call(function, [weight, low, high], []))
        case _:
            return fill


def _opposite(low: ast.expr | None) -> ast.expr | None:
    """`a / b` for `-a / b`, `a * b` for `-a * b`, `a` for `-a`: numbers that differ in nothing but the sign."""
    match low:
        case ast.BinOp(left, ast.Div() | ast.Mult() as op, right):
            positive = _opposite(left)
            return None if positive is None else ast.BinOp(positive, op, right)
        case ast.UnaryOp(ast.USub(), value):
            return value
        case _:
            return None


def _calls(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Call) for one in ast.walk(node))
