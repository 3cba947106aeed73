"""What a size that a turn of a loop made is outside of that turn, for any number of turns.

`x -> dense(width)` in `for width in widths` leaves `widths[-1]` behind; one list entry for each turn, side by side, are
`sum(widths)` wide. A source says what a size is in its own turn: its loop's variables mean nothing outside, and what
grows from turn to turn counts the turns of this one network. None is what has no such form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dlc.backends.common.evaluate import Unknown, free_names, substitute
from dlc.backends.common.frozen import names_behind
from dlc.backends.common.size_arithmetic import minus, plus, product_source
from dlc.backends.common.size_rule import Axes
from dlc.ir import Bind, Content, Equation, Frame, Loop, Module, Turn
from dlc.spec.syntax import Binary, Call, Clause, Comprehension, Constant, Expr, Index, Name, Unary

#: A size that a loop with any number of turns leaves.
OPEN = "?"
_LAST = Unary("-", Constant(1))


@dataclass(frozen=True, slots=True)
class Joined:
    """Operands side by side: their axes, and how many they are; one of a kind, or all that a loop's turns made."""

    axes: Axes
    count: Expr | None
    leaving: Leaving
    loop: int = -1

    def size(self, axis: int) -> Expr | None:
        """Along an axis, together."""
        source = self.axes[axis]
        return source if self.loop < 0 or source is None else self.leaving.together(source, self.loop)


