"""One equation, draw or write of each merged module: one node of the form. Raises Refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import cast

from dlc.backends.common import contents, held, joins, values
from dlc.backends.common import context as places
from dlc.backends.common.context import Context, candidates, names_at, spread
from dlc.backends.common.form import (
    Convention,
    Fetch,
    Invoke,
    Items,
    Known,
    Node,
    Ref,
    Run,
    Sample,
    Spread,
    Step,
    Store,
    Temp,
    Value,
    Var,
)
from dlc.backends.common.joins import choose, choose_list
from dlc.backends.common.merge_making import make
from dlc.backends.common.merge_shapes import shape
from dlc.backends.common.merging import Merging
from dlc.backends.common.overwritten import is_stored
from dlc.backends.common.ranks import axis_rank
from dlc.backends.common.rule import CHOOSING
from dlc.backends.common.slots import merge_slot
from dlc.backends.common.structure import Creation, Item, Writing
from dlc.backends.common.values import Refused
from dlc.ir import Bind as BindTarget
from dlc.ir import Call, Content, Draw, Equation, Instance, Module, Read, Scan, Static, TensorType
from dlc.spec.syntax import ListLiteral

#: What a value is called that a conditional expression chose and the spec gave no name.
CHOSEN = "chosen"
#: What a list of values is called that a conditional expression chose.
PARTS = "parts"
#: Attributes that hold sizes.
_SIZES = frozenset({"shape", "items", "padding", "output_padding", "kernel", "low", "high", "sizes"})
#: Ops that take any number of operands.
VARIADIC = frozenset({"concat", "stack", "einsum"})


def leaf(merging: Merging, contexts: Sequence[Context], items: Sequence[Item]) -> Node:
    payloads = [item.payload for item in items]
    statement = items[0].origin.statement
    equations = [payload for payload in payloads if isinstance(payload, Equation)]
    if equations:
        return _equation(merging, contexts, items, equations, statement)
    creations = [payload for payload in payloads if isinstance(payload, Creation)]
    if creations:
        return make(merging, contexts, items, creations)
    draws = [payload for payload in payloads if isinstance(payload, Draw)]
    if draws:
        return _sample(merging, contexts, draws, statement)
    writings = [payload for payload in payloads if isinstance(payload, Writing)]
    ref = choose(merging, contexts, names_at(items), [writing.value for writing in writings], CHOSEN)
    return Store(writings[0].buffer, ref, statement)


def _equation(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
) -> Node:
    target = equations[0].target
    if isinstance(target, BindTarget):
        found = [e.target.content for e in equations if isinstance(e.target, BindTarget)]
        if contexts[0].turns:
            merging.carried.add(target.name)
        return joins.bind(merging, contexts, names_at(items), found, target.name, statement)
    if isinstance(target, Call):
        return _invoke(merging, contexts, items, equations, statement)
    if isinstance(target, Scan):
        return _step(merging, contexts, items, equations, statement)
    if isinstance(target, Read):
        slot = merge_slot(contexts, [_instance(c, e) for c, e in zip(contexts, equations, strict=True)])
        reads = [e.target for e in equations if isinstance(e.target, Read)]
        stored = any(
            is_stored(partial(merging.callee, c.program), c.module, read)
            for c, read in zip(contexts, reads, strict=True)
        )
        return Fetch(slot, target.parameter, merging.results(contexts, equations), statement, stored)
    return _run(merging, contexts, items, equations, statement)


def _run(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
) -> Run:
    first = equations[0]
    operands = _operands(merging, contexts, items, equations)
    attributes = tuple(
        (name, _attribute(merging, contexts, items, equations, position, name))
        for position, (name, _) in enumerate(first.attributes)
    )
    everywhere = tuple(_types(context, equation) for context, equation in zip(contexts, equations, strict=True))
    types, results = everywhere[0]
    _check_types(contexts, equations)
    temps = merging.results(contexts, equations)
    unique = tuple(dict.fromkeys(everywhere))
    return Run(first.op, operands, attributes, temps, statement, types, results, unique)


def _attribute(
    merging: Merging,
    contexts: Sequence[Context],
    items: Sequence[Item],
    equations: Sequence[Equation],
    position: int,
    name: str,
) -> Value:
    op = equations[0].op
    given = [equation.attributes[position][1] for equation in equations]
    if name == "shape":
        sizes = shape(merging, contexts, names_at(items), equations, given)
        if sizes is not None:
            return sizes
    seen: list[values.Seen] = []
    for context, equation, static in zip(contexts, equations, given, strict=True):
        types = context.module.types
        ranks = [types[v].rank for v in equation.inputs if v is not None]
        rank = axis_rank(op, name, ranks, equation, context.module)
        seen.append(context.seen(static, rank))
    found = values.merge(seen)
    if op == "split" and name == "parts":
        _fix_parts(merging, contexts, given)
    if name in _SIZES:
        _fix(merging, contexts, equations, given, found)
    return found


def _fix(
    merging: Merging, contexts: Sequence[Context], equations: Sequence[Equation], given: Sequence[Static], found: Value
) -> None:
    """Sizes without a source that are printed as numbers: what they depend on is the operands' sizes."""
    for axis in _numbers(found) if equations[0].op == "slice" else ():
        merging.fix(contexts, [(cast(int, equation.inputs[0]), axis) for equation in equations])
    items = found.items if isinstance(found, Items) else (found,)
    if equations[0].op == "slice" or not any(isinstance(item, Known) and item.derived for item in _flat(items)):
        return
    for context, equation in zip(contexts, equations, strict=True):
        for value in equation.inputs:
            if value is not None:
                merging.fixed |= merging.reasons.value(context.program, context.module, value)


