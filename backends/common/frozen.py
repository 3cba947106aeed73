"""Hyperparameters that a class can't take, since it is written for one value of them.

Where a loop can't be printed as a loop, its turns stand one by one, for as many turns as the network has. Where no
module ever took one arm of a choice, nobody knows what stands in it. A class that took the number of turns, or what the
choice asks for, as an argument would promise more than it does. Such a hyperparameter is put into the module's
expressions as the value that it has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from dlc.backends.common.evaluate import Unknown, free_names, substitute
from dlc.ir import Bind, Call, Distribution, Equation, Instance, Loop, Module, Parameter, Scan, Static, Turn
from dlc.spec.record import replace
from dlc.spec.syntax import Constant, Expr, ListLiteral, Unary

Known = Mapping[str, Expr]


def names_behind(module: Module, source: Expr) -> frozenset[str]:
    """The hyperparameters that a loop's length depends on, those behind other loops' variables and lists included."""
    found: set[str] = set()
    due = list(free_names(source))
    while due:
        name = due.pop()
        if name not in found:
            found.add(name)
            due += [word for number in _loops_of(module, name) for word in free_names(module.loops[number].iterable)]
    return frozenset(found & {name for name, _ in module.hyperparameters})


def one_way(modules: Sequence[Module]) -> frozenset[str]:
    """The hyperparameters behind choices of which some arm is taken by no module and in no turn."""
    taken: dict[int, set[int]] = {}
    arms: dict[int, int] = {}
    names: dict[int, frozenset[str]] = {}
    for module in modules:
        for choice in module.choices:
            taken.setdefault(choice.statement, set()).add(choice.taken)
            arms[choice.statement] = len(choice.tests) + 1
            behind = frozenset[str]().union(*(names_behind(module, test) for test in choice.tests))
            names[choice.statement] = names.get(choice.statement, frozenset()) | behind
    return frozenset[str]().union(*(names[one] for one in taken if len(taken[one]) < arms[one]))


def stateful_turns(module: Module) -> frozenset[str]:
    """The hyperparameters behind loops whose turns have states of their own: another number of turns has others."""
    found = frozenset[str]()
    lifted = [state.name for state in module.states]
    for equation in module.body:
        if not isinstance(equation.target, Call):
            continue
        path = module.instances[equation.target.instance].path
        if not any(name.startswith(f"{path}.") for name in lifted):
            continue
        for frame in equation.origin.frames:
            if isinstance(frame, Turn):
                found |= names_behind(module, module.loops[frame.loop].iterable)
    return found


def _loops_of(module: Module, name: str) -> set[int]:
    """The loops that a name comes from: whose variable it is, and in which it is bound (a list that grows there)."""
    found = {number for number, loop in enumerate(module.loops) if name in loop.targets}
    for equation in module.body:
        if isinstance(equation.target, Bind) and equation.target.name == name:
            found.update(frame.loop for frame in equation.origin.frames if isinstance(frame, Turn))
    return found


def numbers(module: Module, names: Collection[str]) -> dict[str, Expr]:
    """The values that these hyperparameters and dimensions have, as code; without those that are no plain values."""
    values = {name: static.value for name, static in module.hyperparameters}
    values.update((name, size) for name, size in module.dims if isinstance(size, int))
    given = {name: literal(values[name]) for name in names if name in values}
    return {name: code for name, code in given.items() if code is not None}


def frozen(module: Module, names: Collection[str]) -> Module:
    """The module without these hyperparameters."""
    dims = dict(module.dims)
    known = {name: code for name, code in numbers(module, names).items() if name not in dims}
    return replace(
        module,
        hyperparameters=tuple((name, value) for name, value in module.hyperparameters if name not in known),
        instances=tuple(_instance(one, known) for one in module.instances),
        parameters=tuple(_parameter(one, known) for one in module.parameters),
        draws=tuple(replace(one, distribution=_distribution(one.distribution, known)) for one in module.draws),
        body=tuple(_equation(one, known) for one in module.body),
        loops=tuple(_loop(one, known) for one in module.loops),
        choices=tuple(replace(one, tests=tuple(_put(test, known) for test in one.tests)) for one in module.choices),
    )


def literal(value: object) -> Expr | None:
    """A constant as an expression; None for what is no plain value."""
    if isinstance(value, tuple):
        items = [literal(item) for item in cast("tuple[object, ...]", value)]
        return ListLiteral(tuple(item for item in items if item is not None)) if None not in items else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return Unary("-", Constant(-value))
    return Constant(value) if value is None or isinstance(value, bool | int | float | str) else None


def _put(source: Expr, known: Known) -> Expr:
    try:
        return substitute(source, known) if set(known) & set(free_names(source)) else source
    except Unknown:
        return source


def _static(one: Static, known: Known) -> Static:
    return one if one.source is None else Static(one.value, _put(one.source, known))


def _instance(one: Instance, known: Known) -> Instance:
    return replace(one, hyperparameters=tuple((name, _static(value, known)) for name, value in one.hyperparameters))


def _distribution(one: Distribution, known: Known) -> Distribution:
    return replace(one, arguments=tuple(_static(value, known) for value in one.arguments))


def _parameter(one: Parameter, known: Known) -> Parameter:
    shape = tuple(None if source is None else _put(source, known) for source in one.shape_source)
    return replace(one, shape_source=shape, initial=_distribution(one.initial, known))


def _equation(one: Equation, known: Known) -> Equation:
    attributes = tuple((name, _static(value, known)) for name, value in one.attributes)
    target = one.target
    if isinstance(target, Scan):
        target = replace(target, steps=_static(target.steps, known))
    return replace(one, attributes=attributes, target=target)


def _loop(one: Loop, known: Known) -> Loop:
    values = tuple(tuple(None if value is None else _static(value, known) for value in turn) for turn in one.values)
    return replace(one, iterable=_put(one.iterable, known), values=values)
