"""Other sizes, and places between elements."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import call, literal
from dlc.backends.common.rule import Rules, Site
from dlc.dims import exact_divide
from dlc.ir import FLOATS

#: What torch calls the modes, by the number of spatial axes.
_MODES = {"linear": ("linear", "bilinear", "trilinear"), "cubic": ("", "bicubic")}

#: torch finds the nearest element in 32-bit floats: right for these factors, not for 41.
_EXACT = range(1, 41)


def _resize(site: Site) -> ast.expr:
    mode = str(site.value("mode"))
    factors = _factors(site)
    if mode == "nearest" and (None in factors or site.types[0].dtype not in FLOATS):
        return ast.Call(site.tools.helper("resize_nearest"), [site.operands[0], site.attribute("size")], [])
    scale = literal(next(iter(factors))) if len(factors) == 1 and None not in factors else None
    return call(
        "F.interpolate",
        site.operands[0],
        size=site.attribute("size") if scale is None else None,
        scale_factor=scale,
        mode=None if mode == "nearest" else literal(_MODES[mode][site.types[0].rank - 3]),
        align_corners=site.attribute("align_corners") if site.value("align_corners") is not False else None,
    )


def _factors(site: Site) -> set[int | None]:
    """The numbers by which sizes are multiplied in any merged module; None for one that is not in `_EXACT`."""
    found = {
        exact_divide(after, before) if before != 0 else None
        for types, results in site.everywhere
        for before, after in zip(types[0].shape[2:], results[0].shape[2:], strict=True)
    }
    return {factor if isinstance(factor, int) and factor in _EXACT else None for factor in found}


def _grid_sample(site: Site) -> ast.expr:
    """torch warns where align_corners is left out."""
    padding = site.attribute("padding") if site.value("padding") != "zeros" else None
    corners = site.attribute("align_corners")
    return call("F.grid_sample", *site.operands, padding_mode=padding, align_corners=corners)


RULES: Rules = {"resize": _resize, "grid_sample": _grid_sample}
