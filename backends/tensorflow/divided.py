"""Sizes that a reshape leaves open, as code: `dim // self.heads` where an axis of size `dim` is split in `heads` parts,
`dim` where axes become one of this size.

The compiler works such a size out; as a plain number it would bind a class to the sizes that it was compiled for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from dlc.backends.common.quote import literal, quote
from dlc.backends.common.rule import Site
from dlc.backends.tensorflow.rules.code import is_size
from dlc.dims import Size
from dlc.spec.record import replace

#: The code of a dimension of the spec that an axis is in every merged module, if there is one: of the site's operand
#: (0) or result (1).
Dimension = Callable[[Site, int, int], ast.expr | None]


def divided(site: Site, dimension: Dimension) -> Site:
    """The reshape with the one size that is worked out as a quotient or dimension; -1 where the spec has no such."""
    node = site.attribute("shape")
    split, merged = _split(site), _merged(site)
    if not isinstance(node, ast.Tuple):
        return site
    if split is not None:
        place, code = _quotient(site, node, split, dimension)
    elif merged is not None and _is_number(node.elts[merged]):
        place, code = merged, dimension(site, 1, merged)
        if code is None and any(map(is_size, node.elts)):
            return site  # with -1 beside a run-time size Keras would not know the axis, which layers are built for
    else:
        return site
    items = [(code or literal(-1)) if index == place else item for index, item in enumerate(node.elts)]
    return replace(site, attributes={**site.attributes, "shape": ast.Tuple(items, ast.Load())})


def _quotient(
    site: Site, node: ast.Tuple, split: tuple[int, int], dimension: Dimension
) -> tuple[int | None, ast.expr | None]:
    """Which size is worked out, and its code."""
    parts = range(split[0], split[1] + 1)
    derived = site.derived.get("shape", ())
    chosen = [place for place in parts if place < len(derived) and derived[place]]
    if len(chosen) != 1:
        chosen = [place for place in parts if _is_number(node.elts[place])]
    if len(chosen) != 1:
        return None, None
    code = dimension(site, 0, split[0])
    if code is not None:
        first, *others = [node.elts[place] for place in parts if place != chosen[0]]
        for other in others:
            first = quote("$a * $b", a=first, b=other)
        code = quote("$whole // $product", whole=code, product=first)
    return chosen[0], code


def _is_number(code: ast.expr) -> bool:
    return isinstance(code, ast.Constant) and code.value not in (0, 1)


def _split(site: Site) -> tuple[int, int] | None:
    """Axes first..last of the result that were one axis, in every merged module."""
    found = {_places(before[0].shape, after[0].shape) for before, after in site.everywhere}
    return found.pop() if len(found) == 1 else None


def _merged(site: Site) -> int | None:
    """The axis of the result that was several, in every merged module."""
    found = {_places(after[0].shape, before[0].shape) for before, after in site.everywhere}
    places = found.pop() if len(found) == 1 else None
    return None if places is None else places[0]


def _places(before: Sequence[Size], after: Sequence[Size]) -> tuple[int, int] | None:
    extra = len(after) - len(before)
    if extra < 1:
        return None
    for axis in range(len(before)):
        if before[:axis] == after[:axis] and before[axis + 1 :] == after[axis + 1 + extra :]:
            return axis, axis + extra
    return None
