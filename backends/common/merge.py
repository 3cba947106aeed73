"""Modules of one block merged into one Form, statement by statement.

All modules, and all turns of each loop, are walked side by side. Equations merge where op, constants and operands have
a common form; a loop where its iterable reproduces the turns (else it is unrolled); arms of a choice become a branch
where modules take different ones. Raises Refused where there is no common form. Nothing here is trusted: see `prove`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from dlc.backends.common import contents, headers, held, values
from dlc.backends.common.context import Context, choose, names_at, spread
from dlc.backends.common.evaluate import Unknown, bind_targets, evaluate, free_names
from dlc.backends.common.form import (
    Bind,
    Branch,
    Extent,
    Fetch,
    Formula,
    Invoke,
    Known,
    Loop,
    Make,
    Node,
    Ref,
    Run,
    Sample,
    Slot,
    Spread,
    Step,
    Store,
    Target,
    Temp,
    Turns,
    Value,
    Var,
)
from dlc.backends.common.ranks import axis_rank
from dlc.backends.common.structure import ChoiceTree, Creation, Item, Leaf, LoopTree, Tree, Writing
from dlc.backends.common.values import Refused
from dlc.ir import Bind as BindTarget
from dlc.ir import BlockId, Call, Draw, Equation, Instance, Module, Read, Scan, Static, Template, TensorType
from dlc.spec.syntax import Call as CallExpr
from dlc.spec.syntax import Constant, Expr, ListLiteral, Name

#: Ops that take any number of operands.
VARIADIC = frozenset({"concat", "stack", "einsum"})


@dataclass(slots=True)
class Merger:
    """`target(program, callee key)` tells which class a module was folded into; `sizes` gives sources of a callee's
    dimensions in the caller's scope."""

    target: Callable[[int, str], Target]
    callee: Callable[[int, str], Module]
    size_source: Callable[[Context, Creation, str], Expr | None]
    #: Dimensions and hyperparameters that a class's constructor takes.
    needed: Callable[[Target], tuple[tuple[str, ...], tuple[str, ...]]]
    #: The caller's value and axis that bind a callee's dimension.
    size_operand: Callable[[Context, Creation, str], tuple[int, int] | None]
    #: The source of a value's size, in the module's names.
    axis_source: Callable[[Context, int, int], Expr | None]
    loops: bool = True
    count: int = 0
    #: Names that a loop assigns: what is known of their sizes after it.
    carried: set[str] = field(default_factory=set[str])
    extents: bool = True
    #: What each name stood for where it was bound: contexts, values, and the names at hand.
    binds: dict[int, tuple[Bind, list[Context], list[int]]] = field(
        default_factory=dict[int, "tuple[Bind, list[Context], list[int]]"]
    )

    def sequence(self, contexts: Sequence[Context], bodies: Sequence[Sequence[Tree]]) -> tuple[Node, ...]:
        """The merged body. Contexts come out holding what the body defined."""
        places = [0] * len(bodies)
        out: list[Node] = []
        while True:
            heads = [body[place] if place < len(body) else None for body, place in zip(bodies, places, strict=True)]
            if all(head is None for head in heads):
                return tuple(out)
            key = self._next_key(heads)
            takes = [head is not None and _key(head) == key for head in heads]
            if key[0] == "leaf" and not all(takes):
                raise Refused("one module has an equation that another lacks")
            present = [head if take else None for head, take in zip(heads, takes, strict=True)]
            out.extend(self._node(key, contexts, present))
            places = [place + take for place, take in zip(places, takes, strict=True)]

    def _next_key(self, heads: Sequence[Tree | None]) -> tuple[object, ...]:
        """What comes next: the loop or choice that stands first in the text, else the common equation."""
        trees = [head for head in heads if head is not None and not isinstance(head, Leaf)]
        if len(trees) == len(heads) or not trees:
            first = trees[0] if trees else next(head for head in heads if head is not None)
            return _key(min(trees, key=lambda head: head.statement) if trees else first)
        return _key(min(trees, key=lambda head: head.statement))

    def _node(self, key: tuple[object, ...], contexts: Sequence[Context], heads: Sequence[Tree | None]) -> list[Node]:
        if key[0] == "leaf":
            items = [head.item for head in heads if isinstance(head, Leaf)]
            return [self._leaf(contexts, items)]
        if key[0] == "loop":
            return self._loop(contexts, [head if isinstance(head, LoopTree) else None for head in heads])
        return self._choice(contexts, [head if isinstance(head, ChoiceTree) else None for head in heads])

    # --- loops -------------------------------------------------------------------------------------------------

    def _loop(self, contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> list[Node]:
        if not self.loops:
            return self._unrolled(contexts, heads)
        saved, carried = (self.count, [(dict(c.temps), dict(c.collected)) for c in contexts]), set(self.carried)
        try:
            return [self._rolled(contexts, heads)]
        except Refused:
            self.count, self.carried = saved[0], carried
            for context, (temps, collected) in zip(contexts, saved[1], strict=True):
                context.temps, context.collected = temps, collected
            return self._unrolled(contexts, heads)

    def _rolled(self, contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> Loop:
        number, first = next((c, head) for c, head in zip(contexts, heads, strict=True) if head is not None)
        header = headers.split(number.module.loops[first.loop])
        iterable = header.iterable or _counted(contexts, heads)
        targets = _named(header.targets, iterable, contexts[0].names)
        lists = [(name, source, _entries(contexts, heads, source)) for name, source in header.lists]
        inner: list[Context] = []
        bodies: list[Sequence[Tree]] = []
        per_context: list[list[Context]] = []
        for context, head in zip(contexts, heads, strict=True):
            turns = _turns(context, targets, iterable)
            if head is not None and len(head.turns) != len(turns):
                raise Refused("the iterable gives another number of turns")
            if head is not None:
                _check_turns(context, head, turns)
            entered = [context.enter(targets, index) for index, targets in enumerate(turns)]
            _hold(context, entered, lists)
            per_context.append(entered)
            inner += entered
            bodies += head.turns if head is not None else [()] * len(turns)
        before = self.count
        body = self.sequence(inner, bodies)
        for context, entered in zip(contexts, per_context, strict=True):
            _collect(context, entered, range(before, self.count))
            context.forget(name for name, _, _ in lists)
        kept = tuple((name, source) for name, source, found in lists if found)
        return Loop(targets, iterable, body, first.statement, kept)

    def _unrolled(self, contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> list[Node]:
        trees = [head for head in heads if head is not None]
        if len(trees) != len(heads) or any(len(head.turns) != len(trees[0].turns) for head in trees):
            raise Refused("loops of different lengths")
        out: list[Node] = []
        for turn in range(len(trees[0].turns)):
            out += self.sequence(contexts, [head.turns[turn] for head in trees])
        return out

    # --- choices -----------------------------------------------------------------------------------------------

    def _choice(self, contexts: Sequence[Context], heads: Sequence[ChoiceTree | None]) -> list[Node]:
        context, first = next((c, head) for c, head in zip(contexts, heads, strict=True) if head is not None)
        choice = context.module.choices[first.choice]
        arms = [
            _arm(one, choice.tests) if head is None else head.arm for one, head in zip(contexts, heads, strict=True)
        ]
        if all(arm == arms[0] for arm in arms):
            return list(self.sequence(contexts, [head.body if head is not None else () for head in heads]))
        for one, arm in zip(contexts, arms, strict=True):
            if _arm(one, choice.tests) != arm:
                raise Refused("a test does not reproduce the arm taken")
        bodies: list[tuple[Node, ...] | None] = []
        for arm in range(len(choice.tests) + 1):
            here = [i for i, taken in enumerate(arms) if taken == arm]
            trees = [_body(heads[i]) for i in here]
            bodies.append(self.sequence([contexts[i] for i in here], trees) if here else None)
        return [Branch(choice.tests, tuple(bodies), first.statement)]

    # --- leaves ------------------------------------------------------------------------------------------------

    def _leaf(self, contexts: Sequence[Context], items: Sequence[Item]) -> Node:
        payloads = [item.payload for item in items]
        statement = items[0].origin.statement
        equations = [payload for payload in payloads if isinstance(payload, Equation)]
        if equations:
            return self._equation(contexts, items, equations, statement)
        creations = [payload for payload in payloads if isinstance(payload, Creation)]
        if creations:
            return self._make(contexts, items, creations)
        draws = [payload for payload in payloads if isinstance(payload, Draw)]
        if draws:
            return self._sample(contexts, draws, statement)
        writings = [payload for payload in payloads if isinstance(payload, Writing)]
        ref = choose(contexts, names_at(items), [writing.value for writing in writings])
        return Store(writings[0].buffer, ref, statement)

    def _equation(
        self, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
    ) -> Node:
        target = equations[0].target
        if isinstance(target, BindTarget):
            found = [e.target.content for e in equations if isinstance(e.target, BindTarget)]
            if contexts[0].turns:
                self.carried.add(target.name)
            bind = Bind(target.name, contents.merge(contexts, names_at(items), found), (), statement)
            if all(isinstance(content, int) for content in found):
                self.binds[id(bind)] = (
                    bind,
                    list(contexts),
                    [content for content in found if isinstance(content, int)],
                )
            return bind
        if isinstance(target, Call):
            return self._invoke(contexts, items, equations, statement)
        if isinstance(target, Scan):
            return self._step(contexts, items, equations, statement)
        if isinstance(target, Read):
            slot = merge_slot(contexts, [_instance(c, e) for c, e in zip(contexts, equations, strict=True)])
            return Fetch(slot, target.parameter, self._results(contexts, equations), statement)
        return self._run(contexts, items, equations, statement)

    def _run(
        self, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
    ) -> Run:
        first = equations[0]
        operands = self._operands(contexts, items, equations)
        attributes = tuple(
            (name, self._attribute(contexts, equations, first.op, position, name))
            for position, (name, _) in enumerate(first.attributes)
        )
        everywhere = tuple(_types(context, equation) for context, equation in zip(contexts, equations, strict=True))
        types, results = everywhere[0]
        _check_types(contexts, equations)
        temps = self._results(contexts, equations)
        unique = tuple(dict.fromkeys(everywhere))
        return Run(first.op, operands, attributes, temps, statement, types, results, unique)

    def _attribute(
        self, contexts: Sequence[Context], equations: Sequence[Equation], op: str, position: int, name: str
    ) -> Value:
        seen: list[values.Seen] = []
        for context, equation in zip(contexts, equations, strict=True):
            types = context.module.types
            ranks = [types[v].rank for v in equation.inputs if v is not None]
            rank = axis_rank(op, name, ranks, equation, context.module)
            static = equation.attributes[position][1]
            if name == "shape" and static.source is None and isinstance(static.value, tuple):
                static = self._with_sizes(context, equation, static.value)  # pyright: ignore[reportUnknownArgumentType]
            seen.append(context.seen(static, rank))
        return values.merge(seen)

    def _with_sizes(self, context: Context, equation: Equation, shape: tuple[object, ...]) -> Static:
        """A shape with the sources that its result's axes are known to have."""
        axes = [self.axis_source(context, equation.outputs[0], axis) for axis in range(len(shape))]
        return Static(shape, ListLiteral(tuple(Name("") if axis is None else axis for axis in axes)))

    def _operands(
        self, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation]
    ) -> tuple[Ref | Spread, ...]:
        inputs = [tuple(value for value in equation.inputs if value is not None) for equation in equations]
        names = names_at(items)
        if (equations[0].op in VARIADIC and len(inputs[0]) > 1) or any(len(one) != len(inputs[0]) for one in inputs):
            lists = [spread(*parts) for parts in zip(contexts, names, inputs, strict=True)]
            common = [one for one in lists[0] if all(one in other for other in lists[1:])]
            if common:
                return (common[0],)
        if any(len(one) != len(inputs[0]) for one in inputs):
            raise Refused("different numbers of operands")
        return tuple(choose(contexts, names, [one[position] for one in inputs]) for position in range(len(inputs[0])))

    def _invoke(
        self, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
    ) -> Invoke:
        targets = [e.target for e in equations if isinstance(e.target, Call)]
        callees = [self.callee(c.program, t.module) for c, t in zip(contexts, targets, strict=True)]
        goal = self._same_target(contexts, [t.module for t in targets])
        slot = merge_slot(contexts, [_instance(c, e) for c, e in zip(contexts, equations, strict=True)])
        names = names_at(items)
        inputs: list[tuple[str, Ref | None]] = []
        for position, (name, optional) in enumerate(callees[0].signature):
            found = [
                _input(callee, equation, name, position) for callee, equation in zip(callees, equations, strict=True)
            ]
            ref = (
                contents.merge_optional(contexts, names, found)
                if optional
                else contents.required(contexts, names, found)
            )
            inputs.append((name, ref))
        states = _states(callees, equations)
        refs = tuple(choose(contexts, names, [one[i] for one in states]) for i in range(len(states[0])))
        layers = held.merge(contexts, equations, merge_slot)
        return Invoke(slot, goal, tuple(inputs), refs, self._results(contexts, equations), statement, layers)

    def _step(
        self, contexts: Sequence[Context], items: Sequence[Item], equations: Sequence[Equation], statement: int
    ) -> Step:
        targets = [e.target for e in equations if isinstance(e.target, Scan)]
        first = targets[0]
        goal = self._same_target(contexts, [t.module for t in targets])
        for target in targets:
            if _scan_shape(target) != _scan_shape(first):
                raise Refused("scans of different kinds")
        slot = merge_slot(contexts, [_instance(c, e) for c, e in zip(contexts, equations, strict=True)])
        names = names_at(items)
        if any(len(e.inputs) != len(equations[0].inputs) for e in equations):
            raise Refused("scans with different inputs")
        refs = [
            choose(contexts, names, [_tensor(e.inputs[i]) for e in equations]) for i in range(len(equations[0].inputs))
        ]
        scanned, rest = refs[: len(first.scanned)], refs[len(first.scanned) :]
        captured, rest = rest[: len(first.captured)], rest[len(first.captured) :]
        lengths = rest.pop() if first.has_lengths else None
        results = self._results(contexts, equations)
        layers = held.merge(contexts, equations, merge_slot)
        steps = None
        if not scanned:
            steps = values.merge([c.seen(Static(t.steps)) for c, t in zip(contexts, targets, strict=True)])
        return Step(
            slot, goal, first, tuple(scanned), tuple(captured), tuple(rest), lengths, results, statement, layers, steps
        )

    def _same_target(self, contexts: Sequence[Context], keys: Sequence[str]) -> Target:
        targets = {self.target(context.program, key) for context, key in zip(contexts, keys, strict=True)}
        if len(targets) != 1:
            raise Refused("calls of different classes")
        return targets.pop()

    def _make(self, contexts: Sequence[Context], items: Sequence[Item], creations: Sequence[Creation]) -> Make:
        first = creations[0].instance
        goal = self._same_target(contexts, [creation.callees[0] for creation in creations])
        for context, creation in zip(contexts, creations, strict=True):
            if any(self.target(context.program, key) != goal for key in creation.callees):
                raise Refused("one instance is called as two classes")
        slot = merge_slot(contexts, [creation.instance for creation in creations])
        dims, wanted = self.needed(goal)
        hyperparameters = tuple(
            (
                name,
                values.merge([c.seen(_given(one.instance, name)) for c, one in zip(contexts, creations, strict=True)]),
            )
            for name in wanted
        )
        sizes = tuple((name, self._dimension(contexts, items, creations, name)) for name in dims)
        return Make(slot, first.block, goal, hyperparameters, sizes, first.written)

    def _dimension(
        self, contexts: Sequence[Context], items: Sequence[Item], creations: Sequence[Creation], name: str
    ) -> Value:
        """A size at construction: its source, a constant, or what is known of a variable's axis there."""
        statics: list[Static] = []
        for context, creation in zip(contexts, creations, strict=True):
            size = dict(self.callee(context.program, creation.callees[0]).dims)[name]
            statics.append(Static(size, self.size_source(context, creation, name)))

        def extent() -> Extent | None:
            places = [self.size_operand(context, one, name) for context, one in zip(contexts, creations, strict=True)]
            return _extent(items, places)

        try:
            found = values.merge([context.seen(static) for context, static in zip(contexts, statics, strict=True)])
        except Refused:
            known = extent()
            if known is None:
                raise
            return known
        if self.extents and isinstance(found, Known) and not _is_number(statics):
            known = extent()
            if known is not None and known.name in self.carried:
                return known
        return found

    def _sample(self, contexts: Sequence[Context], draws: Sequence[Draw], statement: int) -> Sample:
        first = draws[0]
        if any(draw.distribution.name != first.distribution.name for draw in draws):
            raise Refused("draws from different distributions")
        types = [context.module.types[draw.value] for context, draw in zip(contexts, draws, strict=True)]
        if any(kind.rank != types[0].rank or kind.dtype != types[0].dtype for kind in types):
            raise Refused("draws of different types")
        shape = tuple(
            values.merge([c.seen(Static(kind.shape[axis])) for c, kind in zip(contexts, types, strict=True)])
            for axis in range(types[0].rank)
        )
        arguments = tuple(
            values.merge([c.seen(d.distribution.arguments[i]) for c, d in zip(contexts, draws, strict=True)])
            for i in range(len(first.distribution.arguments))
        )
        temp = self._temp(contexts, [draw.value for draw in draws])
        return Sample(first, shape, arguments, types[0].dtype, (temp,), statement)

    def _results(self, contexts: Sequence[Context], equations: Sequence[Equation]) -> tuple[int, ...]:
        outputs = [equation.outputs for equation in equations]
        if any(len(one) != len(outputs[0]) for one in outputs):
            raise Refused("different numbers of results")
        return tuple(self._temp(contexts, [one[i] for one in outputs]) for i in range(len(outputs[0])))

    def _temp(self, contexts: Sequence[Context], found: Sequence[int]) -> int:
        temp = self.count
        self.count += 1
        for context, value in zip(contexts, found, strict=True):
            context.define(value, Temp(temp))
        return temp


def _is_number(statics: Sequence[Static]) -> bool:
    """True if the sources say that a size is a number, whatever the hyperparameters are."""
    return all(static.source is not None and not free_names(static.source) for static in statics)


def _extent(items: Sequence[Item], places: Sequence[tuple[int, int] | None]) -> Extent | None:
    """The name that stands for the operand everywhere."""
    known = [place for place in places if place is not None]
    if len(known) != len(places) or any(axis != known[0][1] for _, axis in known):
        return None
    for name in reversed(tuple(items[0].names)):
        if all(item.names.get(name) == value for item, (value, _) in zip(items, known, strict=True)):
            return Extent(name, known[0][1])
    return None


def merge_slot(contexts: Sequence[Context], instances: Sequence[Instance]) -> Slot:
    """The site, and for each number of the path the turn that gives it (else the number itself)."""
    first = instances[0]
    parts = [_path_numbers(instance) for instance in instances]
    if any(
        instance.site != first.site or len(part) != len(parts[0])
        for instance, part in zip(instances, parts, strict=True)
    ):
        raise Refused("different instances")
    indices: list[Value] = []
    for position in range(len(parts[0])):
        numbers = [part[position] for part in parts]
        depths = [
            d
            for d in range(len(contexts[0].turns))
            if all(c.turns[d] == n for c, n in zip(contexts, numbers, strict=True))
        ]
        if position in depths:
            indices.append(Turns(position))
        elif depths:
            indices.append(Turns(depths[0]))
        elif all(number == numbers[0] for number in numbers):
            indices.append(Known(numbers[0]))
        else:
            raise Refused("instances of other turns")
    return Slot(first.site, tuple(indices))


def holds_block(value: object) -> bool:
    """True for a block-valued hyperparameter, which specialises the class."""
    if isinstance(value, tuple):
        return any(holds_block(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, Template | BlockId)


def _key(tree: Tree) -> tuple[object, ...]:
    match tree:
        case Leaf(item):
            return ("leaf", _leaf_key(item))
        case LoopTree():
            return ("loop", tree.statement)
        case ChoiceTree():
            return ("choice", tree.statement)


def _leaf_key(item: Item) -> tuple[object, ...]:
    payload = item.payload
    match payload:
        case Creation():
            return ("make", payload.instance.site)
        case Draw():
            return ("draw", payload.name)
        case Writing():
            return ("write", payload.buffer)
        case Equation():
            target = payload.target
            detail = (
                target.name if isinstance(target, BindTarget) else target.parameter if isinstance(target, Read) else ""
            )
            return (payload.op, detail, tuple(name for name, _ in payload.attributes))


def _body(head: ChoiceTree | None) -> tuple[Tree, ...]:
    return head.body if head is not None else ()


def _arm(context: Context, tests: Sequence[Expr]) -> int:
    try:
        for index, test in enumerate(tests):
            if evaluate(test, context.names):
                return index
    except Unknown as problem:
        raise Refused(f"a test can't be evaluated: {problem}") from problem
    return len(tests)


def _turns(context: Context, targets: tuple[str, ...], iterable: Expr) -> list[dict[str, object]]:
    try:
        return [bind_targets(targets, item) for item in evaluate(iterable, context.names)]
    except (Unknown, TypeError) as problem:
        raise Refused(f"a loop's iterable can't be evaluated: {problem}") from problem


def _counted(contexts: Sequence[Context], heads: Sequence[LoopTree | None]) -> Expr:
    """`range(n)` for a loop over layers or tensors: n as a constant or a name in scope."""
    counts = [Static(len(head.turns)) if head is not None else Static(0) for head in heads]
    value = values.merge([context.seen(count) for context, count in zip(contexts, counts, strict=True)])
    source = (
        value.source
        if isinstance(value, Formula)
        else Constant(cast(int, value.value))
        if isinstance(value, Known)
        else None
    )
    if source is None:
        raise Refused("a loop's length has no source")
    return CallExpr(Name("range"), (source,))  # type: ignore[arg-type]


def _check_turns(context: Context, head: LoopTree, turns: Sequence[Mapping[str, object]]) -> None:
    loop = context.module.loops[head.loop]
    if len(loop.values) != len(turns):
        raise Refused("the iterable gives another number of turns")
    for wanted, found in zip(loop.values, turns, strict=True):
        for target, static in zip(loop.targets, wanted, strict=True):
            if static is not None and target in found and not values.agrees(found[target], static.value, None):
                raise Refused("the iterable gives other values")


def _named(targets: tuple[str, ...], iterable: Expr, taken: Mapping[str, object]) -> tuple[str, ...]:
    """A loop that only counts gets a name for its turn's number: sizes may be told by it."""
    match iterable:
        case CallExpr(Name("range"), (_,), ()) if targets == ("_",):
            return (next(word for word in ("i", "j", "k", "turn", "_") if word not in taken or word == "_"),)
        case _:
            return targets


def _entries(
    contexts: Sequence[Context], heads: Sequence[LoopTree | None], source: Expr
) -> dict[int, tuple[int, ...]] | None:
    """The entries of a list of tensors that a loop goes over, by context; None if it is none (a list of layers)."""
    out: dict[int, tuple[int, ...]] = {}
    for context, head in zip(contexts, heads, strict=True):
        item = None if head is None else headers.first_item(head)
        if item is None:
            continue
        try:
            out[id(context)] = headers.entries(source, context.names, item.names)
        except Unknown:
            return None
    return out


def _hold(
    context: Context,
    entered: Sequence[Context],
    lists: Sequence[tuple[str, Expr, Mapping[int, tuple[int, ...]] | None]],
) -> None:
    """In each turn, the targets stand for the lists' entries."""
    for name, _, found in lists:
        entries = (found or {}).get(id(context))
        if entries is not None and len(entries) == len(entered):
            for turn, value in zip(entered, entries, strict=True):
                turn.define(value, Var(name))


def _collect(context: Context, entered: Sequence[Context], temps: range) -> None:
    """After a loop: Temps of its body hold the last turn's value, and as lists what all turns gave."""
    if not entered:
        return
    tables = [
        {ref.id: value for value, refs in turn.temps.items() for ref in refs if isinstance(ref, Temp)}
        for turn in entered
    ]
    context.leave(entered[-1])
    context.ended.update(temps)
    for temp in temps:
        if all(temp in table for table in tables):
            context.collected[(temp,)] = [table[temp] for table in tables]


def _types(context: Context, equation: Equation) -> tuple[tuple[TensorType, ...], tuple[TensorType, ...]]:
    types = context.module.types
    return tuple(types[v] for v in equation.inputs if v is not None), tuple(types[v] for v in equation.outputs)


def _check_types(contexts: Sequence[Context], equations: Sequence[Equation]) -> None:
    """Element types must be the same everywhere: code is chosen by them."""
    kinds = [
        tuple(context.module.types[v].dtype for v in (*equation.inputs, *equation.outputs) if v is not None)
        for context, equation in zip(contexts, equations, strict=True)
    ]
    if any(kind != kinds[0] for kind in kinds) and equations[0].op not in VARIADIC:
        raise Refused("different element types")


def _instance(context: Context, equation: Equation) -> Instance:
    target = equation.target
    assert isinstance(target, Call | Scan | Read)
    return context.module.instances[target.instance]


def _path_numbers(instance: Instance) -> tuple[int, ...]:
    return tuple(int(part) for part in instance.path.split(".") if part.isdigit())


def _given(instance: Instance, name: str) -> Static:
    return dict(instance.hyperparameters)[name]


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
    return (scan.scanned, scan.captured, scan.axis, scan.reverse, scan.has_lengths)


def _tensor(value: int | None) -> int:
    if value is None:
        raise Refused("an input is absent")
    return value
