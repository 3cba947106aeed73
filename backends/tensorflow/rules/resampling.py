"""Other sizes, and places between elements. After layout assignment data are channels-last.

tf.image.resize is right for images in 32 bits: the nearest element where sizes are multiplied (its centres are on
half-pixels), linear interpolation without aligned corners. Its cubic convolution has another parameter than torch's.
All else goes through a helper.
"""

from __future__ import annotations

import ast

from dlc.backends.common.quote import literal
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import data_last, from_last, function, is_last, unless
from dlc.dims import exact_divide


def _resize(site: Site) -> ast.expr:
    data, mode = data_last(site), str(site.value("mode"))
    if _is_known_to_tf(site, mode):
        method = None if mode == "linear" else literal("nearest")
        return from_last(site, function("tf.image.resize", data, site.attribute("size"), method=method))
    arguments = [ast.keyword("mode", site.attribute("mode"))] if mode != "nearest" else []
    corners = unless(site, "align_corners", False)
    arguments += [ast.keyword("align_corners", corners)] if corners is not None else []
    helper = ast.Call(site.tools.helper("resize"), [data, site.attribute("size")], arguments)
    return from_last(site, helper)


def _is_known_to_tf(site: Site, mode: str) -> bool:
    if site.types[0].rank != 4 or site.value("align_corners") is not False:
        return False
    if mode == "nearest":
        return _is_multiple(site)
    single = site.types[0].dtype == "f32" or (site.types[0].dtype == "float" and site.tools.precision == "f32")
    return mode == "linear" and single


def _is_multiple(site: Site) -> bool:
    """Whether each size is a multiple of what it was, in every merged module."""
    first, last = (1, -1) if is_last(site) else (2, None)
    pairs = (
        (before, after)
        for types, results in site.everywhere
        for before, after in zip(types[0].shape[first:last], results[0].shape[first:last], strict=True)
    )
    return bool(site.everywhere) and all(
        before != 0 and isinstance(exact_divide(after, before), int) for before, after in pairs
    )


def _grid_sample(site: Site) -> ast.expr:
    options = [
        (word, unless(site, word, default)) for word, default in (("padding", "zeros"), ("align_corners", False))
    ]
    arguments = [ast.keyword(word, code) for word, code in options if code is not None]
    return from_last(site, ast.Call(site.tools.helper("grid_sample"), [data_last(site), site.operands[1]], arguments))


RESAMPLING: dict[str, Rule] = {"resize": _resize, "grid_sample": _grid_sample}
