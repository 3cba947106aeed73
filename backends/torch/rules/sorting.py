"""Sorted order. Of equals the first comes first, so sorts are stable where places count."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import Rules, Site


def _direction(site: Site) -> ast.expr | None:
    return None if site.value("descending") is False else site.attribute("descending")


def _sort(site: Site) -> ast.expr:
    found = call("torch.sort", site.operands[0], dim=site.attribute("axis"), descending=_direction(site))
    return quote("$0.values", found)


def _argsort(site: Site) -> ast.expr:
    direction, stable = _direction(site), literal(True)
    return call("torch.argsort", site.operands[0], dim=site.attribute("axis"), descending=direction, stable=stable)


def _topk(site: Site) -> ast.expr:
    """torch.topk leaves open which of equals it takes."""
    arguments = [ast.keyword("dim", site.attribute("axis"))]
    if site.value("largest") is not True:
        arguments.append(ast.keyword("largest", site.attribute("largest")))
    return ast.Call(site.tools.helper("topk"), [site.operands[0], site.attribute("k")], arguments)


RULES: Rules = {
    "sort": _sort,
    "argsort": _argsort,
    "topk": _topk,
}
