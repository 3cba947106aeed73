"""The proof of a fold: the merged form, run with one module's arguments, is that module.

`prove` runs a Form the way Python will run the class: it evaluates constructor arguments, tests and iterables in the
module's own environment, assigns names, and walks through the module's items in lock-step. Each node must be the next
item: the same op, the same operands, the same constants, the same instance with the same arguments. It shares no code
with `merge` but the evaluation of constants, and trusts nothing that `merge` found out. Raises Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.backends.common import headers, held
from dlc.backends.common.context import static_names
from dlc.backends.common.evaluate import Unknown, bind_targets, evaluate, free_names
from dlc.backends.common.form import (
    PREPARE,
    Bind,
    Branch,
    Convention,
    Fetch,
    Form,
    Handed,
    Invoke,
    Loop,
    Make,
    Node,
    Run,
    Sample,
    Slot,
    Step,
    Store,
    Target,
    Weight,
)
from dlc.backends.common.proof_scope import ProofScope
from dlc.backends.common.ranks import axis_rank
from dlc.backends.common.structure import Creation, Item, Prepared, Writing
from dlc.backends.common.values import Refused
from dlc.ir import Bind as BindTarget
from dlc.ir import Call, Draw, Equation, Module, Read, Scan, Static
from dlc.parameters import layer_references


@dataclass(slots=True)
class Proof:
    """`target(program, callee key)` and `callee(program, callee key)` as in `Merging`."""

    target: Callable[[int, str], Target]
    callee: Callable[[int, str], Module]
    arguments: Callable[[Target], tuple[str, ...]]

    def check(self, form: Form, program: int, prepared: Prepared) -> None:
        """Raises Refused unless the form gives back this module."""
        if _computed(prepared.module.body) != _computed([item.payload for item in prepared.items]):
            raise Refused("what was prepared is another module")
        run = _Run(prepared, dict(static_names(prepared.module)), proof=self, program=program)
        run.weights(form.weights)
        try:
            run.sequence(form.body)
        except (Unknown, KeyError, IndexError, TypeError, ValueError) as problem:
            raise Refused(f"the merged form does not run: {problem!r}") from problem
        run.finish(form)


@dataclass(slots=True)
class _Run(ProofScope):
    proof: Proof = field(kw_only=True)
    program: int = field(kw_only=True)
    place: int = 0
    made: dict[str, Creation] = field(default_factory=dict[str, Creation])

    # --- control -----------------------------------------------------------------------------------------------

    def sequence(self, body: Sequence[Node]) -> None:
        for node in body:
            match node:
                case Loop():
                    self._loop(node)
                case Branch():
                    self._branch(node)
                case Bind():
                    self.variables[node.name] = self.content(node.content)
                    self.keep_extents(node)
                case _:
                    self._leaf(node)

    def _loop(self, node: Loop) -> None:
        outer, turns = dict(self.names), self.turns
        lists: dict[int, list[int]] = {}
        items = list(evaluate(node.iterable, self.names))
        entries = {word: headers.entries(source, self.names, self.variables) for word, source in node.lists}
        for word, found in entries.items():
            self.same(f"entries for {word}", len(found), len(items))
        for number, item in enumerate(items):
            self.names.update(bind_targets(node.targets, item))
            self.variables.update({word: found[number] for word, found in entries.items()})
            self.turns = (*turns, number)
            before = dict(self.temps)
            self.sequence(node.body)
            for temp, value in self.temps.items():
                if before.get(temp) != value:
                    lists.setdefault(temp, []).append(value)
        self.collected.update(lists)
        self.turns = turns
        self.names = outer

    def _branch(self, node: Branch) -> None:
        asked = {"training", *(name for name, _ in self.module.signature)}
        read = {name for test in node.tests for name in free_names(test)}
        self.same("whether only a call knows the arm", node.late, bool(asked & read))
        taken = self._taken(node)
        for number, arm in enumerate(node.arms):
            if number == taken:
                self.sequence(arm or ())
            elif node.late:
                self._construct(arm or ())
        self.require_extents()

    def _taken(self, node: Branch) -> int:
        return next((i for i, test in enumerate(node.tests) if evaluate(test, self.names)), len(node.tests))

    def _construct(self, body: Sequence[Node]) -> None:
        """`__init__` makes the parts of an arm that this module does not take: sizes that are kept change."""
        for node in body:
            match node:
                case Bind():
                    self.extents.update({f"{node.name}.{axis}": self.evaluate(value) for axis, value in node.extents})
                case Loop():
                    outer = dict(self.names)
                    for item in evaluate(node.iterable, self.names):
                        self.names.update(bind_targets(node.targets, item))
                        self._construct(node.body)
                    self.names = outer
                case Branch():
                    arms = node.arms if node.late else (node.arms[self._taken(node)],)
                    for arm in arms:
                        self._construct(arm or ())
                case _:
                    continue

    # --- leaves ------------------------------------------------------------------------------------------------

    def _leaf(self, node: Node) -> None:
        item = self._next()
        payload = item.payload
        match node, payload:
            case Make(), Creation():
                self._make(node, payload)
            case Sample(), Draw():
                self._sample(node, payload)
            case Store(), Writing():
                self.same("buffer", (node.name, self.value(node.value)), (payload.buffer, payload.value))
            case Run(), Equation(target=None):
                self._run(node, payload)
            case Invoke(), Equation(target=Call()):
                self._invoke(node, payload)
            case Step(), Equation(target=Scan()):
                self._step(node, payload)
            case Fetch(), Equation(target=Read()):
                self._fetch(node, payload)
            case _:
                raise Refused(f"{type(node).__name__} where the module has {type(payload).__name__}")

    def _next(self) -> Item:
        items = self.prepared.items
        while self.place < len(items) and _is_bind(items[self.place]):
            self.place += 1
        if self.place == len(items):
            raise Refused("the merged form goes on where the module ends")
        self.place += 1
        return items[self.place - 1]

    def _run(self, node: Run, equation: Equation) -> None:
        self.same("op", node.op, equation.op)
        self.same("operands", self.operands(node.operands), equation.inputs)
        self.same("attributes", [name for name, _ in node.attributes], [name for name, _ in equation.attributes])
        ranks = [self.module.types[value].rank for value in equation.inputs if value is not None]
        for (name, value), (_, static) in zip(node.attributes, equation.attributes, strict=True):
            rank = axis_rank(node.op, name, ranks, equation, self.module)
            self.constant(f"{node.op} {name}", value, static.value, rank, self.size_here)
        for kind, wanted in zip(node.result_types, equation.outputs, strict=True):
            self.same("element type", kind.dtype, self.type_of(wanted).dtype)
        self.results(node.results, equation.outputs)

    def _invoke(self, node: Invoke, equation: Equation) -> None:
        target = equation.target
        assert isinstance(target, Call)
        callee = self.proof.callee(self.program, target.module)
        if isinstance(node.target, Convention):
            self._convention(node.target, callee, target.instance)
        else:
            self.same("callee", self.proof.target(self.program, target.module), node.target)
        self.same("part", node.part, callee.part)
        self._instance(node.slot, target.instance)
        self._layers(node.layers, target.instance)
        given = {name: None if ref is None else self.maybe(ref) for name, ref in node.inputs}
        for name in callee.absent:
            self.same(f"input {name}", given.pop(name, None), None)
        wanted = [given[port.name] for port in callee.inputs]
        states = [self.value(ref) for ref in node.states]
        self.same("inputs", [*wanted, *states], _present(equation, callee))
        self.same("number of inputs", len(given), len(callee.inputs))
        self.results(node.results, equation.outputs)

    def _step(self, node: Step, equation: Equation) -> None:
        target, scan = equation.target, node.scan
        assert isinstance(target, Scan)
        self.same("callee", self.proof.target(self.program, target.module), node.target)
        self.same("whether once", self.proof.callee(self.program, target.module).part == PREPARE, False)
        self._instance(node.slot, target.instance)
        self._layers(node.layers, target.instance)
        kind = (scan.scanned, scan.captured, scan.stacked, scan.reverse, scan.has_lengths)
        wanted = (target.scanned, target.captured, target.stacked, target.reverse, target.has_lengths)
        self.same("kind of scan", kind, wanted)
        self.same("whether steps are counted", node.steps is not None, not target.scanned)
        if node.steps is not None:
            self.constant("steps", node.steps, target.steps.value, None)
        refs = [*node.scanned, *node.captured, *node.states, *([node.lengths] if node.lengths is not None else [])]
        self.same("inputs", [self.value(ref) for ref in refs], list(equation.inputs))
        self.results(node.results, equation.outputs)

    def _fetch(self, node: Fetch, equation: Equation) -> None:
        target = equation.target
        assert isinstance(target, Read)
        self._instance(node.slot, target.instance)
        self.same("parameter", node.parameter, target.parameter)
        self.results(node.results, equation.outputs)

    def _make(self, node: Make, creation: Creation) -> None:
        path = self._path(node.slot)
        self.same("path", path, creation.instance.path)
        self.same("block", node.block, creation.instance.block)
        arguments = dict(node.hyperparameters)
        for key in creation.callees:
            callee = self.proof.callee(self.program, key)
            self.same("class", self.proof.target(self.program, key), node.target)
            wanted: Mapping[str, Static] = dict(callee.hyperparameters)
            for name, value in arguments.items():
                self.constant(f"{path} {name}", value, wanted[name].value, None)
            given = {name: self.evaluate(value) for name, value in node.dims}
            for name in self.proof.arguments(node.target):
                if name not in arguments:
                    self.same(f"{path} {name}", given[name], dict(callee.dims)[name])
        self.made[path] = creation

    def _sample(self, node: Sample, draw: Draw) -> None:
        self.same("distribution", node.draw.distribution.name, draw.distribution.name)
        kind = self.module.types[draw.value]
        self.same("type of draw", node.dtype, kind.dtype)
        self.same("rank of draw", len(node.shape), kind.rank)
        for value, size in zip(node.shape, kind.shape, strict=True):
            self.constant("shape of draw", value, size, None)
        for value, static in zip(node.arguments, draw.distribution.arguments, strict=True):
            self.constant("argument of draw", value, static.value, None)
        self.results(node.results, (draw.value,))

    # --- parts -------------------------------------------------------------------------------------------------

    def weights(self, weights: Sequence[Weight]) -> None:
        """The parameters that the class would make are those of the module: names, shapes, initial values, in order."""
        made = [weight for weight in weights if self._exists(weight)]
        self.same("parameters", [weight.name for weight in made], [p.name for p in self.module.parameters])
        for weight, parameter in zip(made, self.module.parameters, strict=True):
            kind = self.module.types[parameter.value]
            self.same("kind", (weight.kind, weight.dtype), (parameter.kind, kind.dtype))
            self.same("rank", len(weight.shape), kind.rank)
            for value, size in zip(weight.shape, kind.shape, strict=True):
                self.constant(f"shape of {weight.name}", value, size, None)
            self.same("initial value", weight.initial.name, parameter.initial.name)
            for value, static in zip(weight.arguments, parameter.initial.arguments, strict=True):
                self.constant(f"initial value of {weight.name}", value, static.value, None)

    def finish(self, form: Form) -> None:
        """All items are used up, and the results are the module's."""
        rest = self.prepared.items[self.place :]
        if not all(_is_bind(item) for item in rest):
            raise Refused("the merged form ends where the module goes on")
        for pairs, ports in ((form.outputs, self.module.outputs), (form.next_states, self.module.next_states)):
            self.same("results", [name for name, _ in pairs], [port.name for port in ports])
            self.same("results", [self.value(ref) for _, ref in pairs], [port.value for port in ports])

    def _exists(self, weight: Weight) -> bool:
        if weight.condition is None:
            return True
        test, wanted = weight.condition
        try:
            return bool(evaluate(test, self.names)) == wanted
        except Unknown as problem:
            raise Refused(f"a parameter's condition: {problem}") from problem

    def _instance(self, slot: Slot, number: int) -> None:
        instance = self.module.instances[number]
        path = self._path(slot)
        self.same("instance", path, instance.path)
        if path not in self.made and self._is_made(number):
            raise Refused(f"{path} is used before it is made")

    def _layers(self, layers: Sequence[tuple[str, Handed]], number: int) -> None:
        """The callee is given the layers that the module gives it, and these have theirs."""
        wanted = layer_references(self.module.instances[number])
        self.same("layers", [name for name, _ in layers], list(wanted))
        for name, handed in layers:
            self._instance(handed.slot, wanted[name])
            self._layers(handed.layers, wanted[name])

    def _convention(self, convention: Convention, callee: Module, number: int) -> None:
        """A given layer that is called as all layers of its module are."""
        self.same("whether it is given", self.module.instances[number].given is not None, True)
        present = [pair for pair in callee.signature if pair[0] not in callee.absent]
        self.same("inputs of a given layer", list(convention.inputs), present)
        self.same("results of a given layer", convention.results, held.results(callee))

    def _is_made(self, number: int) -> bool:
        payloads = (item.payload for item in self.prepared.items)
        return any(isinstance(payload, Creation) and payload.number == number for payload in payloads)

    def _path(self, slot: Slot) -> str:
        return ".".join([slot.site, *(str(self.evaluate(index)) for index in slot.indices)])


def _computed(payloads: Sequence[object]) -> tuple[list[Equation], set[Equation]]:
    """What is computed in this order, and the constants, which may be made earlier (see `start_numbers`)."""
    found = [one for one in payloads if isinstance(one, Equation) and not isinstance(one.target, BindTarget)]
    return [one for one in found if one.op != "constant"], {one for one in found if one.op == "constant"}


def _is_bind(item: Item) -> bool:
    return isinstance(item.payload, Equation) and isinstance(item.payload.target, BindTarget)


def _present(equation: Equation, callee: Module) -> list[int | None]:
    """The inputs of a call without those that the callee knows as absent."""
    if len(equation.inputs) == len(callee.inputs) + len(callee.states):
        return list(equation.inputs)
    declared = equation.inputs[: len(callee.signature)]
    kept = [value for value, (name, _) in zip(declared, callee.signature, strict=True) if name not in callee.absent]
    return [*kept, *equation.inputs[len(callee.signature) :]]