@dataclass(slots=True)
class Leaving:
    """A module's values by the turn that made them."""

    module: Module
    frames: dict[int, tuple[Frame, ...]] = field(default_factory=dict[int, "tuple[Frame, ...]"])
    #: By loop: what each turn makes, in order, inner loops' turns included.
    made: dict[int, list[list[int]]] = field(default_factory=dict[int, "list[list[int]]"])
    places: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    #: What names stand for, and the entries of lists that names stand for.
    named: set[int] = field(default_factory=set[int])
    entries: set[int] = field(default_factory=set[int])

    #: Loops whose turns make different numbers of values.
    uneven: set[int] = field(default_factory=set[int])
    #: By loop and place in a turn: the values that all turns have there.
    rows: dict[tuple[int, int], Sequence[int]] = field(default_factory=dict[tuple[int, int], "Sequence[int]"])
    #: By the id of a source, which is kept: the names that it reads.
    read: dict[int, tuple[Expr, frozenset[str]]] = field(default_factory=dict[int, "tuple[Expr, frozenset[str]]"])

    @staticmethod
    def of(module: Module) -> Leaving:
        leaving = Leaving(module)
        for number, loop in enumerate(module.loops):
            leaving.made[number] = [[] for _ in loop.values]
        for equation in module.body if module.loops else ():
            if isinstance(equation.target, Bind):
                content = equation.target.content
                (leaving.entries if isinstance(content, tuple) else leaving.named).update(_values(content))
            for value in equation.outputs:
                leaving.frames[value] = equation.origin.frames
                for frame in equation.origin.frames:
                    if isinstance(frame, Turn):
                        turn = leaving.made[frame.loop][frame.index]
                        leaving.places[frame.loop, value] = len(turn)
                        turn.append(value)
        leaving.uneven = {number for number, turns in leaving.made.items() if len(set(map(len, turns))) > 1}
        return leaving

    def left(self, value: int, reader: tuple[Frame, ...]) -> list[Turn]:
        """The turns that made the value and that the reader does not stand in, the innermost first."""
        frames = self.frames.get(value, ())
        common = 0
        while common < min(len(frames), len(reader)) and frames[common] == reader[common]:
            common += 1
        return [frame for frame in reversed(frames[common:]) if isinstance(frame, Turn)]

    def axes(self, value: int, reader: tuple[Frame, ...], found: Sequence[Axes]) -> Axes:
        """The axes of a value as a reader outside of its turn sees them."""
        turns = self.left(value, reader)
        if not turns:
            return found[value]
        carried = self.is_carried(turns[-1], reader)
        return tuple(self._size(value, axis, turns, found, carried) for axis in range(len(found[value])))

    def compared(self, equation: Equation) -> Iterator[Sequence[int]]:
        """Values of all turns, by whose sizes it is told what an operand's are outside of its turn."""
        for value in equation.inputs if self.module.loops else ():
            turns = [] if value is None else self.left(value, equation.origin.frames)
            if (
                value is not None
                and turns
                and (len(turns) > 1 or not self.is_carried(turns[0], equation.origin.frames))
            ):
                yield self.alike(value, turns[0].loop) or ()

    def is_carried(self, turn: Turn, reader: tuple[Frame, ...]) -> bool:
        """Whether the reader stands in another turn of the same loop."""
        return any(isinstance(frame, Turn) and frame.loop == turn.loop for frame in reader)

    def _size(self, value: int, axis: int, turns: Sequence[Turn], found: Sequence[Axes], carried: bool) -> Expr | None:
        source = found[value][axis]
        for number, turn in enumerate(turns):
            if source is None:
                return None
            if carried and turn is turns[-1]:
                return None if self._mentions(source, turn.loop) else source
            source = self._outside(source, turn) if number else self._after(value, axis, turn, found)
        return source

    def _after(self, value: int, axis: int, turn: Turn, found: Sequence[Axes]) -> Expr | None:
        source = found[value][axis]
        if source is None or any("." in name or name == OPEN for name in self._names(source)):
            return source  # what a variable holds here, whoever made it (see `extents`)
        alike = self.alike(value, turn.loop) or [value]
        if all(found[one][axis] == source for one in reversed(alike)):  # the last are not known yet, mostly
            return self._outside(source, turn)
        if turn.index < len(alike) - 1:
            return source if not self._mentions(source, turn.loop) else None
        return self._grown([found[one][axis] for one in alike], turn.loop)

    def _names(self, source: Expr) -> frozenset[str]:
        """The names that a source reads. Sizes grow with the network, and are asked for at each use."""
        if id(source) not in self.read:
            self.read[id(source)] = (source, frozenset(free_names(source)))
        return self.read[id(source)][1]

    def _outside(self, source: Expr, turn: Turn) -> Expr | None:
        """The source with the loop's variables as they stand in that turn."""
        loop = self.module.loops[turn.loop]
        if not self._mentions(source, turn.loop):
            return source
        last = turn.index == len(loop.values) - 1
        try:
            return substitute(source, _held(loop, _LAST if last else Constant(turn.index)))
        except Unknown:
            return None

    def _mentions(self, source: Expr, loop: int) -> bool:
        return not self._names(source).isdisjoint(self.module.loops[loop].targets)

    def alike(self, value: int, loop: int) -> Sequence[int] | None:
        """The values that stand at this value's place in all turns; None where turns differ."""
        if loop in self.uneven:
            return None
        place = self.places[loop, value]
        if (loop, place) not in self.rows:
            self.rows[loop, place] = [turn[place] for turn in self.made[loop]]
        return self.rows[loop, place]

    def _grown(self, sources: Sequence[Expr | None], number: int) -> Expr | None:
        """A size that each turn makes larger by the same, or by what its variable says."""
        added = [_added(old, new) for old, new in pairwise(sources)]
        first, start = added[0], sources[0]
        if first is None or any(one != first for one in added) or not isinstance(start, Binary):
            return None
        if start.op != "+" or start.right != first:
            return None
        whole = self.together(first, number)
        return None if whole is None else plus(start.left, whole)

    def together(self, source: Expr, number: int) -> Expr | None:
        """What a size that each turn has makes over all turns."""
        loop = self.module.loops[number]
        if not self._mentions(source, number):
            count = length(loop.iterable)
            return None if count is None else product_source([count, source])
        items = _listed(loop, source)
        if items is not None:
            return Call(Name("sum"), (items,), ())
        listed = Comprehension(source, (Clause(loop.targets, loop.iterable, ()),))
        return Call(Name("sum"), (listed,), ())

    def joined(self, values: Sequence[int], reader: tuple[Frame, ...], found: Sequence[Axes]) -> list[Joined]:
        """Values side by side: what all turns of a loop made counts as many times as the loop has turns.

        Where a loop's entries are there in part, nobody knows how many others there might be.
        """
        out: list[Joined] = []
        place = 0
        while place < len(values):
            turns = self.left(values[place], reader)
            loop = turns[0].loop if turns else -1
            if not turns or self.is_carried(turns[-1], reader):
                out.append(Joined(self.axes(values[place], reader, found), Constant(1), self))
                place += 1
                continue
            alike = self.alike(values[place], loop)
            whole = alike is not None and list(values[place : place + len(alike)]) == alike
            if len(turns) == 1 and alike is not None and whole and self._is_listed(values[place], len(alike)):
                rows = [found[one] for one in alike]
                axes = tuple(column[0] if len(set(column)) == 1 else None for column in zip(*rows, strict=True))
                out.append(Joined(axes, length(self.module.loops[loop].iterable), self, loop))
                place += len(alike)
                continue
            if self._is_part(values[place], loop, values):
                out.append(Joined((None,) * len(found[values[place]]), None, self))
            else:
                out.append(Joined(self.axes(values[place], reader, found), Constant(1), self))
            place += 1
        return out

    def _is_listed(self, value: int, turns: int) -> bool:
        """Whether it stands here as an entry of a list: of one turn, a name might stand for it as well."""
        return turns > 1 or value not in self.named

    def _is_part(self, value: int, loop: int, values: Sequence[int]) -> bool:
        """Whether some turns' entries are here, and arguments decide on how many turns there are."""
        alike = self.alike(value, loop) or [value]
        several = len(alike) == 1 or any(one in alike for one in values if one != value)
        clear = len(alike) == 1 and value not in self.entries
        return several and not clear and bool(names_behind(self.module, self.module.loops[loop].iterable))


