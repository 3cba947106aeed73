"""Where sizes come from: for each value and axis an expression in the module's names, if one is known.

An abstract run of the module over source expressions instead of numbers: inputs have their declared dimensions,
parameters their declared shapes, ops and calls pass them on. Whoever uses an expression evaluates it first, so a rule
here can fail to help but not do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import cast

from dlc.backends.common import size_rules
from dlc.backends.common.evaluate import Unknown, free_names, substitute
from dlc.backends.common.size_arithmetic import Done, divided_by, simplified
from dlc.backends.common.size_leaving import Leaving
from dlc.backends.common.size_rule import Axes
from dlc.backends.common.size_rules import RULES, broadcast, written
from dlc.ir import BlockId, Call, Draw, Equation, Instance, Module, Scan, Static
from dlc.parameters import layer_references
from dlc.spec.syntax import (
    Binary,
    Block,
    Constant,
    Expr,
    If,
    Input,
    Name,
    Sample,
    SizedDimension,
    StarDimension,
    State,
    TensorType,
)


class Sizes:
    """Expressions of all values of all modules, computed when asked for."""

    def __init__(self, module: Callable[[int, str], Module], declarations: Mapping[BlockId, Block]):
        self.module, self.declarations = module, declarations
        self.known: dict[tuple[int, str], list[Axes]] = {}
        self.makers: dict[tuple[int, str], Mapping[int, int]] = {}
        self.ports: dict[tuple[int, str], Mapping[str, Axes]] = {}
        self.calls: dict[tuple[int, str], dict[int, list[Equation]]] = {}
        self.handings: dict[tuple[int, str], dict[int, list[tuple[Equation, int]]]] = {}
        self.done: Done = {}
        self.turns: dict[tuple[int, str], Leaving] = {}

    def of(self, program: int, module: Module) -> list[Axes]:
        key = (program, module.key)
        if key not in self.known:
            self.known[key] = self._trace(program, module)
        return self.known[key]

    def assuming(self, program: int, module: Module, given: Mapping[int, Axes], value: int) -> Axes:
        """One value's axes, with those of some values taken as given: what comes of these is told by them."""
        found = self._forward(program, module, given, self._behind(program, module, given, value))[value]
        return found if None not in found else self._trace(program, module, given)[value]

    def _trace(self, program: int, module: Module, given: Mapping[int, Axes] | None = None) -> list[Axes]:
        found = self._forward(program, module, given or {}, module.body)
        for equation in module.body:
            if isinstance(equation.target, Call | Scan):
                self._ask(program, module, equation, found)
        return found

    def _behind(self, program: int, module: Module, given: Mapping[int, Axes], value: int) -> list[Equation]:
        """The equations that the value comes from, in order, as far back as what is given."""
        key = (program, module.key)
        if key not in self.makers:
            self.makers[key] = {one: place for place, equation in enumerate(module.body) for one in equation.outputs}
        makers, body, leaving = self.makers[key], module.body, self.leaving(program, module)
        places: set[int] = set()
        rows: set[int] = set()
        due: list[int | None] = [value]
        while due:
            one = due.pop()
            place = None if one is None or one in given else makers.get(one)
            if place is not None and place not in places:
                places.add(place)
                due += body[place].inputs
                for row in leaving.compared(body[place]):
                    if id(row) not in rows:
                        rows.add(id(row))
                        due += row
        return [body[place] for place in sorted(places)]

    def _forward(
        self, program: int, module: Module, given: Mapping[int, Axes], equations: Iterable[Equation]
    ) -> list[Axes]:
        """The axes of all values, as these equations tell them."""
        found: list[Axes] = [(None,) * kind.rank for kind in module.types]
        declared = self._ports(program, module)
        for port in (*module.inputs, *module.states):
            axes = declared.get(port.name)
            if axes is not None and len(axes) == module.types[port.value].rank:
                found[port.value] = axes
        for parameter in module.parameters:
            if len(parameter.shape_source) == module.types[parameter.value].rank:
                found[parameter.value] = tuple(parameter.shape_source)
        for draw in module.draws:
            found[draw.value] = tuple(self.draw(module, draw))
        for value, axes in given.items():
            found[value] = axes
        for equation in equations:
            for value, axes in zip(equation.outputs, self._equation(program, module, equation, found), strict=False):
                kind = module.types[value]
                known = given.get(value, axes)
                found[value] = known if len(known) == kind.rank else (None,) * kind.rank
        return found

    def _ask(self, program: int, module: Module, equation: Equation, found: list[Axes]) -> None:
        """What starts a cell's state has the sizes that the cell declares."""
        target = cast("Call | Scan", equation.target)
        callee = self.module(program, target.module)
        declared = self._ports(program, callee)
        taken = pairs(callee, equation)
        lanes = {lane.name: lane.axis for lane in target.scanned} if isinstance(target, Scan) else {}
        given = {port: _step(found[value], lanes.get(port)) for port, value in taken if value is not None}
        names = in_caller(declared, module.instances[target.instance].hyperparameters, given)
        for port, value in taken:
            if value is None or port not in {state.name for state in callee.states}:
                continue
            wanted = [replaced(axis, names, self.done) for axis in declared.get(port, ())]
            if len(wanted) == len(found[value]):
                found[value] = tuple(old or new for old, new in zip(found[value], wanted, strict=True))

    def declared(self, module: Module) -> dict[str, Axes]:
        block = self.declarations.get(module.block)
        names = {name for name, _ in module.dims}
        out: dict[str, Axes] = {}
        if block is None and len(module.inputs) == 1:  # a function as a block: `input x: float[*B]`
            out[module.inputs[0].name] = tuple(Name(name) for name, _ in module.dims)
        for statement in block.body if block is not None else ():
            if isinstance(statement, Input | State):
                out[statement.name] = _axes(statement.type, names)
        return out

    def given(self, instance: Instance, name: str) -> Static:
        """A hyperparameter of an instance; a default that is made of others has their sources for its own."""
        constants = dict(instance.hyperparameters)
        static, block = constants[name], self.declarations.get(instance.block)
        if static.source is not None or name in instance.written or block is None:
            return static
        default = next((one.default for one in block.hyperparameters if one.name == name), None)
        if default is None or not free_names(default):
            return static
        known = {other: self.given(instance, other).source for other in free_names(default) if other in constants}
        try:
            return Static(static.value, substitute(default, {one: code for one, code in known.items() if code}))
        except Unknown:
            return static

    def draw(self, module: Module, draw: Draw) -> Sequence[Expr | None]:
        """The sizes that a draw is declared with."""
        rank = module.types[draw.value].rank
        block = self.declarations.get(module.block)
        found = None if block is None else _sample(block.body, draw.name)
        axes = () if found is None else _axes(found.type, {name for name, _ in module.dims})
        return axes if len(axes) == rank else (None,) * rank

    def _ports(self, program: int, module: Module) -> Mapping[str, Axes]:
        """Axes of inputs and states; those of a nested cell's states (`rnn.h`) come from that cell."""
        key = (program, module.key)
        if key not in self.ports:
            self.ports[key] = self._declared_below(program, module)
        return self.ports[key]

    def _declared_below(self, program: int, module: Module) -> Mapping[str, Axes]:
        out = {**self.declared(module), **self._prepared(program, module)}
        for equation in module.body:
            target = equation.target
            if not isinstance(target, Call):
                continue
            instance, callee = module.instances[target.instance], self.module(program, target.module)
            if callee.states:
                inner = self._ports(program, callee)
                names = in_caller(inner, instance.hyperparameters, {})
                for state in callee.states:
                    axes = (replaced(axis, names, self.done) for axis in inner.get(state.name, ()))
                    out.setdefault(f"{instance.path}.{state.name}", tuple(axes))
        return out

    def _prepared(self, program: int, module: Module) -> Mapping[str, Axes]:
        """Axes of what the block computes once (`Module.part`), in the same names."""
        if module.part != "step":
            return {}
        once = self.module(program, module.key.replace(".step", ".prepare"))
        found = self.of(program, once)
        return {port.name: found[port.value] for port in once.outputs}

    def leaving(self, program: int, module: Module) -> Leaving:
        key = (program, module.key)
        if key not in self.turns:
            self.turns[key] = Leaving.of(module)
        return self.turns[key]

    def _equation(self, program: int, module: Module, equation: Equation, found: Sequence[Axes]) -> Sequence[Axes]:
        leaving, frames = self.leaving(program, module), equation.origin.frames
        operands = [leaving.axes(value, frames, found) if value is not None else () for value in equation.inputs]
        sizes = [module.types[value].shape if value is not None else () for value in equation.inputs]
        results = [module.types[value].shape for value in equation.outputs]
        if isinstance(equation.target, Call):
            return self._call(program, module, equation, operands)
        if isinstance(equation.target, Scan):
            return self._scan(program, module, equation, operands)
        if equation.target is not None or not results:
            return [(None,) * len(shape) for shape in results]
        if equation.op == "reshape":
            scope = {name for name, _ in (*module.hyperparameters, *module.dims)}
            return [size_rules.reshape(written(equation, results[0], scope), operands[0], sizes[0], results[0])]
        if equation.op in ("concat", "stack"):
            rule = size_rules.concat if equation.op == "concat" else size_rules.stack
            runs = leaving.joined([cast(int, value) for value in equation.inputs], frames, found)
            return [rule(equation, operands, sizes, shape, runs) for shape in results]
        if equation.op == "split":
            return [size_rules.split(equation, operands, shape, place) for place, shape in enumerate(results)]
        rule = RULES.get(equation.op)
        if rule is not None:
            return [rule(equation, operands, sizes, shape) for shape in results]
        return [broadcast(operands, sizes, shape) for shape in results]

    def _call(self, program: int, module: Module, equation: Equation, operands: Sequence[Axes]) -> list[Axes]:
        target = cast(Call, equation.target)
        callee = self.module(program, target.module)
        values = [*callee.inputs, *callee.states]
        given = {port.name: axes for port, axes in zip(values, operands, strict=False)}
        return self._results(program, callee, module, target.instance, given)

    def _scan(self, program: int, module: Module, equation: Equation, operands: Sequence[Axes]) -> list[Axes]:
        target = cast(Scan, equation.target)
        callee = self.module(program, target.module)
        given: dict[str, Axes] = {}
        time: Expr | None = None
        for lane, axes in zip(target.scanned, operands, strict=False):
            time = axes[lane.axis] if len(axes) > lane.axis else None
            given[lane.name] = _step(axes, lane.axis)
        rest = operands[len(target.scanned) :]
        given.update(zip(target.captured, rest, strict=False))
        states = rest[len(target.captured) :]
        given.update({state.name: axes for state, axes in zip(callee.states, states, strict=False)})
        out = self._results(program, callee, module, target.instance, given)
        by_name = {port.name: axes for port, axes in zip(callee.outputs, out, strict=False)}
        stacked: list[Axes] = []
        for lane in target.stacked:
            axes = by_name[lane.name]
            stacked.append((*axes[: lane.axis], time, *axes[lane.axis :]))
        return [*stacked, *out[len(callee.outputs) :]]

    def calls_of(self, program: int, module: Module, instance: int) -> Sequence[Equation]:
        """The calls of one instance, in order."""
        key = (program, module.key)
        if key not in self.calls:
            found = self.calls[key] = dict[int, list[Equation]]()
            for equation in module.body:
                if isinstance(equation.target, Call | Scan):
                    found.setdefault(equation.target.instance, []).append(equation)
        return self.calls[key].get(instance, ())

    def handed(self, program: int, module: Module, instance: int) -> Sequence[tuple[Equation, int]]:
        """The calls of blocks that are given an instance of this module, and which one it is there."""
        key = (program, module.key)
        if key not in self.handings:
            found = self.handings[key] = dict[int, list[tuple[Equation, int]]]()
            for equation in module.body:
                if isinstance(equation.target, Call | Scan):
                    given = layer_references(module.instances[equation.target.instance])
                    there = self.module(program, equation.target.module).instances if given else ()
                    for number, one in enumerate(there):
                        if one.given in given:
                            found.setdefault(given[one.given], []).append((equation, number))
        return self.handings[key].get(instance, ())

    def _results(
        self, program: int, callee: Module, caller: Module, instance: int, given: Mapping[str, Axes]
    ) -> list[Axes]:
        """The callee's result axes in the caller's names."""
        inner, leaving = self.of(program, callee), self.leaving(program, callee)
        names = in_caller(self.declared(callee), caller.instances[instance].hyperparameters, given)
        out: list[Axes] = []
        for port in (*callee.outputs, *callee.next_states):
            out.append(tuple(replaced(axis, names, self.done) for axis in leaving.axes(port.value, (), inner)))
        return out


