"""Tests on which inputs are there, where that is the same for all merged modules.

`mode == "b" and m is not none` is `mode == "b"` where every call gives `m`. A class then says nothing about an input
that its calls never give, or always give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import PRESENT, free_names
from dlc.spec.syntax import Binary, Compare, Constant, Expr, Name, Unary

#: Whether an input is there, by its name.
Given = Mapping[str, bool]


def given(contexts: Sequence[Context]) -> Given:
    """The inputs that are there in all contexts, or in none. A name that stands for something else is left out."""
    out: dict[str, bool] = {}
    for name, _ in contexts[0].module.signature:
        found = [context.names.get(name, False) for context in contexts]
        if all(value is PRESENT for value in found):
            out[name] = True
        elif all(value is None for value in found):
            out[name] = False
    return out


def is_late(context: Context, tests: Sequence[Expr]) -> bool:
    """True if only a call knows: a test reads the mode, or whether an input is there."""
    asked = {"training", *(name for name, _ in context.module.signature)}
    return any(word in asked for test in tests for word in free_names(test))


def specialised(test: Expr, known: Given) -> Expr:
    """The test with what is known put in."""
    match test:
        case Compare(("is" | "is not" as op,), (Name(word), Constant(None))) if word in known:
            return Constant(known[word] == (op == "is not"))
        case Unary("not", operand):
            inner = specialised(operand, known)
            return Constant(not inner.value) if isinstance(inner, Constant) else Unary("not", inner)
        case Binary("and" | "or" as op, left, right):
            return _joined(op, specialised(left, known), specialised(right, known))
        case _:
            return test


def _joined(op: str, left: Expr, right: Expr) -> Expr:
    """`true and a` is a, `false and a` is false; `or` the other way round."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Constant) and isinstance(one.value, bool):
            return other if one.value == (op == "and") else one
    return Binary(op, left, right)
