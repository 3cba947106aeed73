"""Gradients of matrix products and Einstein sums."""

from __future__ import annotations

from dlc.dims import Size, product
from dlc.ops.contraction import split_pattern
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients, Value
from dlc.ops.gradients.shaping import expanded, spread, summed_to, swapped


def _matmul(b: Builder, use: Applied) -> Cotangents:
    """Of matrices: g @ right.T and left.T @ g. A vector is a matrix of one row (left) or one column (right)."""
    left, right = use.operands
    g = use.cotangent
    if len(right.shape) == 1:
        g = b("expand_dims", g, axis=-1)
    if len(left.shape) == 1:
        g = b("expand_dims", g, axis=-2)
    a = b("expand_dims", left, axis=0) if len(left.shape) == 1 else left
    c = b("expand_dims", right, axis=1) if len(right.shape) == 1 else right
    to_a = summed_to(b, b("matmul", g, swapped(b, c)), a.shape)
    to_c = _right(b, a, c, g)
    to_left = b("squeeze", to_a, axis=0) if len(left.shape) == 1 else to_a
    return to_left, b("squeeze", to_c, axis=1) if len(right.shape) == 1 else to_c


def _right(b: Builder, a: Value, c: Value, g: Value) -> Value:
    """left.T @ g, summed over batches. One matrix for all batches: one product over all rows of all batches."""
    if len(c.shape) > 2 or len(a.shape) == 2:
        return summed_to(b, b("matmul", swapped(b, a), g), c.shape)
    rows = product(a.shape[:-1])
    a = b("reshape", a, shape=(rows, a.shape[-1]))
    return b("matmul", swapped(b, a), b("reshape", g, shape=(rows, g.shape[-1])))


# --- einsum ----------------------------------------------------------------------------------------------------


def _einsum(b: Builder, use: Applied) -> Cotangents:
    """For each operand, the Einstein sum of what comes back and the other operands, over its letters.

    A letter that stands in this operand alone was summed: it is broadcast back. One that stands twice in it was a
    diagonal: zeros are put around it.
    """
    terms, right = split_pattern(use.attributes["pattern"])
    found: list[Value] = []
    for place, (term, operand) in enumerate(zip(terms, use.operands, strict=True)):
        others = [i for i in range(len(terms)) if i != place]
        known = right + "".join(terms[i] for i in others)
        letters = "".join(dict.fromkeys(term))
        here = "".join(letter for letter in letters if letter in known)
        pattern = f"{','.join([right, *(terms[i] for i in others)])}->{here}"
        g = use.cotangent
        if others or right != here:
            g = b("einsum", g, *(use.operands[i] for i in others), pattern=pattern)
        sizes = dict(zip(term, operand.shape, strict=True))
        found.append(_diagonals(b, _with_letters(b, g, here, letters, sizes), term))
    return tuple(found)


def _with_letters(b: Builder, g: Value, here: str, letters: str, sizes: dict[str, Size]) -> Value:
    """From axes `here` to axes `letters`, in the same order: the others are broadcast."""
    g = expanded(b, g, [axis for axis, letter in enumerate(letters) if letter not in here])
    return spread(b, g, tuple(sizes[letter] for letter in letters))


def _diagonals(b: Builder, g: Value, term: str) -> Value:
    """From one axis per letter to axes `term`, where a letter may stand again: the values on that diagonal, else 0."""
    for axis, letter in enumerate(term):
        first = term.index(letter)
        if first == axis:
            continue
        g = b("expand_dims", g, axis=axis)
        along = b("arange", start=0, stop=g.shape[first])
        rank = len(g.shape)
        down, across = _trailing(b, along, rank - first - 1), _trailing(b, along, rank - axis - 1)
        g = b("where", b("equal", down, across), g, 0)
    return g


def _trailing(b: Builder, vector: Value, count: int) -> Value:
    """With `count` axes of size 1 after its own."""
    return expanded(b, vector, range(1, count + 1))


GRADIENTS: Gradients = {
    "matmul": _matmul,
    "einsum": _einsum,
}
