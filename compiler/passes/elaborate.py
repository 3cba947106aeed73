"""From a resolved spec to IR: each block is executed at compile time for its hyperparameters, input types and mode.

A module is elaborated once for what it depends on (memoised), for formal dimensions (`dlc.passes.dimensions`). Not
done here:
layouts, decompositions, anything that knows a backend.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dlc import dims, ir
from dlc.diagnostics import Diagnostic, DlcError, Note, error
from dlc.dims import Size
from dlc.ir import Static, TensorType
from dlc.passes import dimension_names, dimensions, given_sizes, naming, op_hints
from dlc.passes.bounds import input_bounds
from dlc.passes.builder import Builder
from dlc.passes.instances import add, as_static
from dlc.passes.messages import dimension_name
from dlc.passes.sources import named
from dlc.passes.starts import Start
from dlc.passes.statements import execute_all, finish
from dlc.passes.things import BlockDeclaration, BlockValue, Items, Layer, Tensor, Thing
from dlc.passes.uncalled import check_reads
from dlc.spec import syntax
from dlc.spec.record import replace
from dlc.spec.source import Span

MAX_WORK = 150_000  # equations and loop turns, about
MODULE_WORK = 30  # what a module costs besides its equations
MAX_NESTING = 200
MAX_NOTES = 8  # calls shown on the way to a mistake

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """Which module is wanted: a block, its hyperparameters, the types of its inputs and given states, the mode."""

    declaration: BlockDeclaration
    things: Mapping[str, Thing]
    owner: Builder | None
    sizes: dimensions.Sizes
    absent: tuple[str, ...]
    training: bool
    given: given_sizes.Given = field(default_factory=dict[str, Size])

    @property
    def things_inside(self) -> dict[str, Thing]:
        """The hyperparameters as the module sees them: dynamic sizes in its own symbols."""
        return given_sizes.things_inside(self.things, self.given)


@dataclass
class Elaborator:
    """Elaborates the modules of one unit; modules are shared between its networks."""

    modules: dict[Key, ir.Module] = field(default_factory=dict[Key, ir.Module])
    failures: dict[Key, DlcError] = field(default_factory=dict[Key, DlcError])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])
    active: list[BlockDeclaration] = field(default_factory=list[BlockDeclaration])
    work: int = 0
    #: Where the states of each module start that do not start with a number.
    starts: dict[str, Mapping[str, Start]] = field(default_factory=dict[str, Mapping[str, Start]])
    #: What computes where parameters start, by the module without its key.
    computed: dict[ir.Module, ir.Module] = field(default_factory=dict[ir.Module, ir.Module])
    configurations: dict[tuple[object, str], BlockValue] = field(default_factory=dict[tuple[object, str], BlockValue])

    def spend(self, span: Span, amount: int = 1) -> None:
        """Counts the work done. Raises DlcError where a spec would make a network beyond all reason."""
        self.work += amount
        if self.work > MAX_WORK:
            raise error(
                "E0511",
                "this network is too large to compile",
                span,
                found=f"more than {MAX_WORK:,} operations and loop turns",
                hint="a loop with many turns belongs into a `scan`",
            )

    # --- calls of instances ------------------------------------------------------------------------------------

    def module_for(
        self,
        b: Builder,
        layer: Layer,
        types: Mapping[str, TensorType | None],
        states: Mapping[str, TensorType],
        span: Span,
    ) -> tuple[ir.Module, dict[str, Size]]:
        """The module that a call of an instance needs, and its formal dimensions in the caller's symbols.

        Raises DlcError: a shape that does not fit, or a mistake in the block itself (told at the user's own line).
        """
        things = b.instance_things[layer.instance]
        sizes = self._match(b, layer.declaration, things, types, states, span)
        absent = tuple(name for name, kind in types.items() if kind is None)
        self._check_nesting(layer.declaration, span, given=b.instances[layer.instance].given is not None)
        try:
            module, back = self._general(b, layer, sizes, absent)
        except DlcError as problem:
            hint = _divisor_hint(b.instance_things[layer.instance], sizes)
            raise _told_at_call(problem, layer.declaration, span, sizes, hint) from None
        b.instance_modules[layer.instance].append(module)
        return module, {name: back[name] for name in _used_symbols(module, back)}

    def _general(
        self,
        b: Builder,
        layer: Layer,
        sizes: dimensions.Sizes,
        absent: tuple[str, ...],
    ) -> tuple[ir.Module, dict[str, Size]]:
        """The module for independent dimensions; where the block needs relations between them, for the caller's own."""
        declaration, things = layer.declaration, b.instance_things[layer.instance]
        owner = b.instance_owners[layer.instance]
        open_names = [name for name in dimension_names.growing_names(declaration, absent) if name not in sizes]
        dynamic = given_sizes.found_in(things)
        formal, back = dimensions.formal_sizes(sizes, related=False)
        given, more = given_sizes.formal(dynamic, {}, back)
        sizes_inside = dimensions.with_open(formal, open_names)
        request = Request(declaration, things, owner, sizes_inside, absent, b.training, given)
        try:
            return self.module(request), {**back, **more}
        except DlcError as problem:
            if not (_is_of_shapes(problem) and dimensions.are_related({**sizes, **dynamic})):
                raise
        formal, back = dimensions.formal_sizes(sizes, related=True)
        given, more = given_sizes.formal(dynamic, dimensions.inverse(back), back)
        request = replace(request, sizes=dimensions.with_open(formal, open_names), given=given)
        return self.module(request), {**back, **more}

    def _match(
        self,
        b: Builder,
        declaration: BlockDeclaration,
        things: Mapping[str, Thing],
        types: Mapping[str, TensorType | None],
        states: Mapping[str, TensorType],
        span: Span,
    ) -> dimensions.Sizes:
        scope = Builder(self, declaration, b.training, env=dict(things))
        matcher = dimensions.Matcher(scope, declaration, span)
        waiting = [(d.name, d.type, types[d.name]) for d in declaration.inputs]
        waiting += [(s.name, s.type, states.get(s.name)) for s in declaration.states]
        # Inputs with a compound dimension wait until the plain ones have bound what they can.
        for compound in (False, True):
            for name, declared, found in waiting:
                if found is not None and _is_compound(declared) == compound:
                    matcher.match(name, declared, found)
        matcher.bind_fixed()
        return matcher.sizes

    def _check_nesting(self, declaration: BlockDeclaration, span: Span, *, given: bool) -> None:
        """A block may stand in itself where it is given (`twice(twice(f))`), but not make itself."""
        if declaration in self.active and not given:
            chain = [d.id.name for d in self.active[self.active.index(declaration) :]] + [declaration.id.name]
            raise error("E0611", f"`{declaration.id.name}` uses itself", span, found=" -> ".join(chain))
        if len(self.active) > MAX_NESTING:
            raise error("E0512", f"blocks are nested more than {MAX_NESTING} deep", span)

    def parameter_type(self, b: Builder, layer: Layer, name: str) -> TensorType | None:
        """The type of a parameter whose shape depends on hyperparameters alone; None if it does not."""
        scope = Builder(self, layer.declaration, b.training, env=dict(b.instance_things[layer.instance]))
        for statement in layer.declaration.block.body:
            if isinstance(statement, syntax.Parameter) and name in statement.names:
                try:
                    kind = dimensions.declared_type(scope, statement.type)
                except DlcError:
                    return None
                return kind
        return None

    # --- modules -----------------------------------------------------------------------------------------------

    def module(self, request: Request) -> ir.Module:
        """The module of a block for formal dimensions, elaborated at its first request. Raises DlcError."""
        key = _key(request)
        if key in self.failures:
            raise self.failures[key]
        if key not in self.modules:
            self.active.append(request.declaration)
            try:
                self.modules[key] = self._elaborate(request)
            except DlcError as problem:
                self.failures[key] = problem
                raise
            finally:
                self.active.pop()
        return self.modules[key]

    def _elaborate(self, request: Request) -> ir.Module:
        declaration = request.declaration
        self.spend(declaration.block.name_span, MODULE_WORK)
        b = Builder(self, declaration, request.training, sites=naming.name_sites(declaration))
        self._scope(b, request)
        b.growing = dimension_names.growing_names(declaration, request.absent)
        inputs: list[ir.Port] = []
        for declared in declaration.inputs:
            if declared.name in request.absent:
                b.env[declared.name] = Static(None, syntax.Name(declared.name))
                continue
            value = b.new_value(dimensions.declared_type(b, declared.type))
            inputs.append(ir.Port(declared.name, value, input_bounds(b, declared)))
            b.env[declared.name] = Tensor(value)
            first = dimension_name(declared.type.dimensions[0]) if declared.type.dimensions else None
            if first is not None:
                b.first_axes[value] = first
        execute_all(b, declaration.block.body)
        finish(b)
        check_reads(b)
        return self._module(b, request, inputs)

    def _scope(self, b: Builder, request: Request) -> None:
        """Hyperparameters, layers that were given, dimensions, and the mode."""
        for name, thing in request.things_inside.items():
            b.env[name] = self._given(b, request, name, thing)
        for name, size in request.sizes.items():
            b.env[name] = dimensions.as_thing(size, name)
        b.env["training"] = Static(request.training, syntax.Name("training"))

    def _given(self, b: Builder, request: Request, name: str, thing: Thing) -> Thing:
        if isinstance(thing, Items):
            given = named(thing, syntax.Name(name))
            assert isinstance(given, Items)
            parts = (self._given(b, request, f"{name}.{i}", part) for i, part in enumerate(thing.items))
            held = tuple(part if _holds_layer(part) else plain for part, plain in zip(parts, given.items, strict=True))
            return replace(given, items=held)
        if not isinstance(thing, Layer):
            return thing if given_sizes.is_dynamic(thing) else named(thing, syntax.Name(name))
        assert request.owner is not None
        original = request.owner.instances[thing.instance]
        things = request.owner.instance_things[thing.instance]
        owner = request.owner.instance_owners[thing.instance]
        # The layers that it holds are known where it was made.
        held = {key for key, value in things.items() if _holds_layer(value)}
        constants = tuple((key, value) for key, value in original.hyperparameters if key not in held)
        instance = ir.Instance(name, name, original.block, constants, original.written, given=name)
        return add(b, instance, BlockValue(thing.declaration), things, owner)

    def _module(self, b: Builder, request: Request, inputs: list[ir.Port]) -> ir.Module:
        declaration = request.declaration
        name = declaration.id.name
        self.counts[name] = self.counts.get(name, 0) + 1
        ports = [(p.name, b.types[p.value]) for p in inputs] + [(s.name, b.types[s.value]) for s in b.states]
        symbols = [*dimensions.symbols_of(request.sizes), *b.lifted.values(), *dimensions.symbols_of(request.given)]
        homes = dimensions.homes(ports, symbols)
        told = given_sizes.ports(b, request.given, homes, [name for name, _ in ports])
        all_inputs = _with_sizes(inputs, told, declaration)
        key = f"{name}#{self.counts[name]}"
        constants = {n: thing for n, thing in request.things_inside.items() if not given_sizes.is_dynamic(thing)}
        self.starts[key] = b.starts
        return ir.Module(
            key=key,
            block=declaration.id,
            doc=declaration.block.doc,
            hyperparameters=tuple((n, as_static(b, _own(b, n, t), NO_SPAN)) for n, t in constants.items()),
            dims=_dims({**request.sizes, **request.given}),
            homes=(*homes, *told.values()),
            training=request.training,
            inputs=all_inputs,
            absent=tuple(i.name for i in declaration.inputs if i.name in request.absent),
            parameters=tuple(b.parameters),
            states=tuple(b.states),
            draws=tuple(b.draws),
            instances=tuple(b.instances),
            types=tuple(b.types),
            body=tuple(b.body),
            outputs=tuple(b.outputs),
            next_states=tuple(ir.Port(s.name, b.next_states[s.name]) for s in b.states),
            next_buffers=tuple(ir.Port(n, v) for n, v in b.next_buffers.items()),
            loops=tuple(b.loops),
            choices=tuple(b.choices),
            signature=_signature(declaration, told),
            span=declaration.block.name_span,
        )


NO_SPAN = syntax.NOWHERE


def _is_of_shapes(problem: DlcError) -> bool:
    """Whether a mistake is of shapes or sizes, which the caller's relations between dimensions may mend."""
    return any(d.code.startswith("E04") or d.code == "E0503" for d in problem.diagnostics)


def _holds_layer(thing: Thing) -> bool:
    return isinstance(thing, Layer) or (isinstance(thing, Items) and any(map(_holds_layer, thing.items)))


def _own(b: Builder, name: str, thing: Thing) -> Thing:
    """A hyperparameter as the module itself sees it: known by its name; a given layer is an instance of its own."""
    if isinstance(thing, Items) and _holds_layer(thing):
        return Items(tuple(_own(b, f"{name}.{i}", part) for i, part in enumerate(thing.items)), syntax.Name(name))
    if isinstance(thing, Layer):
        number = next(i for i, instance in enumerate(b.instances) if instance.given == name)
        return Layer(number, thing.declaration)
    return named(thing, syntax.Name(name))


def _with_sizes(
    inputs: Sequence[ir.Port], sizes: Collection[ir.Port], declaration: BlockDeclaration
) -> tuple[ir.Port, ...]:
    """A module's inputs with those that are sizes, before the first that is optional."""
    optional = {i.name for i in declaration.inputs if i.default is not None}
    first = next((at for at, port in enumerate(inputs) if port.name in optional), len(inputs))
    return (*inputs[:first], *sizes, *inputs[first:])


def _signature(declaration: BlockDeclaration, sizes: Collection[ir.Port]) -> tuple[tuple[str, bool], ...]:
    declared = [(i.name, i.default is not None) for i in declaration.inputs]
    first = next((at for at, (_, optional) in enumerate(declared) if optional), len(declared))
    return (*declared[:first], *((port.name, False) for port in sizes), *declared[first:])


def _dims(sizes: dimensions.Sizes) -> tuple[tuple[str, Size], ...]:
    flat: list[tuple[str, Size]] = []
    for name, size in sizes.items():
        if isinstance(size, tuple):
            flat.extend((f"{name}{i}", part) for i, part in enumerate(size))
        else:
            flat.append((name, size))
    return tuple(flat)


def _is_compound(declared: syntax.TensorType) -> bool:
    return any(
        not isinstance(d, syntax.Name | syntax.Constant | syntax.StarDimension | syntax.SizedDimension)
        for d in declared.dimensions
    )


def _used_symbols(module: ir.Module, back: Mapping[str, Size]) -> list[str]:
    return [name for name in back if any(home.symbol == name for home in module.homes)] or list(back)


def _key(request: Request) -> Key:
    things = tuple((name, _thing_key(request.owner, thing)) for name, thing in request.things.items())
    sizes = (tuple(request.sizes.items()), tuple(request.given.items()))
    return request.declaration, things, sizes, request.absent, request.training


def _thing_key(owner: Builder | None, thing: Thing) -> object:
    """What makes two hyperparameter values the same; 1, 1.0 and true are three, 0.0 and -0.0 are two."""
    match thing:
        case Static(value=dims.Dim()):
            return "size"  # `Request.given` says which
        case Static(value=value):
            return ir.exact(value)
        case Items(items=items):
            return tuple(_thing_key(owner, item) for item in items)
        case BlockValue(declaration=declaration, bound=bound):
            return declaration, tuple((name, _thing_key(owner, value)) for name, value in bound)
        case Layer(instance=instance, declaration=declaration) if owner is not None:
            things, inner = owner.instance_things[instance], owner.instance_owners[instance]
            return declaration, tuple((name, _thing_key(inner, value)) for name, value in things.items())
        case _:
            return thing


def _divisor_hint(things: Mapping[str, Thing], sizes: dimensions.Sizes) -> str | None:
    """Where a block splits its channels into groups or heads that do not divide them: which numbers do."""
    for word in ("groups", "heads"):
        part = things.get(word)
        if not isinstance(part, Static) or not isinstance(part.value, int):
            continue
        for name in ("C", "D", "F", "I"):
            size = sizes.get(name)
            told = op_hints.does_not_divide(word, part.value, size) if isinstance(size, int) else None
            if told is not None:
                return told
    return None


def _told_at_call(
    problem: DlcError, declaration: BlockDeclaration, span: Span, sizes: dimensions.Sizes, hint: str | None
) -> DlcError:
    """A mistake inside a standard block is told once, at the line that uses it; inside a user's, the call is noted."""
    where = "".join(f", {name} = {size}" for name, size in sizes.items() if _renamed(name, size))
    told: list[Diagnostic] = []
    for d in problem.diagnostics:
        inside_standard = d.span is not None and d.span.file.startswith("std/")
        if declaration.id.standard and inside_standard:
            note = Note(f"inside the standard block `{declaration.id.name}`{where}", d.span)
            told.append(replace(d, span=span, notes=(*d.notes, note), hint=hint or d.hint))
            break
        if len(d.notes) < MAX_NOTES:
            told.append(replace(d, notes=(*d.notes, Note(f"`{declaration.id.name}` is used here{where}", span))))
        else:
            told.append(d)
    return DlcError(tuple(told), problem.exit_code)


def _renamed(name: str, size: Size | tuple[Size, ...]) -> bool:
    """Whether a dynamic dimension has another name in the caller."""
    return isinstance(size, dims.Dim) and str(size) != name
