"""One expression for sources that differ in numbers alone, where a name in scope holds these numbers.

Entries of a list that a loop made are `width * 2**0`, `width * 2**1`: whoever goes over the list in a loop over `level`
says `width * 2**level`. What is found here is a guess; whoever asks evaluates it everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from dlc.backends.common.evaluate import Environment, Unknown, evaluate
from dlc.spec.record import names_of, replace
from dlc.spec.syntax import Constant, Expr, Name


def unified(sources: Sequence[Expr | None], names: Sequence[Environment]) -> Expr | None:
    """`names`: what is in scope at each source's place. None if there is no such expression."""
    if len(sources) < 2 or None in sources:
        return None
    return cast("Expr | None", _common(sources, names))


def _common(parts: Sequence[object], names: Sequence[Environment]) -> object | None:
    first = parts[0]
    if all(part == first for part in parts):
        return first
    if isinstance(first, tuple):
        rows = cast("Sequence[tuple[object, ...]]", parts)
        if any(len(row) != len(rows[0]) for row in rows):
            return None
        columns = [_common(column, names) for column in zip(*rows, strict=True)]
        return None if None in columns else tuple(columns)
    if any(not isinstance(part, Expr) for part in parts):
        return None
    return _rebuilt(cast("Sequence[Expr]", parts), names) or _named(cast("Sequence[Expr]", parts), names)


def _rebuilt(parts: Sequence[Expr], names: Sequence[Environment]) -> Expr | None:
    """The parts' own parts in common."""
    first = parts[0]
    if isinstance(first, Constant | Name) or any(type(part) is not type(first) for part in parts):
        return None
    fields: dict[str, object] = {}
    for name in names_of(first):
        if name != "span":
            found = _common([getattr(part, name) for part in parts], names)
            if found is None:
                return None
            fields[name] = found
    return replace(first, **fields)


def _named(parts: Sequence[Expr], names: Sequence[Environment]) -> Expr | None:
    """The innermost name that holds all the parts' numbers."""
    try:
        numbers = [evaluate(part, scope) for part, scope in zip(parts, names, strict=True)]
    except Unknown:
        return None
    if any(type(number) is not int for number in numbers):
        return None
    for name in reversed(tuple(names[0])):
        held = [scope.get(name) for scope in names]
        if name != "_" and all(type(one) is int and one == number for one, number in zip(held, numbers, strict=True)):
            return Name(name)
    return None