def _values(content: Content) -> Iterator[int]:
    if isinstance(content, tuple):
        for item in content:
            yield from _values(item)
    elif content is not None:
        yield content


def _added(old: Expr | None, new: Expr | None) -> Expr | None:
    return new.right if isinstance(new, Binary) and new.op == "+" and new.left == old else None


def _listed(loop: Loop, source: Expr) -> Expr | None:
    """The list whose items a size is, one by one."""
    match loop.iterable:
        case Name() | Index() if loop.targets == (source.id if isinstance(source, Name) else "",):
            return loop.iterable
        case Call(Name("enumerate"), (Name() | Index() as items,), ()) if isinstance(source, Name):
            return items if loop.targets[1:] == (source.id,) else None
        case _:
            return None


def length(iterable: Expr) -> Expr | None:
    """How many turns a loop has."""
    match iterable:
        case Call(Name("range"), (count,), ()):
            return count
        case Call(Name("range"), (start, stop), ()):
            return minus(stop, start)
        case Call(Name("enumerate" | "reversed"), (items,), ()):
            return length(items)
        case Call(Name("zip"), (items, *_), ()):
            return length(items)
        case Name() | Index():
            return Call(Name("len"), (iterable,), ())
        case _:
            return None


def _held(loop: Loop, place: Expr) -> Mapping[str, Expr]:
    """What the loop's variables hold in a turn, the last or one by its number. Raises Unknown."""
    if len(loop.targets) == 1:
        return {loop.targets[0]: _item(loop.iterable, place)}
    return dict(zip(loop.targets, _parts(loop.iterable, place, len(loop.targets)), strict=True))


def _item(iterable: Expr, place: Expr) -> Expr:
    match iterable:
        case Call(Name("range"), (count,), ()):
            return minus(count, Constant(1)) if place == _LAST else place
        case Call(Name("reversed"), (items,), ()) if place == _LAST:
            return _item(items, Constant(0))
        case Name() | Index():
            return Index(iterable, (place,))
        case _:
            raise Unknown("an item of this iterable has no form")


def _parts(iterable: Expr, place: Expr, count: int) -> Sequence[Expr]:
    match iterable:
        case Call(Name("enumerate"), (items,), ()) if count == 2:
            number = length(items)
            if number is None:
                raise Unknown("a list without a length")
            return minus(number, Constant(1)) if place == _LAST else place, _item(items, place)
        case Call(Name("zip"), args, ()) if len(args) == count:
            return [_item(arg, place) for arg in args]
        case Name() | Index():
            return [Index(_item(iterable, place), (Constant(number),)) for number in range(count)]
        case _:
            raise Unknown("parts of this iterable have no form")


__all__ = ["OPEN", "Joined", "Leaving"]