def _step(axes: Axes, lane: int | None) -> Axes:
    """The axes of one step of what is scanned along an axis."""
    return axes if lane is None else (*axes[:lane], *axes[lane + 1 :])


def _axes(kind: TensorType, names: Collection[str]) -> Axes:
    """A declared type's sizes; `names`: the module's dimensions, those that `*B` stands for as B0, B1."""
    axes: list[Expr | None] = []
    for entry in kind.dimensions:
        if isinstance(entry, StarDimension):
            place = 0
            while f"{entry.name}{place}" in names:
                axes.append(Name(f"{entry.name}{place}"))
                place += 1
        else:
            axes.append(Name(entry.name) if isinstance(entry, SizedDimension) else entry)
    return tuple(axes)


def _sample(body: Sequence[object], name: str) -> Sample | None:
    for statement in body:
        if isinstance(statement, Sample) and statement.name == name:
            return statement
        if isinstance(statement, If):
            arms = [inside for _, inside in statement.arms]
            found = _sample([one for inside in (*arms, statement.orelse) for one in inside], name)
            if found is not None:
                return found
    return None


def pairs(callee: Module, equation: Equation) -> list[tuple[str, int | None]]:
    if isinstance(equation.target, Scan):
        scan = equation.target
        names = [*scan.inputs, *(state.name for state in callee.states)]
    else:
        names = [*(port.name for port in callee.inputs), *(state.name for state in callee.states)]
    return list(zip(names, equation.inputs, strict=False))


