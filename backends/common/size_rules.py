"""How each op passes on where sizes come from: source expressions of its result's axes.

`RULES` has the ops whose axes are not those of elementwise ops (`broadcast`). Expressions are over the module's
hyperparameters and dimensions; None is what is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import cast

from dlc.backends.common.evaluate import free_names
from dlc.backends.common.size_arithmetic import divided_by, product_source
from dlc.backends.common.size_rule import Axes, Rule, Shape
from dlc.backends.common.size_windows import conv, conv_transpose, pool, spatial
from dlc.dims import product
from dlc.ir import Equation
from dlc.spec.syntax import Binary, Constant, Expr, ListLiteral, Name, Unary


def broadcast(operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    """Elementwise and alike: axes from the right, from the first operand of that size that knows."""
    out: list[Expr | None] = []
    for back in range(len(shape), 0, -1):
        found = None
        for axes, size in zip(operands, sizes, strict=True):
            if len(axes) == len(size) >= back and size[-back] == shape[-back]:
                found = found or axes[-back]
        out.append(found)
    return tuple(out)


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
    """The items of a shape's source, as far as it is a list (or a sum that starts with one) of names in scope."""
    known: tuple[Expr, ...] = ()
    match equation.static("shape").source:
        case ListLiteral(items) if len(items) == len(shape):
            known = items
        case Binary("+", ListLiteral(items), _) if len(items) <= len(shape):
            known = items
        case _:
            pass
    found: list[Expr | None] = []
    for item in known:
        unknown = item in (Constant(None), Name("")) or item == Constant(-1) or item == Unary("-", Constant(1))
        local = scope is not None and not unknown and not set(free_names(item)) <= scope
        found.append(None if unknown or local else item)
    return (*found, *(None,) * (len(shape) - len(found)))


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
    equation: Equation,
    operands: Sequence[Axes],
    sizes: Sequence[Shape],
    shape: Shape,
    counted: Callable[[Sequence[int]], Expr | None],
) -> Axes:
    """Sizes along the axis are added up; alike ones in a row are multiplied. `counted` has the number of operands (by
    their places) as the spec writes it, where a loop made them."""
    place = cast(int, equation.attribute("axis")) % len(shape)
    out = list(broadcast(operands, sizes, shape))
    total: Expr | None = None
    for term, group in groupby(range(len(operands)), key=lambda number: operands[number][place]):
        numbers = list(group)
        count = counted(numbers) or Constant(len(numbers))
        part = term if len(numbers) == 1 or term is None else product_source([count, term])
        if part is None:
            total = None
            break
        total = part if total is None else Binary("+", total, part)
    out[place] = total
    return tuple(out)


def stack(
    equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape, count: Expr | None
) -> Axes:
    """The operands' axes and a new one, whose size is their number: `count` as the spec writes it, where it does."""
    place = cast(int, equation.attribute("axis")) % len(shape)
    inner = broadcast(operands, sizes, (*shape[:place], *shape[place + 1 :]))
    return (*inner[:place], Constant(len(operands)) if count is None else count, *inner[place:])


def split(equation: Equation, operands: Sequence[Axes], shape: Shape, number: int) -> Axes:
    """The axes of one part: equal ones have a share of the whole, others what the list of sizes says."""
    place = cast(int, equation.attribute("axis")) % len(shape)
    parts = equation.static("parts")
    out = list(operands[0])
    whole = out[place]
    if isinstance(parts.value, int):
        out[place] = None if whole is None else _divided(whole, parts.value)
    else:
        listed = parts.source
        known = isinstance(listed, ListLiteral) and len(listed.items) == len(equation.outputs)
        out[place] = listed.items[number] if known and isinstance(listed, ListLiteral) else None
    return tuple(out)


def _divided(whole: Expr, parts: int) -> Expr:
    """`(4 * hidden) / 4` is `hidden`."""
    match whole:
        case Binary("*", Constant(value), rest) | Binary("*", rest, Constant(value)) if value == parts:
            return rest
        case _:
            return Binary("//", whole, Constant(parts))


def _slice(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    items = cast("tuple[tuple[object, ...], ...]", equation.attribute("items"))
    pairs = zip(items, operands[0], strict=False)
    return tuple(axis if item[1:] == (None, None, 1) else None for item, axis in pairs if item[0] != "index")


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
