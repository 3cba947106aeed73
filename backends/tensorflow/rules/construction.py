"""Tensors from nothing: constants, sizes, ranges."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import dtype_code, filled, function


def _constant(site: Site) -> ast.expr:
    result, value = site.results[0], site.attribute("value")
    if result.shape == ():
        return function("ops.convert_to_tensor", value, dtype=dtype_code(result.dtype))
    return filled(site.attribute("shape"), value, site.value("value"), result)


def _dimension(site: Site) -> ast.expr:
    return quote("ops.cast($size, $dtype)", size=site.attribute("size"), dtype=dtype_code(site.results[0].dtype))


def _arange(site: Site) -> ast.expr:
    dtype = dtype_code(site.results[0].dtype)
    start, stop, step = (site.attribute(name) for name in ("start", "stop", "step"))
    if site.value("step") != 1:
        return function("ops.arange", start, stop, step, dtype=dtype)
    if site.value("start") != 0:
        return function("ops.arange", start, stop, dtype=dtype)
    return function("ops.arange", stop, dtype=dtype)


CONSTRUCTION: dict[str, Rule] = {"constant": _constant, "dimension": _dimension, "arange": _arange}
