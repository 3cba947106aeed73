"""A shape that an op is given, item by item: what has no source of its own is told by the sizes of its operands.

`rearrange(x, "n (a i) c -> ...", i=window)` says nothing about `a`: it is `H // window` where `x` has the declared
`H`, and half of what `x` has here where a loop carries `x`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from dlc.backends.common import extents, values
from dlc.backends.common.context import Context
from dlc.backends.common.form import Items, Known, Value
from dlc.backends.common.merging import Merging
from dlc.backends.common.size_rules import listed
from dlc.ir import Content, Equation, Static
from dlc.spec.syntax import Expr, ListLiteral


def shape(
    merging: Merging,
    contexts: Sequence[Context],
    names: Sequence[Mapping[str, Content]],
    equations: Sequence[Equation],
    given: Sequence[Static],
) -> Value | None:
    """The attribute `shape` of a reshape and alike; None where it says all by itself. Raises Refused."""
    listed = [_items(static) for static in given]
    ranks = {len(items) for items in listed if items is not None}
    if None in listed or len(ranks) != 1:
        return None
    rows = [items for items in listed if items is not None]
    plain = all(isinstance(static.source, ListLiteral) for static in given)
    if plain and not any(item == values.NONE for items in rows for item in items):
        return None
    out: list[Value] = []
    for axis in range(ranks.pop()):
        parts = [
            Static(cast("tuple[object, ...]", static.value)[axis], items[axis])
            for static, items in zip(given, rows, strict=True)
        ]
        if any(part.source == values.NONE for part in parts):
            out.append(_size(merging, contexts, names, equations, axis))
        else:
            out.append(values.merge([context.seen(part) for context, part in zip(contexts, parts, strict=True)]))
    if all(isinstance(item, Known) and not item.derived for item in out):
        return Known(tuple(item.value for item in out if isinstance(item, Known)))
    return Items(tuple(out))


def _items(static: Static) -> tuple[Expr, ...] | None:
    """One source for each item, `values.NONE` where there is none; None if the shape is no list."""
    if not isinstance(static.value, tuple):
        return None
    count = len(cast("tuple[object, ...]", static.value))
    return (values.NONE,) * count if static.source is None else listed(static.source, count)


def _size(
    merging: Merging,
    contexts: Sequence[Context],
    names: Sequence[Mapping[str, Content]],
    equations: Sequence[Equation],
    axis: int,
) -> Value:
    results = [equation.outputs[0] for equation in equations]
    places = list(zip(contexts, results, strict=True))
    statics = [Static(c.module.types[value].shape[axis], merging.axis_source(c, value, axis)) for c, value in places]
    return extents.dimension(merging, contexts, names, statics, [(value, axis) for value in results])
