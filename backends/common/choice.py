"""`if`, `elif`, `else` from pairs of test and body."""

from __future__ import annotations

import ast

from dlc.backends.common.expression import negated


def if_chain(pairs: list[tuple[ast.expr, list[ast.stmt]]], orelse: list[ast.stmt]) -> list[ast.stmt]:
    """The statement, without arms that do nothing; none at all if no arm does anything."""
    if not pairs:
        return orelse
    (test, body), rest = pairs[0], pairs[1:]
    below = if_chain(rest, orelse)
    if body:
        return [ast.If(test, body, below)]
    return [ast.If(negated(test), below, [])] if below else []
