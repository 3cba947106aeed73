"""Reductions and softmax."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import VARIES, Rule, Rules, Site


def keep(site: Site) -> ast.expr | None:
    """`keepdim=True`, or nothing."""
    return site.attribute("keepdims") if site.value("keepdims") is not False else None


def dim(site: Site) -> ast.expr | None:
    """The axes to reduce: nothing for all, a number for one."""
    value = site.value("axis")
    if value is None:
        return None
    if isinstance(value, tuple) and len(value) == 1 and value[0] is not VARIES:  # pyright: ignore[reportUnknownArgumentType]
        return literal(value[0])  # pyright: ignore[reportUnknownArgumentType]
    return site.attribute("axis")


def _reduce(name: str) -> Rule:
    def rule(site: Site) -> ast.expr:
        if site.value("axis") == ():
            return site.operands[0]
        axis, kept = dim(site), keep(site)
        if axis is None and kept is not None:
            axis = literal(tuple(range(site.types[0].rank)))
        return ast.Call(ast.Attribute(site.operands[0], name, ast.Load()), [], _keywords(dim=axis, keepdim=kept))

    return rule


def _prod(site: Site) -> ast.expr:
    """torch reduces one axis at a time here."""
    axes = site.value("axis")
    rank = site.types[0].rank
    listed = tuple(range(rank)) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    kept = keep(site)
    if axes is None and kept is None:
        return quote("$0.prod()", *site.operands)
    node = site.operands[0]
    for axis in sorted((int(one) % rank for one in listed), reverse=True):  # pyright: ignore
        node = ast.Call(ast.Attribute(node, "prod", ast.Load()), [], _keywords(dim=literal(axis), keepdim=kept))
    return node


def _variance(site: Site) -> ast.expr:
    if site.value("axis") == ():
        return call("torch.zeros_like", site.operands[0])
    axis, kept = dim(site), keep(site)
    return ast.Call(
        ast.Attribute(site.operands[0], "var", ast.Load()),
        [],
        _keywords(dim=axis, correction=literal(site.value("correction")), keepdim=kept),
    )


def _arg(name: str) -> Rule:
    def rule(site: Site) -> ast.expr:
        keywords = _keywords(dim=site.attribute("axis"), keepdim=keep(site))
        return ast.Call(ast.Attribute(site.operands[0], name, ast.Load()), [], keywords)

    return rule


def _softmax(site: Site) -> ast.expr:
    """torch gives NaN over nothing but -inf; the language says 0. The helper is left out where `facts` says so."""
    if site.above and site.above[0]:
        return call("F.softmax", site.operands[0], dim=site.attribute("axis"))
    return ast.Call(site.tools.helper("softmax"), [site.operands[0]], [ast.keyword("dim", site.attribute("axis"))])


def _log_softmax(site: Site) -> ast.expr:
    if site.above and site.above[0]:
        return call("F.log_softmax", site.operands[0], dim=site.attribute("axis"))
    return ast.Call(site.tools.helper("log_softmax"), [site.operands[0]], [ast.keyword("dim", site.attribute("axis"))])


def _logsumexp(site: Site) -> ast.expr:
    return call("torch.logsumexp", site.operands[0], dim=site.attribute("axis"), keepdim=keep(site))


def _keywords(**parts: ast.expr | None) -> list[ast.keyword]:
    return [ast.keyword(key, value) for key, value in parts.items() if value is not None]


RULES: Rules = {
    "sum": _reduce("sum"),
    "mean": _reduce("mean"),
    "max": _reduce("amax"),
    "min": _reduce("amin"),
    "any": _reduce("any"),
    "all": _reduce("all"),
    "prod": _prod,
    "variance": _variance,
    "argmax": _arg("argmax"),
    "argmin": _arg("argmin"),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "cumsum": "$0.cumsum(dim=$axis)",
    "cumprod": "$0.cumprod(dim=$axis)",
}
