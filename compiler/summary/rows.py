"""The tree of a network's instances: what each is, what it gives, what it holds and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.dims import Size, multiply, substitute
from dlc.ir import Call, Equation, Instance, LayerRef, Module, Program, Read, Scan, Static, Template, TensorType
from dlc.parameters import NetworkParameter, join
from dlc.summary.costs import Cost, call_cost, costs, steps


@dataclass(frozen=True, slots=True)
class Row:
    """One instance. `path` is canonical (the prefix of its parameters' names), `name` its part below the owner.

    `site` is the name without the turns of loops. `hyperparameters` are those that the spec writes, as text, and
    `applied` is the block with them, `conv2d(64, kernel=3)`; `outputs` those of the first of its `calls`; `reads`
    counts uses of its parameters by others; counts and costs hold what is below it too. An instance that only others
    call (a `layer` hyperparameter) has no calls here: their costs are told where they call it.
    """

    path: str
    name: str
    site: str
    depth: int
    block: str
    scanned: bool
    hyperparameters: tuple[tuple[str, str], ...]
    applied: str
    outputs: tuple[tuple[str, str], ...]
    calls: int
    reads: int
    parameters: int
    buffers: int
    multiply_adds: Size
    activations: Size
    children: tuple[Row, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class _Place:
    """Where a module stands: its path, its depth, its dimensions in the network's, how often scans run it."""

    module: Module
    path: str
    depth: int
    dims: Mapping[str, Size]
    times: Size


@dataclass(slots=True)
class _Walk:
    table: Mapping[str, Module]
    totals: Mapping[str, tuple[int, int]]
    costs: Mapping[str, Cost]
    fixed: Mapping[str, Size]

    def rows(self, place: _Place) -> tuple[Row, ...]:
        """The module's own instances, in the order in which they were made."""
        uses: dict[int, list[Equation]] = {}
        for equation in place.module.body:
            if isinstance(equation.target, Call | Scan | Read):
                uses.setdefault(equation.target.instance, []).append(equation)
        return tuple(
            self._row(place, instance, uses.get(index, []))
            for index, instance in enumerate(place.module.instances)
            if instance.given is None and (index in uses or join(place.path, instance.path) in self.totals)
        )

    def _row(self, place: _Place, instance: Instance, uses: Sequence[Equation]) -> Row:
        calls = [equation for equation in uses if not isinstance(equation.target, Read)]
        path = join(place.path, instance.path)
        cost = Cost()
        for equation in calls:
            assert isinstance(equation.target, Call | Scan)
            cost += call_cost(equation.target, self.costs)
        cost = cost.at(place.dims).times(place.times).at(self.fixed)
        parameters, buffers = self.totals.get(path, (0, 0))
        return Row(
            path,
            instance.path,
            instance.site,
            place.depth,
            instance.block.name,
            any(isinstance(equation.target, Scan) for equation in calls),
            written(instance, place.module),
            applied(instance, place.module),
            self._outputs(place, calls),
            len(calls),
            len(uses) - len(calls),
            parameters,
            buffers,
            cost.multiply_adds,
            cost.activations,
            self.rows(self._inside(place, path, calls[0])) if calls else (),
        )

    def _inside(self, place: _Place, path: str, call: Equation) -> _Place:
        target = call.target
        assert isinstance(target, Call | Scan)
        dims = {name: substitute(size, place.dims) for name, size in target.dims}
        times = (
            multiply(place.times, substitute(steps(target), place.dims)) if isinstance(target, Scan) else place.times
        )
        return _Place(self.table[target.module], path, place.depth + 1, dims, times)

    def _outputs(self, place: _Place, calls: Sequence[Equation]) -> tuple[tuple[str, str], ...]:
        if not calls:
            return ()
        target = calls[0].target
        assert isinstance(target, Call | Scan)
        names = [port.name for port in self.table[target.module].outputs]
        if isinstance(target, Scan):
            names = [lane.name for lane in target.stacked]
        types = [place.module.types[value] for value in calls[0].outputs]
        return tuple((name, type_text(type_, place.dims)) for name, type_ in zip(names, types, strict=False))


def rows(program: Program, stored: Sequence[NetworkParameter], fixed: Mapping[str, Size]) -> tuple[Row, ...]:
    """The instances of the entry, each with those below it. `fixed`: sizes at which costs are told."""
    walk = _Walk(program.table, _totals(stored), costs(program), fixed)
    return walk.rows(_Place(program.module(program.entry), "", 0, {}, 1))


def flat(tree: Sequence[Row]) -> Iterator[Row]:
    """All rows, owners before what they own."""
    for row in tree:
        yield row
        yield from flat(row.children)


def _totals(stored: Sequence[NetworkParameter]) -> dict[str, tuple[int, int]]:
    """Numbers in parameters and in buffers, for each prefix of a parameter's path."""
    found: dict[str, tuple[int, int]] = {}
    for parameter in stored:
        size = elements(parameter)
        params, buffers = (size, 0) if parameter.kind == "param" else (0, size)
        parts = parameter.path.split(".")
        for end in range(1, len(parts)):
            prefix = ".".join(parts[:end])
            before = found.get(prefix, (0, 0))
            found[prefix] = (before[0] + params, before[1] + buffers)
    return found


def written(instance: Instance, owner: Module) -> tuple[tuple[str, str], ...]:
    """The hyperparameters that the spec gives, in the block's order, as text."""
    named = set(instance.written)
    return tuple((name, value_text(value, owner)) for name, value in instance.hyperparameters if name in named)


def applied(instance: Instance, owner: Module) -> str:
    """The block as the spec applies it: `conv2d(64, kernel=3)`; the first hyperparameter needs no name."""
    given = written(instance, owner)
    first = instance.hyperparameters[0][0] if instance.hyperparameters else None
    texts = [value if name == first else f"{name}={value}" for name, value in given]
    return f"{instance.block.name}({', '.join(texts)})" if texts else instance.block.name


def elements(parameter: NetworkParameter) -> int:
    count = 1
    for size in parameter.shape:
        count *= size
    return count


def type_of(parameter: NetworkParameter) -> str:
    return f"{parameter.dtype}[{', '.join(map(str, parameter.shape))}]"


def type_text(type_: TensorType, dims: Mapping[str, Size]) -> str:
    shape = [str(substitute(size, dims)) if dims else str(size) for size in type_.shape]
    return f"{type_.dtype}[{', '.join(shape)}]"


def value_text(value: object, owner: Module) -> str:
    """A hyperparameter's value as the language writes it; a layer by its path in the owner."""
    if isinstance(value, Static):
        return value_text(value.value, owner)
    if isinstance(value, Template):
        bound = ", ".join(f"{name}={value_text(static, owner)}" for name, static in value.hyperparameters)
        return f"{value.block.name}({bound})" if bound else value.block.name
    if isinstance(value, LayerRef):
        return owner.instances[value.instance].path
    if isinstance(value, tuple):
        items: tuple[object, ...] = value
        return f"[{', '.join(value_text(item, owner) for item in items)}]"
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    return str(value)


def _escaped(character: str) -> str:
    """As a string of the language has it: what can't be printed by its number, so that no spec writes to a terminal."""
    if character in ('"', "\\"):
        return "\\" + character
    code = ord(character)
    return character if character.isprintable() else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
