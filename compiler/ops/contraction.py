"""Matrix products and Einstein sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.dims import Size, product
from dlc.ir import TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError
from dlc.ops.dtypes import require_number, require_same_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_operands
from dlc.ops.samples import floats, ints, sample
from dlc.ops.shapes import Shape, broadcast, show


def _infer_matmul(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    a, b = types
    require_number(types, "matmul's first operand")
    dtype = require_same_dtype(types, "matmul")
    for index, operand in enumerate(types):
        if operand.rank == 0:
            raise OpError("matmul needs operands with axes", found=str(operand), expected="[..., M, K]", operand=index)
    inner = b.shape[-2] if b.rank > 1 else b.shape[0]
    if a.shape[-1] != inner:
        place = "second last" if b.rank > 1 else "only"
        raise OpError(
            f"cannot multiply {show(a.shape)} by {show(b.shape)}: the last axis has {a.shape[-1]}, the {place} {inner}",
            found=show(b.shape),
            expected=f"[{a.shape[-1]}, N]" if b.rank > 1 else f"[{a.shape[-1]}]",
            operand=1,
        )
    rows: Shape = a.shape[-2:-1]
    columns: Shape = b.shape[-1:] if b.rank > 1 else ()
    return (TensorType(dtype, (*broadcast([a.shape[:-2], b.shape[:-2]]), *rows, *columns)),)


def _matmul(a: Any, b: Any) -> Any:
    return np.matmul(a, b)


def _length_matmul(types: Sequence[TensorType], attributes: Attributes) -> Size:
    return types[0].shape[-1]


def split_pattern(pattern: str) -> tuple[tuple[str, ...], str]:
    """The letters of each operand and of the result. Raises OpError where the pattern is malformed."""
    left, arrow, right = pattern.partition("->")
    terms = tuple(left.split(","))
    letters = "".join(terms) + right
    if not arrow or not all(letter.isascii() and letter.isalpha() for letter in letters):
        raise OpError(
            f"an einsum pattern is letters, commas and one arrow, not {pattern!r}", found=pattern, expected="ij,jk->ik"
        )
    for letter in right:
        if letter not in left:
            raise OpError(f"{letter} stands in the result of {pattern!r} and in no operand", found=pattern)
        if right.count(letter) > 1:
            raise OpError(f"{letter} stands twice in the result of {pattern!r}", found=pattern)
    return terms, right


def _bind(types: Sequence[TensorType], pattern: str) -> dict[str, Size]:
    """The size of each letter."""
    terms, _ = split_pattern(pattern)
    if len(terms) != len(types):
        raise OpError(f"{pattern!r} is for {len(terms)} operands, not {len(types)}", found=str(len(types)))
    sizes: dict[str, Size] = {}
    for index, (term, operand) in enumerate(zip(terms, types, strict=True)):
        if len(term) != operand.rank:
            raise OpError(
                f"{term!r} names {len(term)} axes; operand {index + 1} is {operand}",
                found=str(operand),
                expected=f"{len(term)} axes",
                operand=index,
            )
        for letter, size in zip(term, operand.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise OpError(
                    f"{letter} of {pattern!r} is {sizes[letter]} and {size}: operands "
                    + " and ".join(show(item.shape) for item in types),
                    found=str(size),
                    expected=str(sizes[letter]),
                    operand=index,
                )
    return sizes


def _infer_einsum(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
    pattern: str = attributes["pattern"]
    require_number(types, "einsum's first operand")
    dtype = require_same_dtype(types, "einsum")
    sizes = _bind(types, pattern)
    return (TensorType(dtype, tuple(sizes[letter] for letter in split_pattern(pattern)[1])),)


def _length_einsum(types: Sequence[TensorType], attributes: Attributes) -> Size:
    pattern: str = attributes["pattern"]
    result = split_pattern(pattern)[1]
    return product([size for letter, size in _bind(types, pattern).items() if letter not in result])


def _complete_einsum(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    return {"pattern": attributes["pattern"].replace(" ", "")}


def _einsum(operands: Sequence[Any], attributes: Attributes) -> tuple[Any, ...]:
    with np.errstate(all="ignore"):
        return (np.asarray(np.einsum(attributes["pattern"], *operands, optimize=True)),)


OPS: tuple[Op, ...] = (
    Op(
        "matmul",
        ("a", "b"),
        (),
        _infer_matmul,
        of_operands(_matmul),
        (
            sample(floats(2, 3), floats(3, 4)),
            sample(floats(5, 2, 3), floats(3, 4), name="batch by matrix"),
            sample(floats(5, 1, 2, 3), floats(4, 3, 2), name="batches broadcast"),
            sample(floats(3), floats(3), name="vectors"),
            sample(floats(2, 3), floats(3), name="matrix by vector"),
            sample(floats(3), floats(5, 3, 2), name="vector by batch"),
            sample(floats(1, 1), floats(1, 1), name="size 1"),
            sample(floats(2, 0), floats(0, 3), name="empty"),
            sample(ints(-3, 4, 2, 3), ints(-3, 4, 3, 2), name="ints"),
        ),
        "Sums over the last axis of a and the second last of b; leading axes broadcast; a vector is a row on the left, "
        "a column on the right. numpy.matmul.",
        promotion="common",
        reduction=_length_matmul,
    ),
    Op(
        "einsum",
        ("*operands",),
        (AttributeSpec("pattern", "str"),),
        _infer_einsum,
        _einsum,
        (
            sample(floats(2, 3), floats(2, 4, 3), pattern="nd,nsd->ns"),
            sample(floats(2, 3), floats(3, 4), pattern="ij,jk->ik", name="matmul"),
            sample(floats(2, 3), pattern="ij->ji", name="transpose"),
            sample(floats(2, 3), pattern="ij->", name="sum"),
            sample(floats(3), floats(4), pattern="i,j->ij", name="outer"),
            sample(floats(2, 3, 4), floats(2, 5, 4), floats(5, 6), pattern="bik,bjk,jm->bim", name="three"),
            sample(floats(3, 3), pattern="ii->i", name="diagonal"),
            sample(floats(2, 3), floats(4), pattern="ij,k->j", name="sums alone"),
            sample(ints(-3, 4, 2, 3), ints(-3, 4, 3), pattern="ij,j->i", name="ints"),
        ),
        "The sum over all letters that the result lacks of the product of the operands. numpy.einsum with an arrow; "
        "a size 1 does not broadcast.",
        promotion="common",
        reduction=_length_einsum,
        complete=_complete_einsum,
    ),
)