def in_caller(
    declared: Mapping[str, Axes], hyperparameters: Sequence[tuple[str, Static]], given: Mapping[str, Axes]
) -> dict[str, Expr | None]:
    names: dict[str, Expr | None] = {}
    for name, static in hyperparameters:
        plain = isinstance(static.value, bool | int | float | str)
        names[name] = static.source if static.source is not None else Constant(static.value) if plain else None  # type: ignore[arg-type]
    found = [pair for port, axes in declared.items() for pair in zip(axes, given.get(port, ()), strict=False)]
    for entry, source in found:
        if isinstance(entry, Name) and entry.id not in names:
            names[entry.id] = source
    for entry, source in found:
        if source is not None and isinstance(entry, Binary) and entry.op == "*":
            names.update(_solved(entry, source, names))
    return names


def _solved(product: Binary, size: Expr, names: Mapping[str, Expr | None]) -> dict[str, Expr]:
    """The one factor that is not known yet: D of `heads * D`."""
    unknown = [factor for factor in (product.left, product.right) if not set(free_names(factor)) <= names.keys()]
    match unknown:
        case [Name(word) as name]:
            other = replaced(product.right if product.left == name else product.left, names, {})
            return {} if other is None else {word: divided_by(size, other)}
        case _:
            return {}


def replaced(axis: Expr | None, names: Mapping[str, Expr | None], done: Done) -> Expr | None:
    if axis is None:
        return None
    known: dict[str, Expr] = {}
    for name in free_names(axis):
        expression = names.get(name)
        if expression is None:
            return None
        known[name] = expression
    try:
        return simplified(substitute(axis, known), done) if known else axis
    except Unknown:
        return None


__all__ = ["Sizes", "in_caller", "pairs", "replaced"]
