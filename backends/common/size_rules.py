"""How each op passes on where sizes come from: source expressions of its result's axes.

`RULES` has the ops whose axes are not those of elementwise ops (`broadcast`). Expressions are over the module's
hyperparameters and dimensions; None is what is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import cast

from dlc.backends.common.evaluate import free_names
from dlc.backends.common.size_arithmetic import divided_by, minus, plus, product_source
from dlc.backends.common.size_leaving import Joined
from dlc.backends.common.size_rule import Axes, Rule, Shape
from dlc.backends.common.size_windows import conv, conv_transpose, pool, spatial
from dlc.dims import product
from dlc.ir import Equation
from dlc.spec.syntax import Binary, Comprehension, Constant, Expr, ListLiteral, Name, Unary

#: What a constant without a source has in a list of sources.
NO_SOURCE = Constant(None)


def broadcast(operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    """Elementwise and alike: axes from the right, from the first operand of that size that knows."""
    out: list[Expr | None] = []
    for back in range(len(shape), 0, -1):
        pairs = zip(operands, sizes, strict=True)
        known = [axes[-back] for axes, size in pairs if len(axes) == len(size) >= back and size[-back] == shape[-back]]
        out.append(_best([axis for axis in known if axis is not None]))
    return tuple(out)


def _best(axes: Sequence[Expr]) -> Expr | None:
    """The first; but `filters` rather than C: what an argument says holds where C is something else as well."""
    decided = (axis for axis in axes if not any(name[:1].isupper() for name in free_names(axis)))
    return next(decided, axes[0]) if axes and isinstance(axes[0], Name) else axes[0] if axes else None


def _matmul(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    left, right = operands
    tail: Axes = (*(left[-2:-1] if len(left) > 1 else ()), *(right[-1:] if len(right) > 1 else ()))
    batch = left[:-2] if len(left) >= len(right) else right[:-2]
    return (*batch, *tail)


def _einsum(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    before, after = str(equation.attribute("pattern")).split("->")
    known: dict[str, Expr | None] = {}
    for letters, axes in zip(before.split(","), operands, strict=False):
        for letter, axis in zip(letters, axes, strict=False):
            known[letter] = known.get(letter) or axis
    return tuple(known.get(letter) for letter in after)


def _transpose(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axes = equation.attribute("axes")
    order = tuple(reversed(range(len(shape)))) if axes is None else cast("tuple[int, ...]", axes)
    return tuple(operands[0][axis] for axis in order)


def _reduce(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = equation.attribute("axis")
    rank = len(sizes[0])
    listed = range(rank) if axis is None else cast("tuple[int, ...]", axis) if isinstance(axis, tuple) else (axis,)
    gone = {cast(int, one) % rank for one in listed}
    keep = bool(equation.attribute("keepdims"))
    kept = [(Constant(1) if i in gone else a) for i, a in enumerate(operands[0]) if keep or i not in gone]
    return tuple(kept)


def _listed(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    """Written sizes, else those of the operand's axis there."""
    before = operands[0] if operands else ()
    offset = len(shape) - len(before)
    out: list[Expr | None] = []
    for place, item in enumerate(written(equation, shape, None)):
        same = place >= offset and sizes[0][place - offset] == shape[place]
        out.append(item if item is not None or not same else before[place - offset])
    return tuple(out)


def reshape(given: Axes, before: Axes, old_shape: Shape, shape: Shape) -> Axes:
    """Written sizes; what is not written follows from the axes that a group of axes was made of."""
    out = list(given)
    for old, new in _groups(old_shape, shape):
        whole = product_source([before[place] for place in old])
        missing = [place for place in new if out[place] is None]
        if whole is None or len(missing) != 1:
            continue
        others = product_source([out[place] for place in new if out[place] is not None])
        out[missing[0]] = whole if others is None else divided_by(whole, others)
    return tuple(out)


def written(equation: Equation, shape: Shape, scope: set[str] | None) -> Axes:
    """The items of a shape's source, as far as it is a list of names in scope."""
    known = listed(equation.static("shape").source, len(shape)) or (NO_SOURCE,) * len(shape)
    found: list[Expr | None] = []
    for item in known:
        unknown = item in (NO_SOURCE, Name("")) or item == Constant(-1) or item == Unary("-", Constant(1))
        local = scope is not None and not unknown and not set(free_names(item)) <= scope
        found.append(None if unknown or local else item)
    return tuple(found)


def listed(source: Expr | None, count: int) -> tuple[Expr, ...] | None:
    """One source for each of so many items, NO_SOURCE where there is none: of `[C] + [1] * k`, the C and the ones."""
    match source:
        case ListLiteral(items) if len(items) == count:
            return items
        case Binary("*", ListLiteral((item,)), _) | Binary("*", _, ListLiteral((item,))):
            return (item,) * count
        case Comprehension(Constant() as item, _):
            return (item,) * count
        case Binary("+", ListLiteral(items), rest) if len(items) <= count:
            return (*items, *(listed(rest, count - len(items)) or (NO_SOURCE,) * (count - len(items))))
        case Binary("+", rest, ListLiteral(items)) if len(items) <= count:
            return (*(listed(rest, count - len(items)) or (NO_SOURCE,) * (count - len(items))), *items)
        case _:
            return None


