"""Builds the expressions of the syntax tree; see `actions.py`."""

from __future__ import annotations

import math
from typing import Any

from dlc.diagnostics import error
from dlc.spec import syntax_expressions as s
from dlc.spec.lalr import Action
from dlc.spec.pipes import check_stages
from dlc.spec.record import replace
from dlc.spec.reduced import Group, Values, cover, names_at, nodes_of
from dlc.spec.token import Token

CONSTANTS: dict[str, bool | float | None] = {
    "true": True,
    "false": False,
    "none": None,
    "inf": math.inf,
    "nan": math.nan,
}
PYTHON_SPELLINGS = {"True": "true", "False": "false", "None": "none"}


def stages(v: Values) -> Group:
    before = tuple(v[0]) if isinstance(v[0], Group) else (v[0],)
    return Group((*before, v[2]))


def pipeline(v: Values) -> s.Expr:
    check_stages(v[0])
    value, *targets = v[0]
    for target in targets:
        value = s.Pipe(value, target, value.span.to(target.span))
    return value


def conditional(v: Values) -> s.Conditional:
    return s.Conditional(v[0], v[2], v[4], cover(v))


def binary(v: Values) -> s.Binary:
    return s.Binary(v[1].kind, v[0], v[2], cover(v))


def unary(v: Values) -> s.Unary:
    return s.Unary(v[0].kind, v[1], cover(v))


def compare(v: Values) -> s.Compare:
    return s.Compare(tuple(t.kind for t in v[1::2]), tuple(v[0::2]), cover(v))


def call(v: Values) -> s.Call:
    positional: list[s.Expr] = []
    keywords: list[s.Keyword] = []
    for argument in nodes_of(v[2:]):
        if isinstance(argument, s.Keyword):
            keywords.append(argument)
        elif keywords:
            raise error(
                "E0110",
                "a positional argument after a keyword argument",
                argument.span,
                hint=f"put it before `{keywords[0].name}=`",
            )
        else:
            positional.append(argument)
    return s.Call(v[0], tuple(positional), tuple(keywords), cover(v))


def index(v: Values) -> s.Index:
    return s.Index(v[0], nodes_of(v[2:]), cover(v))


def attribute(v: Values) -> s.Attribute:
    return s.Attribute(v[0], v[2].text, cover(v))


def keyword(v: Values) -> s.Keyword:
    return s.Keyword(v[0].text, v[2], cover(v))


def ellipsis(v: Values) -> s.Ellipsis:
    return s.Ellipsis(v[0].span)


def slice_(v: Values) -> s.Slice:
    parts: list[Any] = [None, None, None]
    at = 0
    for value in v:
        if isinstance(value, Token):
            at += 1
        else:
            parts[at] = value
    return s.Slice(parts[0], parts[1], parts[2], cover(v))


def name(v: Values) -> s.Name:
    if v[0].text in PYTHON_SPELLINGS:
        right = PYTHON_SPELLINGS[v[0].text]
        hint = "in a shape, a dimension of any size is a name: `float[N, 3]`" if right == "none" else None
        found = f"`{v[0].text}`"
        raise error("E0111", f"{found} is written `{right}`", v[0].span, found=found, expected=f"`{right}`", hint=hint)
    return s.Name(v[0].text, v[0].span)


def literal(v: Values) -> s.Constant:
    return s.Constant(v[0].value, v[0].span)


def constant(v: Values) -> s.Constant:
    return s.Constant(CONSTANTS[v[0].kind], v[0].span)


def next_(v: Values) -> s.Next:
    return s.Next(v[1].text, cover(v))


def parenthesis(v: Values) -> s.Expr:
    """The expression itself; its span takes in the parentheses, so that what surrounds it starts and ends there."""
    return replace(v[1], span=cover(v))


def list_(v: Values) -> s.ListLiteral:
    return s.ListLiteral(nodes_of(v), cover(v))


def comprehension(v: Values) -> s.Comprehension:
    return s.Comprehension(v[1], tuple(v[2:-1]), cover(v))


def comprehension_clause(v: Values) -> s.Clause:
    targets, at = names_at(v, 1)
    return s.Clause(targets, v[at + 1], tuple(v[at + 3 :: 2]), cover(v))


EXPRESSIONS: dict[str, Action] = {
    "stages": stages,
    "pipeline": pipeline,
    "conditional": conditional,
    "binary": binary,
    "unary": unary,
    "compare": compare,
    "call": call,
    "index": index,
    "attribute": attribute,
    "keyword": keyword,
    "slice": slice_,
    "ellipsis": ellipsis,
    "name": name,
    "number": literal,
    "string": literal,
    "constant": constant,
    "next": next_,
    "parenthesis": parenthesis,
    "list": list_,
    "comprehension": comprehension,
    "comprehension_clause": comprehension_clause,
}
