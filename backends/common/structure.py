"""A module's flat body as a tree of loops and choices, with what folding needs to know at each place.

`prepare` lists a module's items in order: creations of instances, draws, equations, writes of buffers. `tree` nests
them by their frames: each `Turn` and `Arm` of an item's origin is one level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from dlc.ir import Arm, Bind, Call, Content, Draw, Equation, Instance, Module, Origin, Read, Scan, Turn


@dataclass(frozen=True, slots=True)
class Creation:
    """An instance is made here; `callees` are the modules that this body runs through it."""

    number: int
    instance: Instance
    callees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """The buffer takes its next value here."""

    buffer: str
    value: int


Payload = Creation | Draw | Equation | Writing


@dataclass(frozen=True, slots=True)
class Item:
    """`names`: what each of the spec's names stands for just before this item, latest assignment last."""

    payload: Payload
    origin: Origin
    names: Mapping[str, Content]


@dataclass(frozen=True, slots=True)
class Leaf:
    item: Item


@dataclass(frozen=True, slots=True)
class LoopTree:
    """`turns[k]` holds what happens in turn k."""

    loop: int
    statement: int
    turns: tuple[tuple[Tree, ...], ...]


@dataclass(frozen=True, slots=True)
class ChoiceTree:
    choice: int
    statement: int
    arm: int
    body: tuple[Tree, ...]


Tree = Leaf | LoopTree | ChoiceTree


@dataclass(frozen=True, slots=True)
class Prepared:
    """A module ready to be merged. `final` is what the names stand for at the end."""

    module: Module
    items: tuple[Item, ...]
    final: Mapping[str, Content]

    @property
    def roots(self) -> tuple[Tree, ...]:
        return tree(self.module, self.items, 0)


def prepare(module: Module, uses: Mapping[int, tuple[str, ...]] | None = None) -> Prepared:
    """`uses`: callees of each instance, those inside of blocks that it is given to included (see `held`)."""
    callees = _callees(module) if uses is None else uses
    names: dict[str, Content] = {port.name: port.value for port in module.inputs}
    names.update(dict.fromkeys(module.absent))
    names.update({state.name: state.value for state in module.states if state.name.isidentifier()})
    draws = {draw.value: draw for draw in module.draws}
    writes = _writes(module)
    items: list[Item] = []
    due: list[tuple[Writing, Origin]] = []
    made = 0
    for equation in module.body:
        if not isinstance(equation.target, Bind):
            items.extend(Item(writing, origin, dict(names)) for writing, origin in due)
            due = []
        wanted = _instance(equation)
        while made < len(module.instances) and (
            (wanted is not None and made <= wanted)
            or _together(module, made, equation)
            or _made_before(module, made, equation)
        ):
            if callees.get(made) and module.instances[made].given is None:
                instance = module.instances[made]
                items.append(Item(Creation(made, instance, callees[made]), instance.origin, dict(names)))
            made += 1
        for value in equation.inputs:
            if value in draws:
                items.append(Item(draws.pop(value), equation.origin, dict(names)))
        items.append(Item(equation, equation.origin, dict(names)))
        if isinstance(equation.target, Bind):
            names.pop(equation.target.name, None)
            names[equation.target.name] = equation.target.content
        for value in equation.outputs:
            due += [(Writing(name, value), equation.origin) for name in writes.get(value, ())]
    items.extend(Item(writing, origin, dict(names)) for writing, origin in due)
    return Prepared(module, tuple(items), names)


def _together(module: Module, number: int, equation: Equation) -> bool:
    """True if the instance is made in one loop with the one before it, and the equation stands outside of that loop."""
    if number == 0:
        return False
    last, this = module.instances[number - 1].origin, module.instances[number].origin
    if not last.frames or not this.frames or not isinstance(this.frames[0], Turn):
        return False
    first, second = last.frames[0], this.frames[0]
    if not isinstance(first, Turn) or first.loop != second.loop:
        return False
    outer = equation.origin.frames[0] if equation.origin.frames else None
    return not (isinstance(outer, Turn) and outer.loop == second.loop)


def _made_before(module: Module, number: int, equation: Equation) -> bool:
    """True if the equation stands in a loop or choice that the instance was made before, in the text just outside."""
    made, used = module.instances[number].origin, equation.origin
    depth = len(made.frames)
    if len(used.frames) <= depth or used.frames[:depth] != made.frames:
        return False
    frame = used.frames[depth]
    around = module.choices[frame.choice] if isinstance(frame, Arm) else module.loops[frame.loop]
    return made.statement < around.statement


def tree(module: Module, items: Sequence[Item], depth: int) -> tuple[Tree, ...]:
    """The items as a tree, looking at their frames from `depth` on."""
    out: list[Tree] = []
    for key, group in groupby(items, key=lambda item: _frame_key(item, depth)):
        members = list(group)
        if key is None:
            out.extend(Leaf(item) for item in members)
        elif key[0] == "loop":
            out.append(_loop(module, key[1], members, depth))
        else:
            arm = members[0].origin.frames[depth]
            assert isinstance(arm, Arm)
            statement = module.choices[key[1]].statement
            out.append(ChoiceTree(key[1], statement, arm.index, tree(module, members, depth + 1)))
    return tuple(out)


def _loop(module: Module, number: int, members: list[Item], depth: int) -> LoopTree:
    loop = module.loops[number]
    turns: list[list[Item]] = [[] for _ in loop.values]
    for item in members:
        turns[item.origin.frames[depth].index].append(item)
    return LoopTree(number, loop.statement, tuple(tree(module, turn, depth + 1) for turn in turns))


def _frame_key(item: Item, depth: int) -> tuple[str, int] | None:
    if len(item.origin.frames) <= depth:
        return None
    frame = item.origin.frames[depth]
    return ("choice", frame.choice) if isinstance(frame, Arm) else ("loop", frame.loop)


def _instance(equation: Equation) -> int | None:
    return equation.target.instance if isinstance(equation.target, Call | Scan | Read) else None


def _callees(module: Module) -> dict[int, tuple[str, ...]]:
    found: dict[int, dict[str, None]] = {}
    for equation in module.body:
        if isinstance(equation.target, Call | Scan):
            found.setdefault(equation.target.instance, {})[equation.target.module] = None
    return {number: tuple(keys) for number, keys in found.items()}


def _writes(module: Module) -> dict[int, list[str]]:
    """Buffers by the value that they take next; those that stay as they are left out."""
    own = {parameter.name: parameter.value for parameter in module.parameters}
    writes: dict[int, list[str]] = {}
    for port in module.next_buffers:
        if own.get(port.name) != port.value:
            writes.setdefault(port.value, []).append(port.name)
    return writes
