"""Numbers that loops carry, in closed form: `done = done + depth` over `depths` is `sum(depths[:i])` in turn i.

A local constant is known by its source, which a loop makes longer each turn: `0`, `0 + depth`, `0 + depth + depth`. Two
turns' sources side by side tell where the number stands, what it starts from and what one turn does to it. What is
found here is a guess; whoever asks evaluates it in each turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from dlc.backends.common.evaluate import Environment, free_names
from dlc.spec.record import names_of, replace
from dlc.spec.syntax import Binary, Call, Clause, Comprehension, Constant, Expr, Index, Name, Slice

#: The targets and the iterable of a loop.
Header = tuple[tuple[str, ...], Expr]
Path = tuple[str | int, ...]


class Place(Protocol):
    """A constant in a turn of some loops (see `values.Seen`)."""

    @property
    def source(self) -> Expr | None: ...
    @property
    def names(self) -> Environment: ...
    @property
    def turns(self) -> tuple[int, ...]: ...
    @property
    def loops(self) -> tuple[Header, ...]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What one turn does: `op` with `operand`, `count` times."""

    op: str
    operand: Expr
    count: int


def closed(seen: Sequence[Place]) -> Iterator[Expr]:
    """The source of the first turn with each carried number replaced by its closed form: guesses, the likely first."""
    depth = min(len(one.turns) for one in seen)
    first = next((one for one in seen if not any(one.turns) and one.source is not None), None)
    if first is None or not depth or first.source is None:
        return
    steps: dict[Path, dict[int, Step]] = {}
    for level in range(depth):
        for path, step in _steps(seen, level):
            steps.setdefault(path, {})[level] = step
    for inner in (False, True) if steps else ():
        source: Expr | None = first.source
        for path in sorted(steps, key=len, reverse=True):
            form = _closed(cast(Expr, _at(first.source, path)), steps[path], first, seen, inner)
            source = None if form is None or source is None else cast(Expr, _put(source, path, form))
        if source is not None:
            yield source


def is_carried(old: Expr, new: Expr) -> bool:
    """True if the second turn's source is longer than the first one's, by what a turn does."""
    return any(_step(*parts) is not None for _, *parts in _differences(old, new, ()))


def _steps(seen: Sequence[Place], level: int) -> Iterator[tuple[Path, Step]]:
    """Where the source of a turn at this level is longer than that of the turn before it, and by what."""
    known = {one.turns: one.source for one in reversed(seen) if one.source is not None}
    for turns in sorted(known):
        after = (*turns[:level], turns[level] + 1, *turns[level + 1 :])
        if after not in known:
            continue
        for path, old, new in _differences(known[turns], known[after], ()):
            step = _step(old, new)
            if step is not None:
                yield path, step
        return


def _differences(old: object, new: object, path: Path) -> Iterator[tuple[Path, object, object]]:
    """The smallest parts that differ."""
    if old == new:
        return
    if _step(old, new) is None and type(old) is type(new) and _parts(old):
        mine, other = _parts(old), _parts(new)
        if mine.keys() == other.keys():
            for key, part in mine.items():
                yield from _differences(part, other[key], (*path, key))
            return
    yield path, old, new


def _step(old: object, new: object) -> Step | None:
    """How `new` comes from `old`, if it is `old + a + a`."""
    found: list[tuple[str, Expr]] = []
    while new != old:
        if not isinstance(new, Binary) or new.op not in ("+", "-", "*", "//"):
            return None
        found.append((new.op, new.right))
        new = new.left
    if not found or any(one != found[0] for one in found):
        return None
    return Step(*found[0], len(found))


def _parts(node: object) -> dict[str | int, object]:
    if isinstance(node, tuple):
        return dict(enumerate(cast("tuple[object, ...]", node)))
    return {name: getattr(node, name) for name in names_of(node) if name != "span"}


def _at(node: object, path: Path) -> object:
    for key in path:
        node = _parts(node)[key]
    return node


def _put(node: object, path: Path, new: object) -> object:
    if not path:
        return new
    key, rest = path[0], path[1:]
    changed = _put(_parts(node)[key], rest, new)
    if isinstance(node, tuple):
        items = cast("tuple[object, ...]", node)
        return (*items[: cast(int, key)], changed, *items[cast(int, key) + 1 :])
    return replace(node, **{cast(str, key): changed})


# --- closed forms ----------------------------------------------------------------------------------------------


def _closed(start: Expr, steps: dict[int, Step], first: Place, seen: Sequence[Place], inner: bool) -> Expr | None:
    """The number in any turn; None if it has none. `inner`: the turns of the inner loop do it, even if one."""
    out = start
    for level, step in steps.items():
        turn = turn_name(seen, level)
        if turn is None:
            return None
        amount = _amount(step, first.loops, level, turn, inner)
        if amount is None:
            return None
        out = _applied(out, step.op, amount)
    return out


def _applied(start: Expr, op: str, amount: Expr) -> Expr:
    """`start op amount`, or the amount alone where the start is nothing."""
    if (op, start) in (("+", Constant(0)), ("*", Constant(1))):
        return amount
    return Binary(op, start, amount)


def turn_name(seen: Sequence[Place], level: int) -> Expr | None:
    """A name that holds the number of the turn."""
    for word in seen[0].loops[level][0]:
        if all(word in one.names and one.names[word] == one.turns[level] for one in seen):
            return Name(word)
    return None


def _amount(step: Step, loops: tuple[Header, ...], level: int, turn: Expr, inner: bool) -> Expr | None:
    """What `turn` turns of a loop do together."""
    targets, iterable = loops[level]
    operand = step.operand
    if step.count > 1 or (inner and level + 1 < len(loops)):
        within = _length(loops[level + 1][1]) if level + 1 < len(loops) else None
        if within is None or step.op not in ("+", "-"):
            return None
        operand = within if operand == Constant(1) else Binary("*", within, operand)
    changing = [word for word in free_names(operand) if word in targets]
    if step.op in ("*", "//"):
        return None if changing else Binary("**", operand, turn)
    if not changing:
        return turn if operand == Constant(1) else Binary("*", turn, operand)
    if len(changing) > 1:
        return None
    items = _goes_over(targets, iterable, changing[0])
    if items is None:
        return None
    before = Index(items, (Slice(None, turn, None),))
    if operand == Name(changing[0]):
        return Call(Name("sum"), (before,), ())
    listed = Comprehension(operand, (Clause((changing[0],), before, ()),))
    return Call(Name("sum"), (listed,), ())


def _length(iterable: Expr) -> Expr | None:
    match iterable:
        case Call(Name("range"), (count,), ()):
            return count
        case Call(Name("enumerate"), (items,), ()):
            return Call(Name("len"), (items,), ())
        case _:
            return None


def _goes_over(targets: tuple[str, ...], iterable: Expr, target: str) -> Expr | None:
    """The list whose items a loop's variable stands for."""
    match iterable:
        case Call(Name("enumerate"), (items,), ()) if targets[1:] == (target,):
            return items
        case Call(Name("zip"), args, ()) if len(args) == len(targets):
            return args[targets.index(target)]
        case Name() | Index() if targets == (target,):
            return iterable
        case _:
            return None
