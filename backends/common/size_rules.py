"""How each op passes on where sizes come from: source expressions of its result's axes.

`RULES` has the ops whose axes are not those of elementwise ops (`broadcast`). Expressions are over the module's
hyperparameters and dimensions; None is what is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import cast

from dlc.backends.common.evaluate import Unknown, evaluate, free_names
from dlc.dims import Size, product
from dlc.ir import Equation
from dlc.spec.syntax import Binary, Conditional, Constant, Expr, ListLiteral, Name, Unary

Axes = tuple[Expr | None, ...]
Shape = tuple[Size, ...]
Rule = Callable[[Equation, Sequence[Axes], Sequence[Shape], Shape], Axes]


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


def _spatial(rule: Rule) -> Rule:
    """In the spec's order of axes: a backend may have marked data as `[N, *S, C]`, weights as `[*K, I, O]`."""

    def apply(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
        marks = {name for name, _ in equation.attributes}
        data, *weights = operands
        if "channels_last" in marks:
            data = (data[0], data[-1], *data[1:-1])
        if "kernel" in marks:
            weights = [(axes[-1], axes[-2], *axes[:-2]) for axes in weights]
        found = rule(equation, [data, *weights], sizes, shape)
        return (found[0], *found[2:], found[1]) if "channels_last" in marks else found

    return apply


def _conv(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    places = [_window(equation, operands[0][i + 2], operands[1][i + 2], i) for i in range(len(shape) - 2)]
    return (operands[0][0], operands[1][0], *places)


def _conv_transpose(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    places = [_adjoint(equation, operands[0][i + 2], operands[1][i + 2], i) for i in range(len(shape) - 2)]
    return (operands[0][0], operands[1][1], *places)


def _pool(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    kernels = [_entry(equation, "kernel", i) for i in range(len(shape) - 2)]
    places = [_window(equation, operands[0][i + 2], kernel, i) for i, kernel in enumerate(kernels)]
    return (*operands[0][:2], *places)


def _entry(equation: Equation, name: str, axis: int) -> Expr | None:
    """The source of an attribute that is a number, or one per spatial axis; a plain number if it has none."""
    if name not in (word for word, _ in equation.attributes):
        return Constant(1 if name in ("stride", "dilation") else 0)
    static = equation.static(name)
    if isinstance(static.value, tuple):
        value = cast("tuple[object, ...]", static.value)[axis]
        source = static.source.items[axis] if isinstance(static.source, ListLiteral) else None
    else:
        value, source = static.value, static.source
    return source or (Constant(value) if isinstance(value, int) else None)


def _border(equation: Equation, axis: int) -> Expr | None:
    """Both ends' padding together."""
    match _entry(equation, "padding", axis):
        case ListLiteral((low, high)):
            return _times(Constant(2), low) if low == high else _plus(low, high)
        case None:
            return None
        case both:
            return _times(Constant(2), both)


def _window(equation: Equation, size: Expr | None, kernel: Expr | None, axis: int) -> Expr | None:
    """(size + 2 padding - dilation (kernel - 1) - 1) // stride + 1, as far as it can be worked out."""
    stride, dilation = (_entry(equation, word, axis) for word in ("stride", "dilation"))
    given = [size, kernel, stride, _border(equation, axis), dilation]
    if any(one is None for one in given):
        return None
    s, k, t, p, d = (cast(Expr, one) for one in given)
    reach = _minus(_plus(s, p), _times(d, _minus(k, Constant(1))))
    return _plus(_over(_minus(reach, Constant(1)), t), Constant(1))


def _adjoint(equation: Equation, size: Expr | None, kernel: Expr | None, axis: int) -> Expr | None:
    """(size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1."""
    stride, dilation, extra = (_entry(equation, word, axis) for word in ("stride", "dilation", "output_padding"))
    given = [size, kernel, stride, _border(equation, axis), dilation, extra]
    if any(one is None for one in given):
        return None
    s, k, t, p, d, o = (cast(Expr, one) for one in given)
    grown = _plus(_minus(_times(_minus(s, Constant(1)), t), p), _times(d, _minus(k, Constant(1))))
    return _plus(_plus(grown, o), Constant(1))


def _plus(a: Expr, b: Expr) -> Expr:
    return simplified(Binary("+", a, b))


def _minus(a: Expr, b: Expr) -> Expr:
    return simplified(Binary("-", a, b))


def _times(a: Expr, b: Expr) -> Expr:
    return simplified(Binary("*", a, b))


def _over(a: Expr, b: Expr) -> Expr:
    return simplified(Binary("//", a, b))


def simplified(node: Expr) -> Expr:
    """Arithmetic on numbers done, `a + 0`, `a * 1`, `a // 1` as a, and `(a + 1) - 2` as `a - 1`."""
    if isinstance(node, Conditional):
        return _chosen(node)
    if not isinstance(node, Binary):
        return node
    left, right = simplified(node.left), simplified(node.right)
    a, b = (one.value if isinstance(one, Constant) and type(one.value) is int else None for one in (left, right))
    if a is not None and b is not None and node.op in _NUMBERS and not (node.op == "//" and b == 0):
        return Constant(_NUMBERS[node.op](a, b))
    if (node.op in ("+", "-") and b == 0) or (node.op in ("*", "//") and b == 1):
        return left
    if (node.op == "+" and a == 0) or (node.op == "*" and a == 1):
        return right
    if node.op in ("+", "-") and b is not None and isinstance(left, Binary) and left.op in ("+", "-"):
        inner = left.right.value if isinstance(left.right, Constant) else None
        if type(inner) is int:
            total = (inner if left.op == "+" else -inner) + (b if node.op == "+" else -b)
            return simplified(Binary("+" if total >= 0 else "-", left.left, Constant(abs(total))))
    return Binary(node.op, left, right)


def _chosen(node: Conditional) -> Expr:
    """The arm that is taken, where the test reads no names."""
    if free_names(node.test):
        return node
    try:
        return simplified(node.body if evaluate(node.test, {}) else node.orelse)
    except Unknown:
        return node


_NUMBERS: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
}


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
        out[missing[0]] = whole if others is None else _divided_by(whole, others)
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


def product_source(factors: Sequence[Expr | None]) -> Expr | None:
    """The product, with numbers multiplied and `a * (b // a)`, which a reshape made, as `b`. None if one is unknown."""
    known = [factor for factor in factors if factor is not None]
    if len(known) != len(factors):
        return None
    rest = [one for factor in known for one in _factors(factor)]
    for quotient in tuple(rest):
        if isinstance(quotient, Binary) and quotient.op == "//" and quotient.right in rest:
            rest.remove(quotient)
            rest.remove(quotient.right)
            rest += _factors(quotient.left)
    return _multiplied(rest)


def _factors(product_: Expr) -> list[Expr]:
    match product_:
        case Binary("*", left, right):
            return [*_factors(left), *_factors(right)]
        case _:
            return [product_]


def _multiplied(factors: Sequence[Expr]) -> Expr:
    """Numbers as one, before a lone name and behind anything else."""
    number = 1
    others: list[Expr] = []
    for factor in factors:
        if isinstance(factor, Constant) and isinstance(factor.value, int):
            number *= factor.value
        else:
            others.append(factor)
    if len(others) == 1 and number != 1:
        return Binary("*", Constant(number), others[0])
    total: Expr | None = None
    for factor in (*others, Constant(number)) if number != 1 or not others else others:
        total = factor if total is None else Binary("*", total, factor)
    assert total is not None
    return total


def _divided_by(whole: Expr, part: Expr) -> Expr:
    """An exact quotient: common factors go."""
    if isinstance(whole, Constant) and isinstance(part, Constant):
        return Constant(cast(int, whole.value) // cast(int, part.value))
    above, below = _factors(whole), [factor for factor in _factors(part) if factor != Constant(1)]
    for factor in tuple(below):
        if factor in above:
            above.remove(factor)
            below.remove(factor)
    if not below:
        return _multiplied(above or [Constant(1)])
    return Binary("//", _multiplied(above or [Constant(1)]), _multiplied(below))


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


def _split(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    place = cast(int, equation.attribute("axis")) % len(shape)
    parts = equation.attribute("parts")
    out = list(operands[0])
    whole = out[place]
    out[place] = _divided(whole, parts) if isinstance(parts, int) and whole is not None else None
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
    "conv": _spatial(_conv),
    "conv_transpose": _spatial(_conv_transpose),
    "max_pool": _spatial(_pool),
    "avg_pool": _spatial(_pool),
    "matmul": _matmul,
    "einsum": _einsum,
    "transpose": _transpose,
    **dict.fromkeys(
        ("sum", "mean", "max", "min", "prod", "any", "all", "variance", "argmax", "argmin", "logsumexp"), _reduce
    ),
    "broadcast_to": _listed,
    "constant": _listed,
    "split": _split,
    "slice": _slice,
    "gather": _gather,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "one_hot": _one_hot,
}
