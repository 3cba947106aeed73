"""Sizes that a reshape leaves open, as code: `dim // self.heads` where an axis of size `dim` is split in `heads` parts.

The compiler works such a size out; as a plain number it would bind a class to the sizes that it was compiled for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from dlc.backends.common.quote import literal, quote
from dlc.backends.common.rule import Site
from dlc.dims import Size
from dlc.spec.record import replace

#: The code of a dimension of the spec that an axis of the site's operand is in every merged module, if there is one.
Dimension = Callable[[Site, int], ast.expr | None]


def divided(site: Site, dimension: Dimension) -> Site:
    """The reshape with the one size that is worked out, of those that an axis is split into, as a quotient.

    Where the axis is no dimension of the spec, it is -1.
    """
    node = site.attribute("shape")
    split = _split(site)
    if split is None or not isinstance(node, ast.Tuple):
        return site
    parts = range(split[0], split[1] + 1)
    derived = site.derived.get("shape", ())
    chosen = [place for place in parts if place < len(derived) and derived[place]]
    if len(chosen) != 1:
        chosen = [place for place in parts if _is_number(node.elts[place])]
    if len(chosen) != 1:
        return site
    whole = dimension(site, split[0])
    code: ast.expr = literal(-1)
    if whole is not None:
        others = [node.elts[place] for place in parts if place != chosen[0]]
        product = others[0]
        for other in others[1:]:
            product = quote("$a * $b", a=product, b=other)
        code = quote("$whole // $product", whole=whole, product=product)
    items = [code if place == chosen[0] else item for place, item in enumerate(node.elts)]
    return replace(site, attributes={**site.attributes, "shape": ast.Tuple(items, ast.Load())})


def _is_number(code: ast.expr) -> bool:
    return isinstance(code, ast.Constant) and code.value not in (0, 1)


def _split(site: Site) -> tuple[int, int] | None:
    """Axes first..last of the result that were one axis, in every merged module."""
    found = {_places(before[0].shape, after[0].shape) for before, after in site.everywhere}
    return found.pop() if len(found) == 1 else None


def _places(before: Sequence[Size], after: Sequence[Size]) -> tuple[int, int] | None:
    extra = len(after) - len(before)
    if extra < 1:
        return None
    for axis in range(len(before)):
        if before[:axis] == after[:axis] and before[axis + 1 :] == after[axis + 1 + extra :]:
            return axis, axis + extra
    return None
