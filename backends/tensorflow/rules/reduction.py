"""Reductions, and ops along one axis."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import function, unless


def _reduce(name: str) -> Rule:
    def rule(site: Site) -> ast.expr:
        if site.value("axis") == ():
            return site.operands[0]
        return function(name, site.operands[0], axis=_axes(site), keepdims=unless(site, "keepdims", False))

    return rule


def _axes(site: Site) -> ast.expr | None:
    """`axis=2` for one axis; nothing where all are reduced away."""
    node = site.attribute("axis")
    if site.value("axis") == tuple(range(site.types[0].rank)) and not site.ranks_vary:
        return None
    return node.elts[0] if isinstance(node, ast.Tuple) and len(node.elts) == 1 else node


def _variance(site: Site) -> ast.expr:
    if site.value("axis") == ():
        return quote("ops.zeros_like($0)", site.operands[0])
    if site.value("correction") == 0:
        return _call_reduce("ops.var", site)
    arguments = _keywords(axis=_axes(site), keepdims=unless(site, "keepdims", False))
    return ast.Call(site.tools.helper("unbiased_variance"), [site.operands[0]], arguments)


def _call_reduce(name: str, site: Site) -> ast.expr:
    return function(name, site.operands[0], axis=_axes(site), keepdims=unless(site, "keepdims", False))


def _arg(name: str) -> Rule:
    """ops.argmax gives int32, and flushes small numbers; tf's neither, but it has no keepdims."""

    def rule(site: Site) -> ast.expr:
        axis = site.attribute("axis")
        dtype = quote(f"tf.{'int32' if site.results[0].dtype == 'i32' else 'int64'}")
        found = function(f"tf.{name}", site.operands[0], axis=axis, output_type=dtype)
        if site.value("keepdims") is True:
            return function("ops.expand_dims", found, axis=axis)
        return found

    return rule


def _softmax(site: Site) -> ast.expr:
    """Over nothing but -inf the language says 0, TensorFlow NaN. (ops.softmax warns of an axis of size 1.)"""
    axis = unless(site, "axis", -1)
    if site.known("axis") and site.value("axis") == site.types[0].rank - 1 and not site.ranks_vary:
        axis = None
    if _some_unmasked(site):
        return function("tf.nn.softmax", site.operands[0], axis=axis)
    return ast.Call(site.tools.helper("masked_softmax"), [site.operands[0]], _keywords(axis=axis))


def _log_softmax(site: Site) -> ast.expr:
    axis = site.attribute("axis")
    if site.known("axis") and site.value("axis") == site.types[0].rank - 1 and not site.ranks_vary:
        axis = None
    if _some_unmasked(site):
        return function("tf.nn.log_softmax", site.operands[0], axis=axis)
    return ast.Call(site.tools.helper("masked_log_softmax"), [site.operands[0]], _keywords(axis=axis))


def _keywords(**items: ast.expr | None) -> list[ast.keyword]:
    return [ast.keyword(name, node) for name, node in items.items() if node is not None]


def _some_unmasked(site: Site) -> bool:
    return bool(site.above) and site.above[0]


REDUCTION: dict[str, Rule] = {
    "sum": _reduce("ops.sum"),
    "mean": _reduce("ops.mean"),
    "max": _reduce("ops.max"),
    "min": _reduce("ops.min"),
    "prod": _reduce("ops.prod"),
    "any": _reduce("ops.any"),
    "all": _reduce("ops.all"),
    "variance": _variance,
    "argmax": _arg("argmax"),
    "argmin": _arg("argmin"),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": lambda site: _call_reduce("ops.logsumexp", site),
    "cumsum": "ops.cumsum($0, axis=$axis)",
    "cumprod": "ops.cumprod($0, axis=$axis)",
}