def _groups(old: Shape, new: Shape) -> list[tuple[range, range]]:
    """The smallest runs of old and new axes that hold the same elements, from the left."""
    out: list[tuple[range, range]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        found = next(
            (
                (a, b)
                for total in range(2, len(old) - i + len(new) - j + 1)
                for a in range(1, min(total, len(old) - i + 1))
                for b in (total - a,)
                if b <= len(new) - j and product(old[i : i + a]) == product(new[j : j + b])
            ),
            None,
        )
        if found is None:
            return out
        out.append((range(i, i + found[0]), range(j, j + found[1])))
        i, j = i + found[0], j + found[1]
    return out


def concat(
    equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape, runs: Sequence[Joined]
) -> Axes:
    """Sizes along the axis are added up; alike ones in a row are multiplied."""
    place = cast(int, equation.attribute("axis")) % len(shape)
    out = list(broadcast(operands, sizes, shape))
    parts = [one.size(place) for one in runs]
    total: Expr | None = None
    for part, group in groupby(parts):
        count = len(list(group))
        term = part if count == 1 or part is None else product_source([Constant(count), part])
        if term is None:
            return (*out[:place], None, *out[place + 1 :])
        total = term if total is None else Binary("+", total, term)
    out[place] = total
    return tuple(out)


def stack(
    equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape, runs: Sequence[Joined]
) -> Axes:
    """The operands' axes and a new one, whose size is their number."""
    place = cast(int, equation.attribute("axis")) % len(shape)
    inner = broadcast(operands, sizes, (*shape[:place], *shape[place + 1 :]))
    counts = [one.count for one in runs]
    total: Expr | None = None
    for count in counts:
        if count is None:
            return (*inner[:place], None, *inner[place:])
        total = count if total is None else plus(total, count)
    return (*inner[:place], total, *inner[place:])


def split(equation: Equation, operands: Sequence[Axes], shape: Shape, number: int) -> Axes:
    """The axes of one part: equal ones have a share of the whole, others what the list of sizes says."""
    place = cast(int, equation.attribute("axis")) % len(shape)
    parts = equation.static("parts")
    out = list(operands[0])
    whole = out[place]
    if isinstance(parts.value, int):
        out[place] = None if whole is None else divided_by(whole, parts.source or Constant(parts.value))
    else:
        listed = parts.source
        known = isinstance(listed, ListLiteral) and len(listed.items) == len(equation.outputs)
        out[place] = listed.items[number] if known and isinstance(listed, ListLiteral) else None
    return tuple(out)


def _slice(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    items = cast("tuple[tuple[object, ...], ...]", equation.attribute("items"))
    listed = equation.static("items").source
    sources = listed.items if isinstance(listed, ListLiteral) else (None,) * len(items)
    entries = zip(items, sources, operands[0], strict=False)
    return tuple(_sliced(item, source, axis) for item, source, axis in entries if item[0] != "index")


def _sliced(item: tuple[object, ...], source: Expr | None, axis: Expr | None) -> Expr | None:
    """The size of `axis[start:stop]`; a negative bound counts from the end."""
    _, start, stop, step = item
    if (start, stop, step) == (None, None, 1):
        return axis
    if step != 1 or not isinstance(source, ListLiteral):
        return None
    first, last = source.items[1:3]
    if start is None or start == 0:
        return _back(axis, last)
    if first == NO_SOURCE or (stop is not None and (last == NO_SOURCE or is_negative(last))):
        return None
    if stop is not None:
        return None if is_negative(first) else minus(last, first)
    return _front(first) if is_negative(first) else None if axis is None else minus(axis, first)


def _back(axis: Expr | None, stop: Expr) -> Expr | None:
    if stop == NO_SOURCE:
        return None
    if not is_negative(stop):
        return stop
    return None if axis is None else minus(axis, _front(stop))


def is_negative(bound: Expr) -> bool:
    return isinstance(bound, Unary) and bound.op == "-"


def _front(bound: Expr) -> Expr:
    return cast(Unary, bound).operand


def _gather(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    place = cast(int, equation.attribute("axis")) % max(len(sizes[0]), 1)
    return (*operands[0][:place], *operands[1], *operands[0][place + 1 :])


def _expand_dims(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = equation.attribute("axis")
    new = {
        one % len(shape) for one in (cast("tuple[int, ...]", axis) if isinstance(axis, tuple) else (cast(int, axis),))
    }
    rest = iter(operands[0])
    return tuple(Constant(1) if place in new else next(rest) for place in range(len(shape)))


def _squeeze(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    axis = equation.attribute("axis")
    listed = cast("tuple[int, ...]", axis) if isinstance(axis, tuple) else (cast(int, axis),)
    gone = {one % len(sizes[0]) for one in listed}
    return tuple(entry for place, entry in enumerate(operands[0]) if place not in gone)


def _one_hot(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    return (*operands[0], equation.static("depth").source)


RULES: Mapping[str, Rule] = {
    "conv": spatial(conv),
    "conv_transpose": spatial(conv_transpose),
    "max_pool": spatial(pool),
    "avg_pool": spatial(pool),
    "matmul": _matmul,
    "einsum": _einsum,
    "transpose": _transpose,
    **dict.fromkeys(
        ("sum", "mean", "max", "min", "prod", "any", "all", "variance", "argmax", "argmin", "logsumexp"), _reduce
    ),
    "broadcast_to": _listed,
    "constant": _listed,
    "slice": _slice,
    "gather": _gather,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "one_hot": _one_hot,
}
