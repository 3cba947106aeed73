"""Sorted order; of equals the first comes first."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import literal, quote
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import function


def _direction(site: Site) -> ast.expr | None:
    """ops.sort only ascends."""
    if not site.known("descending"):
        return quote('"DESCENDING" if $0 else "ASCENDING"', site.attribute("descending"))
    return literal("DESCENDING") if site.value("descending") else None


def _sort(site: Site) -> ast.expr:
    return function("tf.sort", site.operands[0], axis=site.attribute("axis"), direction=_direction(site))


def _argsort(site: Site) -> ast.expr:
    found = function(
        "tf.argsort", site.operands[0], axis=site.attribute("axis"), direction=_direction(site), stable=literal(True)
    )
    return quote('ops.cast($0, "int64")', found)


def _topk(site: Site) -> ast.expr:
    """tf's takes the largest of the last axis."""
    last = site.value("axis") == site.types[0].rank - 1 and not site.ranks_vary
    if last and site.value("largest") is True:
        return quote("tf.math.top_k($0, $k, index_type=tf.int64)", site.operands[0], k=site.attribute("k"))
    arguments = [ast.keyword("axis", site.attribute("axis"))]
    if site.value("largest") is not True:
        arguments.append(ast.keyword("largest", site.attribute("largest")))
    return ast.Call(site.tools.helper("top_k"), [site.operands[0], site.attribute("k")], arguments)


SORTING: dict[str, Rule] = {"sort": _sort, "argsort": _argsort, "topk": _topk}