def _fix_parts(merging: Merging, contexts: Sequence[Context], given: Sequence[Static]) -> None:
    """The parts of a split are so many variables."""
    for context, static in zip(contexts, given, strict=True):
        if static.source is not None and not isinstance(static.source, ListLiteral):
            merging.fixed |= merging.reasons.expression(context.module, static.source)


def _numbers(items: Value) -> Iterator[int]:
    """The axes of a slice that have a bound which counts from the end: a number that the axis' size decides on."""
    for axis, item in enumerate(items.items if isinstance(items, Items) else ()):
        bounds = item.items[1:3] if isinstance(item, Items) else ()
        if any(isinstance(one, Known) and one.derived and one.value is not None for one in bounds):
            yield axis


def _flat(items: Sequence[Value]) -> Iterator[Value]:
    for item in items:
        if isinstance(item, Items):
            yield from _flat(item.items)
        else:
            yield item


def _operands(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation]
) -> tuple[Ref | Spread, ...]:
    inputs = [tuple(value for value in equation.inputs if value is not None) for equation in equations]
    names = names_at(items)
    lists_of_one = (_is_gathered(*parts) for parts in zip(contexts, names, inputs, strict=True))
    op = equations[0].op
    if (op in VARIADIC and (len(inputs[0]) > 1 or (op != "einsum" and all(lists_of_one)))) or any(
        len(one) != len(inputs[0]) for one in inputs
    ):
        lists = [spread(*parts) for parts in zip(contexts, names, inputs, strict=True)]
        common = [one for one in lists[0] if all(one in other for other in lists[1:])]
        if common:
            return (common[0],)
        if not _have_names(contexts, names, inputs):
            chosen = choose_list(merging, contexts, names, inputs, PARTS)
            if chosen is not None:
                return (chosen,)
    if any(len(one) != len(inputs[0]) for one in inputs):
        raise Refused("different numbers of operands")
    return tuple(
        choose(merging, contexts, names, [one[position] for one in inputs], CHOSEN)
        for position in range(len(inputs[0]))
    )


