"""Shapes by pattern: `rearrange` (einops' notation) and `einsum` with named axes.

`rearrange` becomes reshape, transpose, reshape; only the steps that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlc import dims
from dlc.diagnostics import error
from dlc.dims import Dim, Size
from dlc.ir import Static
from dlc.passes import op_hints
from dlc.passes.builder import Builder
from dlc.passes.things import Tensor, Thing, describe
from dlc.spec import syntax
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.calls import Argument

Group = tuple[str, ...]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def rearrange(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    """`rearrange(x, "n (c h w) -> n c h w", h=7, w=7)`. Raises DlcError E0403."""
    from dlc.passes.messages import is_edge_tensor

    if len(given) < 2 or given[0].name or given[1].name:
        raise error(
            "E0306", "`rearrange` takes a tensor and a pattern", span, expected='rearrange(x, "n (h d) -> n h d", h=8)'
        )
    x = b.tensor(given[0].thing, given[0].span)
    left, right = _parse(_pattern(given[1]), given[1].span)
    if b.edges is not None and is_edge_tensor(b, x):
        left, right = [("edge ",), *left], [("edge ",), *right]
    sizes = _sizes(b, x, left, _keywords(given[2:]), given[1].span)
    _check_names(left, right, sizes, given[1].span)
    flat = [name for group in left for name in group]
    order = [name for group in right for name in group]
    if any(len(group) != 1 for group in left):
        x = _reshape(b, x, [sizes[name] for name in flat], span)
    if order != flat:
        axes = tuple(flat.index(name) for name in order)
        literal = syntax.ListLiteral(tuple(syntax.Constant(a) for a in axes))
        x = b.apply("transpose", [x], {"axes": Static(axes, literal)}, span)[0]
    if any(len(group) != 1 for group in right):
        x = _reshape(b, x, [_product([sizes[name] for name in group]) for group in right], span)
    return x


def _pattern(argument: Argument) -> str:
    if isinstance(argument.thing, Static) and isinstance(argument.thing.value, str):
        return argument.thing.value
    raise error("E0302", "the pattern must be a text", argument.span, found=describe(argument.thing))


def _keywords(given: Sequence[Argument]) -> dict[str, tuple[Static, Span]]:
    sizes: dict[str, tuple[Static, Span]] = {}
    for argument in given:
        thing = argument.thing
        if argument.name is None or not isinstance(thing, Static) or not isinstance(thing.value, int | Dim):
            raise error(
                "E0306",
                "after the pattern come sizes by name",
                argument.span,
                found=describe(thing),
                expected="name=size",
            )
        sizes[argument.name] = (thing, argument.span)
    return sizes


def _parse(pattern: str, span: Span) -> tuple[list[Group], list[Group]]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise error("E0403", "a pattern has two sides", span, found=pattern, expected='"n (h d) -> n h d"')
    return _groups(sides[0], pattern, span), _groups(sides[1], pattern, span)


def _groups(side: str, pattern: str, span: Span) -> list[Group]:
    groups: list[Group] = []
    rest = side.strip()
    while rest:
        match = re.match(r"\(\s*((?:[A-Za-z_]\w*\s*)*)\)\s*|([A-Za-z_]\w*|1)\s*", rest)
        if match is None:
            raise error(
                "E0403",
                "this pattern can't be read",
                span,
                found=f"{rest!r} in {pattern!r}",
                expected="names and (groups of names)",
            )
        if match[2] is not None:
            groups.append(() if match[2] == "1" else (match[2],))
        else:
            groups.append(tuple(match[1].split()))
        rest = rest[match.end() :]
    return groups


def _sizes(
    b: Builder, x: Tensor, left: list[Group], known: Mapping[str, tuple[Static, Span]], span: Span
) -> dict[str, Static]:
    shape = b.type_of(x).shape
    if len(shape) != len(left):
        raise error(
            "E0403",
            "the pattern's left side does not fit the tensor",
            span,
            found=f"{len(shape)} axes: {b.type_of(x)}",
            expected=f"{len(left)} axes",
        )
    sizes = {name: static for name, (static, _) in known.items()}
    for size, group in zip(shape, left, strict=True):
        _solve_group(size, group, sizes, span)
    unused = [name for name in known if all(name not in group for group in left)]
    if unused:
        raise error("E0403", f"`{unused[0]}` is not on the pattern's left side", known[unused[0]][1])
    return sizes


def _solve_group(size: Size, group: Group, sizes: dict[str, Static], span: Span) -> None:
    unknown = [name for name in group if name not in sizes]
    rest = dims.product([_size(sizes[name]) for name in group if name in sizes])
    if len(unknown) > 1:
        raise error(
            "E0403",
            f"({' '.join(group)}) has more than one unknown size",
            span,
            expected=f"`{unknown[0]}=...` or another",
        )
    if not unknown:
        if rest != size:
            raise error("E0403", f"({' '.join(group)}) does not fit", span, found=str(size), expected=str(rest))
        return
    quotient = dims.exact_divide(size, rest) if rest != 0 else None
    if quotient is None:
        raise error(
            "E0403",
            f"{size} is not divisible by {rest}",
            span,
            found=f"({' '.join(group)}) = {size}",
            expected=f"a multiple of {rest}",
            hint=op_hints.does_not_divide(_word(group, sizes), rest, size) if isinstance(rest, int) else None,
        )
    sizes[unknown[0]] = Static(quotient)


def _word(group: Group, sizes: Mapping[str, Static]) -> str:
    known = [name for name in group if name in sizes]
    return known[0] if len(known) == 1 else "(" + " ".join(known) + ")"


def _check_names(left: list[Group], right: list[Group], sizes: Mapping[str, Static], span: Span) -> None:
    names = sorted(name for group in left for name in group)
    others = sorted(name for group in right for name in group)
    if names != others or len(set(names)) != len(names):
        raise error(
            "E0403",
            "both sides of the pattern hold the same names, each once",
            span,
            found=f"{' '.join(names)} and {' '.join(others)}",
        )


def _reshape(b: Builder, x: Tensor, sizes: Sequence[Static], span: Span) -> Tensor:
    """Sizes without a source are marked by `none` in the attribute's source list."""
    source = syntax.ListLiteral(tuple(s.source or syntax.Constant(None) for s in sizes))
    shape = Static(tuple(s.value for s in sizes), source)
    return b.apply("reshape", [x], {"shape": shape}, span)[0]


