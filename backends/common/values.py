"""Constants of merged modules: one `Value` that gives each module (and turn) its own constant.

Preferred: the source expression, if it gives every constant; else the constant itself, if it is the same everywhere;
else a name in scope that happens to hold it. `value_of` is the way back, which the proof uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from dlc import dims
from dlc.backends.common.evaluate import Environment, Unknown, evaluate, free_names
from dlc.backends.common.form import Extent, Formula, Items, Known, Runtime, Turns, Value
from dlc.backends.common.ranks import Rank
from dlc.backends.common.recurrences import Header, closed
from dlc.backends.common.rule import VARIES
from dlc.backends.common.unified import unified
from dlc.dims import Dim, Size
from dlc.ir import Home
from dlc.spec.syntax import Binary, Constant, Expr, ListLiteral, Name


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """The modules can't be merged this way."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A constant as one module has it at one place. `rank`: axes count modulo this, if it is an axis attribute."""

    value: object
    source: Expr | None
    names: Environment
    homes: tuple[Home, ...] = ()
    turns: tuple[int, ...] = ()
    rank: Rank = None
    #: Targets and iterable of each loop around.
    loops: tuple[Header, ...] = ()


def merge(seen: Sequence[Seen]) -> Value:
    """One Value for all. Raises Refused."""
    first = seen[0]
    for source in _sources(seen):
        if _gives(source, seen):
            return Formula(source) if free_names(source) else Known(_typed(evaluate(source, {}), first.value))
    if all(isinstance(one.value, tuple) for one in seen):
        return _items(seen)
    told = unified([one.source for one in seen], [one.names for one in seen])
    if told is not None and _gives(told, seen):
        return Formula(told)
    carried = next((source for source in closed(seen) if _gives(source, seen)), None)
    if carried is not None:
        return Formula(carried)
    told = _told_by_a_name(seen)
    if told is not None:
        return Formula(told)
    if not any(isinstance(one.value, Dim) for one in seen) and all(_equal(one.value, first.value) for one in seen):
        return Known(first.value, derived=all(one.source is None for one in seen))
    if isinstance(first.value, int | Dim) and not isinstance(first.value, bool):
        return _size(seen)
    raise Refused(f"constants differ: {first.value!r} and others")


def value_of(
    value: Value,
    names: Environment,
    homes: Sequence[Home],
    turns: tuple[int, ...],
    size: Callable[[str], object] | None = None,
) -> object:
    """The constant that a Value stands for; `size` gives those that an `Extent` reads. Raises Unknown."""
    match value:
        case Known(known):
            return known
        case Formula(source):
            return evaluate(source, names)
        case Runtime(symbolic):
            return _from_homes(symbolic, homes)
        case Items(items):
            return tuple(value_of(item, names, homes, turns, size) for item in items)
        case Turns(depth):
            return turns[depth]
        case Extent(source):
            if size is None:
                raise Unknown("sizes of variables are known at construction only")
            return evaluate(source, {**names, **{word: size(word) for word in free_names(source) if is_size(word)}})


def is_size(name: str) -> bool:
    """True for `x.1`, the size of an axis of what `x` stands for."""
    return "." in name


def agrees(found: object, wanted: object, rank: Rank) -> bool:
    """Equal constants: the same type and value, or an integer for a float; axes modulo the rank."""
    found = _typed(found, wanted)
    if rank is not None:
        found, wanted = _axis(found, rank), _axis(wanted, rank)
    return _equal(found, wanted)


def _typed(found: object, wanted: object) -> object:
    """A float for a whole number where a float is wanted: what the language promotes, Python does beside a tensor."""
    if isinstance(wanted, float) and type(found) is int and abs(found) < 2**53:
        return float(found)
    return found


def written(value: Value) -> object:
    """The plain value where it is written as a literal, else VARIES."""
    match value:
        case Known(known):
            return known
        case Items(items):
            return tuple(written(item) for item in items)
        case _:
            return VARIES


def home_symbol(home: Home) -> str:
    return f"{home.port}.{home.axis}"


def _sources(seen: Sequence[Seen]) -> list[Expr]:
    """The distinct sources; those of tuples are looked at item by item."""
    found: list[Expr] = []
    for one in seen:
        if one.source is not None and one.source not in found and not isinstance(one.source, ListLiteral):
            found.append(one.source)
    return found


def _gives(source: Expr, seen: Sequence[Seen]) -> bool:
    try:
        return all(agrees(evaluate(source, one.names), one.value, one.rank) for one in seen)
    except Unknown:
        return False