def _is_gathered(context: Context, names: Mapping[str, Content], values: tuple[int, ...]) -> bool:
    """True for what a loop of one turn gave, that no name stands for, or all that a list holds: the list is meant."""
    if len(values) != 1:
        return False
    if values in names.values():
        return True
    found = candidates(context, names, values[0])
    return bool(found) and isinstance(found[0], Temp) and found[0].id in context.ended


def _have_names(
    contexts: Sequence[Context], names: Sequence[Mapping[str, Content]], inputs: Sequence[tuple[int, ...]]
) -> bool:
    """True if each operand has a name, or something else that reaches it, in all contexts."""
    if any(len(one) != len(inputs[0]) for one in inputs):
        return False
    try:
        for position in range(len(inputs[0])):
            places.choose(contexts, names, [one[position] for one in inputs])
    except Refused:
        return False
    return True


def _invoke(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
) -> Invoke:
    targets = [e.target for e in equations if isinstance(e.target, Call)]
    callees = [merging.callee(c.program, t.module) for c, t in zip(contexts, targets, strict=True)]
    slot = merge_slot(contexts, [_instance(c, e) for c, e in zip(contexts, equations, strict=True)])
    find = merging.given_target if held.is_held(slot.site) else merging.same_target
    goal = find(contexts, [t.module for t in targets])
    names = names_at(items)
    inputs: list[tuple[str, Ref | None]] = []
    for position, (name, optional) in enumerate(callees[0].signature):
        found = [_input(callee, equation, name, position) for callee, equation in zip(callees, equations, strict=True)]
        if isinstance(goal, Convention) and name not in dict(goal.inputs):
            continue
        if optional and None in found:
            ref = contents.merge_optional(contexts, names, found) or _handed_on(merging, names, name, found)
        else:
            ref = choose(merging, contexts, names, list(map(_tensor, found)), CHOSEN)
        inputs.append((name, ref))
    states = _states(callees, equations)
    refs = tuple(choose(merging, contexts, names, [one[i] for one in states], CHOSEN) for i in range(len(states[0])))
    layers = held.merge(contexts, equations, merge_slot)
    part = callees[0].part
    if any(callee.part != part for callee in callees):
        raise Refused("calls of different parts")
    return Invoke(slot, goal, tuple(inputs), refs, merging.results(contexts, equations), statement, layers, part)


def _handed_on(
    merging: Merging, names: Sequence[Mapping[str, Content]], name: str, found: Sequence[int | None]
) -> Ref | None:
    """`mask=mask` where `mask` is absent: the class may be given it elsewhere, in other modules."""
    absent = all(value is None for value in found) and all(scope.get(name, 0) is None for scope in names)
    return Var(name) if absent and name in merging.optional else None


def _step(
    merging: Merging, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
) -> Step:
    targets = [e.target for e in equations if isinstance(e.target, Scan)]
    first = targets[0]
    goal = merging.same_target(contexts, [t.module for t in targets])
    for target in targets:
        if _scan_shape(target) != _scan_shape(first):
            raise Refused("scans of different kinds")
    slot = merge_slot(contexts, [_instance(c, e) for c, e in zip(contexts, equations, strict=True)])
    names = names_at(items)
    if any(len(e.inputs) != len(equations[0].inputs) for e in equations):
        raise Refused("scans with different inputs")
    refs = [
        choose(merging, contexts, names, [_tensor(e.inputs[i]) for e in equations], CHOSEN)
        for i in range(len(equations[0].inputs))
    ]
    scanned, rest = refs[: len(first.scanned)], refs[len(first.scanned) :]
    captured, rest = rest[: len(first.captured)], rest[len(first.captured) :]
    lengths = rest.pop() if first.has_lengths else None
    results = merging.results(contexts, equations)
    layers = held.merge(contexts, equations, merge_slot)
    steps = None
    if not scanned:
        steps = values.merge([c.seen(t.steps) for c, t in zip(contexts, targets, strict=True)])
    return Step(
        slot, goal, first, tuple(scanned), tuple(captured), tuple(rest), lengths, results, statement, layers, steps
    )