def _product(sizes: Sequence[Static]) -> Static:
    if len(sizes) == 1:
        return sizes[0]
    return Static(dims.product([_size(s) for s in sizes]))


def _size(static: Static) -> Size:
    assert isinstance(static.value, int | Dim)
    return static.value


def einsum(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    """`einsum("n s, n s m -> n m", weights, memory)`: axes by name, one space between them. Raises DlcError E0404."""
    from dlc.passes.messages import is_edge_tensor

    if len(given) < 2 or any(a.name for a in given):
        raise error("E0306", "`einsum` takes a pattern and tensors", span, expected='einsum("n d, n s d -> n s", a, b)')
    at = 0 if isinstance(given[0].thing, Static) and isinstance(given[0].thing.value, str) else 1
    pattern = _pattern(given[at])
    operands = [b.tensor(a.thing, a.span) for i, a in enumerate(given) if i != at]
    sides = pattern.split("->")
    if len(sides) != 2:
        raise error(
            "E0404", "an einsum pattern says its result", given[at].span, found=pattern, expected='"n d, n s d -> n s"'
        )
    terms = [_axes(term) for term in sides[0].split(",")]
    result = _axes(sides[1])
    if len(terms) != len(operands):
        raise error(
            "E0404",
            "the pattern does not fit the operands",
            given[at].span,
            found=f"{len(operands)} tensors",
            expected=f"{len(terms)} terms",
        )
    if b.edges is not None:
        edges = [is_edge_tensor(b, operand) for operand in operands]
        terms = [["edge ", *t] if edge else t for t, edge in zip(terms, edges, strict=True)]
        result = ["edge ", *result] if any(edges) else result
    letters = _letters([name for term in [*terms, result] for name in term])
    text = ",".join("".join(letters[n] for n in term) for term in terms) + "->" + "".join(letters[n] for n in result)
    return b.apply("einsum", operands, {"pattern": Static(text, syntax.Constant(text))}, span)[0]


def _axes(term: str) -> list[str]:
    words = term.split()
    # "nsd" without spaces is numpy's notation: one letter an axis.
    return list(words[0]) if len(words) == 1 and words[0].isalpha() else words


def _letters(names: list[str]) -> dict[str, str]:
    """One letter per name: its own where it has one, else its first that is free."""
    letters: dict[str, str] = {name: name for name in names if len(name) == 1 and name in LETTERS}
    for name in names:
        if name not in letters:
            letters[name] = next(c for c in name + LETTERS if c in LETTERS and c not in letters.values())
    return letters