def _told_by_a_name(seen: Sequence[Seen]) -> Expr | None:
    """The longest source with a number in it replaced by a name in scope: `C + i * growth` for `C + 3 * growth`."""
    if len(seen) == 1 or not all(isinstance(one.value, int) for one in seen):
        return None
    best = max(seen, key=lambda one: cast(int, one.value))
    if best.source is None or not free_names(best.source):
        return None
    for form in (best.source, _with_factor(best.source)):
        for number, told in _told(form):
            for name, value in best.names.items():
                if value == number and type(value) is int and name != "_":
                    candidate = told(Name(name))
                    if _gives(candidate, seen):
                        return candidate
    return None


def _with_factor(source: Expr) -> Expr:
    """`a + 1 * b` for `a + b`."""
    match source:
        case Binary("+", left, right) if not isinstance(right, Binary):
            return Binary("+", left, Binary("*", Constant(1), right))
        case _:
            return source


def _told(source: Expr) -> Iterator[tuple[int, Callable[[Expr], Expr]]]:
    """The number of each product `3 * a`, last first, and the source with something else in its place."""
    match source:
        case Binary("*", Constant(int() as number), right):
            yield number, lambda new: Binary("*", new, right)
        case Binary(op, left, right):
            for number, told in _told(right):
                yield number, lambda new, told=told: Binary(op, left, told(new))
            for number, told in _told(left):
                yield number, lambda new, told=told: Binary(op, told(new), right)
        case _:
            return


def _items(seen: Sequence[Seen]) -> Value:
    tuples = [cast("tuple[object, ...]", one.value) for one in seen]
    if any(len(items) != len(tuples[0]) for items in tuples):
        raise Refused("lists of different lengths")
    items: list[Value] = []
    for position in range(len(tuples[0])):
        part = [
            Seen(
                values[position],
                _item_source(one, position),
                one.names,
                one.homes,
                one.turns,
                one.rank[position] if isinstance(one.rank, tuple) else one.rank,
                one.loops,
            )
            for one, values in zip(seen, tuples, strict=True)
        ]
        items.append(merge(part))
    if all(isinstance(item, Known) and not item.derived for item in items):
        return Known(tuple(item.value for item in items if isinstance(item, Known)))
    return Items(tuple(items))


def _item_source(one: Seen, position: int) -> Expr | None:
    if isinstance(one.source, ListLiteral) and len(one.source.items) == len(cast("tuple[object, ...]", one.value)):
        return one.source.items[position]
    return None


def _size(seen: Sequence[Seen]) -> Value:
    try:
        canonical = [to_homes(cast(Size, one.value), one.homes) for one in seen]
    except Unknown:
        canonical = []
    if canonical and all(size == canonical[0] for size in canonical):
        return Runtime(canonical[0])
    for depth in range(min(len(one.turns) for one in seen)):
        if all(one.turns[depth] == one.value for one in seen):
            return Turns(depth)
    for name in seen[0].names:
        if name != "_" and all(name in one.names and _equal(one.names[name], one.value) for one in seen):
            return Formula(Name(name))
    raise Refused(f"sizes differ: {', '.join(sorted({str(one.value) for one in seen}))}")


def to_homes(size: Size, homes: Sequence[Home]) -> Size:
    known = {home.symbol: dims.symbol(home_symbol(home)) for home in homes}
    if any(name not in known for name in dims.symbols(size)):
        raise Unknown("a size without a home")
    return dims.substitute(size, known)


def _from_homes(size: Size, homes: Sequence[Home]) -> Size:
    back = {home_symbol(home): dims.symbol(home.symbol) for home in homes}
    if any(name not in back for name in dims.symbols(size)):
        raise Unknown("a size without a home")
    return dims.substitute(size, back)


def _axis(value: object, rank: Rank) -> object:
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        if isinstance(rank, tuple):
            return tuple(_bounds(item, size) for item, size in zip(items, rank, strict=False))
        return tuple(_axis(item, rank) for item in items)
    if not isinstance(rank, int):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return value + rank
    return value


def _bounds(item: object, size: int | None) -> object:
    """An item of a slice, its bounds from the start: of a slice forwards, or of a position."""
    match item:
        case ("slice", start, stop, int() as step) if step > 0:
            return "slice", _axis(start, size), _axis(stop, size), step
        case ("index", place):
            return "index", _axis(place, size)
        case _:
            return item


def _equal(left: object, right: object) -> bool:
    """Equality that keeps 1, 1.0 and True apart, and -0.0 from 0.0."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        a, b = cast("tuple[object, ...]", left), cast("tuple[object, ...]", right)
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return (
        type(left) is type(right) and (left == right or (left != left and right != right)) and repr(left) == repr(right)
    )


NONE = Constant(None)