def _sample(merging: Merging, contexts: Sequence[Context], draws: Sequence[Draw], statement: int) -> Sample:
    first = draws[0]
    if any(draw.distribution.name != first.distribution.name for draw in draws):
        raise Refused("draws from different distributions")
    types = [context.module.types[draw.value] for context, draw in zip(contexts, draws, strict=True)]
    if any(kind.rank != types[0].rank or kind.dtype != types[0].dtype for kind in types):
        raise Refused("draws of different types")
    shape = tuple(_drawn(merging, contexts, draws, axis) for axis in range(types[0].rank))
    arguments = tuple(
        values.merge([c.seen(d.distribution.arguments[i]) for c, d in zip(contexts, draws, strict=True)])
        for i in range(len(first.distribution.arguments))
    )
    temp = merging.temp(contexts, [draw.value for draw in draws])
    return Sample(first, shape, arguments, types[0].dtype, (temp,), statement)


def _drawn(merging: Merging, contexts: Sequence[Context], draws: Sequence[Draw], axis: int) -> Value:
    """A size of what is drawn: as it is declared, or a number that may depend on anything."""
    places = list(zip(contexts, draws, strict=True))
    statics = [Static(c.module.types[d.value].shape[axis], merging.sizes.draw(c.module, d)[axis]) for c, d in places]
    found = values.merge([context.seen(static) for context, static in zip(contexts, statics, strict=True)])
    if isinstance(found, Known) and found.derived:
        merging.fixed |= merging.reasons.everything(contexts[0].module)
    return found


def _types(context: Context, equation: Equation) -> tuple[tuple[TensorType, ...], tuple[TensorType, ...]]:
    types = context.module.types
    return tuple(types[v] for v in equation.inputs if v is not None), tuple(types[v] for v in equation.outputs)


def _check_types(contexts: Sequence[Context], equations: Sequence[Equation]) -> None:
    """Element types, and attributes that choose, must be the same everywhere: code is chosen by them."""
    kinds = [
        tuple(context.module.types[v].dtype for v in (*equation.inputs, *equation.outputs) if v is not None)
        for context, equation in zip(contexts, equations, strict=True)
    ]
    if any(kind != kinds[0] for kind in kinds) and equations[0].op not in VARIADIC:
        raise Refused("different element types")
    for name in CHOOSING.get(equations[0].op, ()):
        if any(equation.attribute(name) != equations[0].attribute(name) for equation in equations):
            raise Refused(f"different kinds of `{equations[0].op}`")


def _instance(context: Context, equation: Equation) -> Instance:
    target = equation.target
    assert isinstance(target, Call | Scan | Read)
    return context.module.instances[target.instance]


def _input(callee: Module, equation: Equation, name: str, position: int) -> int | None:
    """The value that a call gives for an input of the callee; None if it is absent.

    A call's equation has one entry per input of the callee's `inputs`; where the entries are per declared input
    (absent ones as None), the declared position is used.
    """
    if len(equation.inputs) >= len(callee.signature) + len(callee.states) and callee.absent:
        return equation.inputs[position]
    for place, port in enumerate(callee.inputs):
        if port.name == name:
            return equation.inputs[place]
    return None


def _states(callees: Sequence[Module], equations: Sequence[Equation]) -> list[tuple[int, ...]]:
    out: list[tuple[int, ...]] = []
    for callee, equation in zip(callees, equations, strict=True):
        count = len(callee.states)
        found = equation.inputs[len(equation.inputs) - count :] if count else ()
        out.append(tuple(_tensor(value) for value in found))
    if any(len(one) != len(out[0]) for one in out):
        raise Refused("different states")
    return out


def _scan_shape(scan: Scan) -> tuple[object, ...]:
    return (scan.scanned, scan.captured, scan.stacked, scan.reverse, scan.has_lengths)


def _tensor(value: int | None) -> int:
    if value is None:
        raise Refused("an input is absent")
    return value
