"""One module at one place of the merged body: what names hold there, and which reference reaches which value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.backends.common import given_sizes
from dlc.backends.common.evaluate import PRESENT, Unknown, substitute
from dlc.backends.common.form import Element, Known, Own, Ref, Spread, Temp, Var
from dlc.backends.common.ranks import Rank
from dlc.backends.common.recurrences import Header
from dlc.backends.common.size_arithmetic import simplified
from dlc.backends.common.structure import Item, Prepared
from dlc.backends.common.values import Refused, Seen
from dlc.ir import Content, Module, Static
from dlc.spec.syntax import Constant, Expr


@dataclass(slots=True)
class Context:
    """A module, inside the turns `turns` of the loops around. `names`: compile-time names in scope.

    `temps`: the references that hold each value now; `collected`: the list that a Temp gave over all turns of its loop.
    """

    program: int
    prepared: Prepared
    names: Mapping[str, object]
    turns: tuple[int, ...] = ()
    temps: dict[int, list[Ref]] = field(default_factory=dict[int, "list[Ref]"])
    collected: dict[tuple[int, ...], list[int]] = field(default_factory=dict[tuple[int, ...], "list[int]"])
    #: Results of loops that are over: a list's entry is a better name for these.
    ended: set[int] = field(default_factory=set[int])
    #: Values and axes whose sizes depend on a loop's number of turns (see `open_sizes`).
    open_sizes: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    #: The sizes that a network's own dimensions have: constants in its code.
    sizes: Mapping[str, Expr] = field(default_factory=dict[str, Expr])
    #: Targets and iterable of each loop around.
    loops: tuple[Header, ...] = ()

    @property
    def module(self) -> Module:
        return self.prepared.module

    def define(self, value: int, ref: Ref) -> None:
        self.temps.setdefault(value, []).append(ref)

    def enter(self, targets: Mapping[str, object], turn: int | None, loop: Header | None = None) -> Context:
        """The context of a turn (or, where `turn` is None, of a piece of an unrolled loop)."""
        turns = self.turns if turn is None else (*self.turns, turn)
        temps = {value: list(refs) for value, refs in self.temps.items()}
        return Context(
            self.program,
            self.prepared,
            {**self.names, **targets},
            turns,
            temps,
            dict(self.collected),
            set(self.ended),
            set(self.open_sizes),
            self.sizes,
            self.loops if loop is None else (*self.loops, loop),
        )

    def leave(self, last: Context) -> None:
        """After a loop: what the last turn defined stays."""
        self.temps, self.collected, self.ended = last.temps, last.collected, last.ended

    def forget(self, names: Iterable[str]) -> None:
        """After a loop: its targets stand for nothing any more."""
        gone = {Var(name) for name in names}
        self.temps = {value: [ref for ref in refs if ref not in gone] for value, refs in self.temps.items()}

    def seen(self, static: Static, rank: Rank = None) -> Seen:
        source = static.source
        if source is not None and self.sizes:
            try:
                source = simplified(substitute(source, self.sizes))
            except Unknown:
                source = static.source
        return Seen(static.value, source, self.names, self.module.homes, self.turns, rank, self.loops)


def start(program: int, prepared: Prepared, entry: bool, numbers: Mapping[str, Expr] | None = None) -> Context:
    """The context at the top of a module's body. A network's own sizes are constants, not arguments; so are `numbers`,
    names for one value of which the code is written."""
    module = prepared.module
    fixed = {name: Constant(size) for name, size in module.dims if entry and isinstance(size, int)}
    sizes = {**fixed, **(numbers or {})}
    names = {name: value for name, value in static_names(module).items() if name not in sizes}
    context = Context(program, prepared, names, sizes=sizes)
    for port in module.inputs:
        context.define(port.value, Own(port.name))
    for parameter in module.parameters:
        context.define(parameter.value, Own(parameter.name))
    for state in module.states:
        context.define(state.value, Own(state.name))
    return context


def static_names(module: Module) -> dict[str, object]:
    """The compile-time names of a module's scope: hyperparameters, dimensions, mode, and which inputs are there."""
    names: dict[str, object] = {name: static.value for name, static in module.hyperparameters}
    names.update(module.dims)
    names["training"] = module.training
    sizes = given_sizes.ports(module)
    names.update(dict.fromkeys((port.name for port in module.inputs if port.name not in sizes), PRESENT))
    names.update(dict.fromkeys(module.absent))
    return names


def candidates(context: Context, names: Mapping[str, Content], value: int) -> list[Ref]:
    """References that hold the value here, best first: the latest name, what is the module's own, results, entries."""
    out: list[Ref] = [Var(name) for name in reversed(tuple(names)) if names[name] == value]
    temps = context.temps.get(value, [])
    late = [ref for ref in temps if isinstance(ref, Temp) and ref.id in context.ended]
    out += [ref for ref in temps if ref not in late]
    for name in reversed(tuple(names)):
        content = names[name]
        if isinstance(content, tuple):
            out += [Element(name, Known(i)) for i, item in enumerate(content) if item == value]
    return out + late


def choose(contexts: Sequence[Context], names: Sequence[Mapping[str, Content]], values: Sequence[int]) -> Ref:
    """One reference that holds each context's value. Raises Refused."""
    lists = [candidates(*parts) for parts in zip(contexts, names, values, strict=True)]
    common = [ref for ref in lists[0] if all(ref in other for other in lists[1:])]
    if common:
        return common[0]
    element = _common_element(contexts, lists)
    if element is not None:
        return element
    raise Refused("an operand has no common name")


def _common_element(contexts: Sequence[Context], lists: Sequence[list[Ref]]) -> Ref | None:
    """An entry of one list, at the place that the turn's number or a name in scope gives."""
    from dlc.backends.common import values

    for ref in lists[0]:
        if not isinstance(ref, Element):
            continue
        places = [
            next((r.index for r in refs if isinstance(r, Element) and r.name == ref.name), None) for refs in lists
        ]
        known = [place.value for place in places if isinstance(place, Known)]
        if len(known) != len(lists):
            continue
        seen = [context.seen(Static(place)) for context, place in zip(contexts, known, strict=True)]
        try:
            return Element(ref.name, values.merge(seen))
        except Refused:
            continue
    return None


def spread(context: Context, names: Mapping[str, Content], values: tuple[int, ...]) -> list[Spread]:
    """Lists in scope that hold exactly these values."""
    out = [Spread(name) for name in reversed(tuple(names)) if isinstance(names[name], tuple) and names[name] == values]
    return out + [Spread(temp[0]) for temp, items in context.collected.items() if tuple(items) == values]


def names_at(items: Sequence[Item]) -> list[Mapping[str, Content]]:
    return [item.names for item in items]


__all__ = ["Context", "Temp", "candidates", "choose", "names_at", "spread", "start", "static_names"]
