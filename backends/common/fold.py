"""A unit folded into classes: which modules are one class, in which order the classes stand.

Modules of one block with the same block-valued hyperparameters are candidates for one class. Modules that run on one
instance (both modes of a network, an attention with and without mask) must become one class. All others do so if they
merge and the merged form proves right; else the block gets several classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dlc.backends.api import Unit
from dlc.backends.common import empties, extents, held, sizes, values
from dlc.backends.common import native as natives_module
from dlc.backends.common.context import choose, start
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.form import (
    Bind,
    Branch,
    Element,
    Fetch,
    Form,
    Formula,
    Invoke,
    Items,
    Loop,
    Make,
    Node,
    Run,
    Sample,
    Slot,
    Step,
    Target,
    Value,
    used,
    walk,
)
from dlc.backends.common.form import (
    Sequence as Body,
)
from dlc.backends.common.merge import Merger, holds_block
from dlc.backends.common.native import Native, Natives
from dlc.backends.common.prove import Proof
from dlc.backends.common.structure import Prepared, prepare
from dlc.backends.common.values import Refused
from dlc.backends.common.weights import merge_weights
from dlc.diagnostics import error
from dlc.ir import BlockId, Call, Instance, Module, Program, Scan
from dlc.parameters import layer_references


@dataclass(frozen=True, slots=True)
class Member:
    program: int
    module: Module


@dataclass(frozen=True, slots=True)
class Folded:
    """One class (or function, or native layer). `dims` and `hyperparameters`: what its constructor takes, in order."""

    index: int
    block: BlockId
    members: tuple[Member, ...]
    form: Form | None
    native: Native | None
    dims: tuple[str, ...]
    hyperparameters: tuple[str, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*self.dims, *self.hyperparameters)


@dataclass
class Folding:
    """All classes of a unit, callees before callers. `sized`: constructors take the dimensions that they need."""

    unit: Unit
    programs: tuple[Program, ...]
    natives: Natives
    sized: bool = True
    classes: list[Folded] = field(default_factory=list[Folded])
    assigned: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    prepared: dict[tuple[int, str], Prepared] = field(default_factory=dict[tuple[int, str], Prepared])
    tables: list[Mapping[str, Module]] = field(default_factory=list[Mapping[str, Module]])
    #: Per program: callees of each instance (see `held`), and modules that run as a given layer.
    uses: list[held.Uses] = field(default_factory=list[held.Uses])
    given: list[frozenset[str]] = field(default_factory=list[frozenset[str]])

    @cached_property
    def sizes(self) -> sizes.Sizes:
        return sizes.Sizes(self.module, self.unit.declarations)

    def module(self, program: int, key: str) -> Module:
        return self.tables[program][key]

    def target(self, program: int, key: str) -> Target:
        return Target(self.assigned[program, key])

    def of(self, target: Target) -> Folded:
        return self.classes[target.index]

    def entry(self, program: int) -> Folded:
        return self.classes[self.assigned[program, self.programs[program].entry]]


def fold(unit: Unit, natives: Natives, sized: bool = True, layers: bool = False) -> Folding:
    """Folds all networks of a unit, both modes. Raises DlcError where modules of one instance don't merge.

    Without `sized`, dimensions are found when a layer is first called (Keras' `build`), so no constructor takes them.
    With `layers`, the backend prints `layer` hyperparameters.
    """
    programs = tuple(program for network in unit.networks for program in (network.inference, network.training))
    for module in () if layers else (module for program in programs for module in program.modules):
        _refuse_given(module)
    programs = tuple(map(held.marked, programs))
    folding = Folding(unit, programs, natives, sized, tables=[program.table for program in programs])
    folding.uses = [held.uses(program) for program in programs]
    folding.given = [held.callees(program) for program in programs]
    groups = _groups(folding)
    for group in groups:
        _fold_group(folding, group)
    return folding


def _refuse_given(module: Module) -> None:
    """A layer that is handed to a block has its parameters elsewhere: not printed yet."""
    given = next((instance for instance in module.instances if instance.given is not None), None)
    if given is not None:
        raise error(
            "E0702",
            "the Python backends do not print `layer` hyperparameters yet",
            given.origin.span,
            found=f"`{given.given}` of `{module.block.name}`",
            hint="use `block`, or the onnx backend",
        )


def _groups(folding: Folding) -> list[list[list[Member]]]:
    """Groups of bundles, callees before callers. A bundle is what runs on one instance."""
    order: dict[object, dict[tuple[int, str], Member]] = {}
    for number, program in enumerate(folding.programs):
        for module in program.modules:
            order.setdefault(_group_key(module), {})[number, module.key] = Member(number, module)
    roots = _bundle_roots(folding)
    done: dict[object, None] = {}

    def visit(key: object) -> None:
        if key in done:
            return
        for (number, _), member in order[key].items():
            for callee in _callees(member.module):
                below = _group_key(folding.module(number, callee))
                if below != key:
                    visit(below)
        done[key] = None

    for key in order:
        visit(key)
    out: list[list[list[Member]]] = []
    for key in done:
        bundles: dict[object, list[Member]] = {}
        for place, member in order[key].items():
            bundles.setdefault(roots[place], []).append(member)
        out.append(list(bundles.values()))
    return out


def _group_key(module: Module) -> tuple[object, ...]:
    blocks = tuple((name, static.value) for name, static in module.hyperparameters if holds_block(static.value))
    return (module.block, blocks)


def _bundle_roots(folding: Folding) -> dict[tuple[int, str], tuple[int, str]]:
    """Union-find over modules: those that run on one instance (same network and path) have one root."""
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(place: tuple[int, str]) -> tuple[int, str]:
        while parent.setdefault(place, place) != place:
            place = parent[place]
        return place

    seen: dict[tuple[int, str], tuple[int, str]] = {}
    for number, program in enumerate(folding.programs):
        network = number // 2
        given: Mapping[str, str] = {}
        stack = [(program.entry, "", given)]
        visited: set[tuple[str, str]] = set()
        while stack:
            key, path, given = stack.pop()
            if (key, path) in visited:
                continue
            visited.add((key, path))
            first = seen.setdefault((network, path), (number, key))
            parent[root((number, key))] = root(first)
            module = folding.module(number, key)
            for equation in module.body:
                if isinstance(equation.target, Call | Scan):
                    instance = module.instances[equation.target.instance]
                    paths = [_place(path, given, one) for one in module.instances]
                    below = {name: paths[number] for name, number in layer_references(instance).items()}
                    stack.append((equation.target.module, paths[equation.target.instance], below))
    places = [(number, module.key) for number, program in enumerate(folding.programs) for module in program.modules]
    return {place: root(place) for place in places}


def _place(path: str, given: Mapping[str, str], instance: Instance) -> str:
    """Where an instance was made: a given layer keeps its place."""
    return f"{path}{instance.path}/" if instance.given is None else given[instance.given]


def _callees(module: Module) -> list[str]:
    return [equation.target.module for equation in module.body if isinstance(equation.target, Call | Scan)]


def _fold_group(folding: Folding, bundles: list[list[Member]]) -> None:
    native: dict[int, tuple[Native, list[Member]]] = {}
    own: list[list[Member]] = []
    for bundle in bundles:
        found = natives_module.find(folding.natives, [member.module for member in bundle])
        is_given = any(member.module.key in folding.given[member.program] for member in bundle)
        if found is None or (is_given and found.construct is None):
            own.append(bundle)
        else:
            native.setdefault(id(found), (found, []))[1].extend(bundle)
    for found, members in native.values():
        _add(folding, members, None, found)
    while own:
        taken, form = _largest(folding, own)
        _add(folding, [member for bundle in own if bundle in taken for member in bundle], form, None)
        own = [bundle for bundle in own if bundle not in taken]


def _largest(folding: Folding, bundles: list[list[Member]]) -> tuple[list[list[Member]], Form]:
    """All bundles if they merge; else the first, and whichever others merge with it."""
    try:
        return bundles, merge_members(folding, [member for bundle in bundles for member in bundle])
    except Refused as reason:
        if len(bundles) == 1:
            raise _inexpressible(bundles[0], reason) from None
    taken = [bundles[0]]
    try:
        form = merge_members(folding, bundles[0])
    except Refused as reason:
        raise _inexpressible(bundles[0], reason) from None
    for bundle in bundles[1:]:
        try:
            form = merge_members(folding, [member for one in [*taken, bundle] for member in one])
        except Refused:
            continue
        taken.append(bundle)
    return taken, form


def _inexpressible(bundle: list[Member], reason: Refused) -> Exception:
    module = bundle[0].module
    return error(
        "E0701",
        f"`{module.block.name}` is called in ways that no one class can express",
        module.span,
        found=str(reason),
        hint="give the calls layers of their own, or make them alike",
    )


def merge_members(folding: Folding, members: Sequence[Member]) -> Form:
    """The merged and proven form, with loops and the sizes they carry if they can be had. Raises Refused."""
    if not any(member.module.loops for member in members):
        return _merged(folding, members, loops=False)
    for carried in (True, False):
        try:
            return _merged(folding, members, loops=True, carried=carried)
        except Refused:
            continue
    return _merged(folding, members, loops=False)


def _merged(folding: Folding, members: Sequence[Member], loops: bool, carried: bool = False) -> Form:
    prepared = [_prepared(folding, member) for member in members]
    form = merge_prepared(folding, members, prepared, loops, carried)
    _check_made(form)
    proof = Proof(folding.target, folding.module, lambda target: folding.of(target).arguments)
    for member, one in zip(members, prepared, strict=True):
        proof.check(form, member.program, one)
    return form


def _check_made(form: Form) -> None:
    """What is made must be known at construction: not a matter of which inputs a call gives. Raises Refused."""
    optional = {name for name, absent in form.inputs if absent}
    for node in walk(form.body):
        if (
            isinstance(node, Branch)
            and makes((node,))
            and optional & {n for test in node.tests for n in free_names(test)}
        ):
            raise Refused("layers that a call's inputs decide on")
    for name in _constructor(form)[0]:
        if any(name not in dict(module.dims) for module in form.modules):
            raise Refused(f"`{name}` is no dimension of all modules")


def merge_prepared(
    folding: Folding, members: Sequence[Member], prepared: Sequence[Prepared], loops: bool = True, carried: bool = True
) -> Form:
    """The merged form, not proven yet."""
    entries = {(number, program.entry) for number, program in enumerate(folding.programs)}
    is_entry = any((member.program, member.module.key) in entries for member in members)
    contexts = [start(member.program, one, is_entry) for member, one in zip(members, prepared, strict=True)]

    merger = Merger(
        folding.target,
        folding.module,
        lambda context, creation, name: sizes.dimension_source(folding, context, creation, name),
        lambda target: (folding.of(target).dims, folding.of(target).hyperparameters),
        lambda context, creation, name: sizes.dimension_operand(folding, context, creation, name),
        lambda context, value, axis: folding.sizes.of(context.program, context.module)[value][axis],
        loops,
        extents=carried,
    )
    inputs_seen = [context.enter({}, None) for context in contexts]
    body = extents.complete(merger, inputs_seen, merger.sequence(contexts, [one.roots for one in prepared]))
    modules = [member.module for member in members]
    first = modules[0]
    finals = [one.final for one in prepared]

    def ports(lists: Sequence[tuple[object, ...]], what: str) -> tuple[tuple[str, object], ...]:
        names = [tuple(port.name for port in ports) for ports in lists]  # type: ignore[attr-defined]
        if any(one != names[0] for one in names):
            raise Refused(f"different {what}")
        return tuple(
            (name, choose(contexts, finals, [ports[place].value for ports in lists]))  # type: ignore[attr-defined]
            for place, name in enumerate(names[0])
        )

    present = {port.name for module in modules for port in module.inputs}
    absent = {name for module in modules for name in module.absent}
    declared = first.signature or tuple((port.name, False) for port in first.inputs)
    inputs = tuple((name, name in absent) for name, _ in declared if name in present)
    return Form(
        first.block,
        tuple(modules),
        inputs,
        tuple(state.name for state in first.states),
        merge_weights(contexts),
        body,
        ports([module.outputs for module in modules], "outputs"),  # type: ignore[arg-type]
        ports([module.next_states for module in modules], "states"),  # type: ignore[arg-type]
    )


def _prepared(folding: Folding, member: Member) -> Prepared:
    key = (member.program, member.module.key)
    if key not in folding.prepared:
        prepared = prepare(member.module, folding.uses[member.program][member.module.key])
        empty = empties.names_of(folding.unit.declarations.get(member.module.block))
        folding.prepared[key] = empties.complete(prepared, empty)
    return folding.prepared[key]


def _add(folding: Folding, members: Sequence[Member], form: Form | None, native: Native | None) -> None:
    index = len(folding.classes)
    first = members[0].module
    if native is not None:
        dims, hyperparameters = native.dims, native.hyperparameters
    else:
        assert form is not None
        dims, hyperparameters = _constructor(form)
        dims = dims if folding.sized else ()
    folding.classes.append(Folded(index, first.block, tuple(members), form, native, dims, hyperparameters))
    for member in members:
        folding.assigned[member.program, member.module.key] = index


# --- what a constructor takes --------------------------------------------------------------------------------------


def _constructor(form: Form) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Dimensions that making the parts needs, and hyperparameters that anything needs, in the spec's order."""
    module = form.modules[0]
    making = construction_names(form)
    given = frozenset(held.names(module))
    if making & given:
        first = next(instance for instance in module.instances if instance.given is not None)
        raise held.refused(first, "code at construction that depends on a layer")
    everything = (making | running_names(form)) - given
    dims = tuple(name for name, _ in module.dims if name in making)
    return dims, tuple(name for name, _ in module.hyperparameters if name in everything)


def construction_names(form: Form) -> set[str]:
    """Names that `__init__` reads: sizes and initial values of parameters, arguments of instances, loops and tests
    around these."""
    names: set[str] = set()
    for weight in form.weights:
        for value in (*weight.shape, *weight.arguments):
            names |= value_names(value)
        if weight.condition is not None:
            names |= set(free_names(weight.condition[0]))
    names |= _making(form.body)
    return names


def _making(body: Body) -> set[str]:
    names: set[str] = set()
    for node in body:
        match node:
            case Make():
                for _, value in (*node.hyperparameters, *node.dims):
                    names |= value_names(value)
            case Loop():
                inner = _making(node.body)
                if makes(node.body):
                    names |= (inner - set(node.targets)) | set(free_names(node.iterable))
            case Branch():
                for arm in node.arms:
                    names |= _making(arm or ())
                if makes((node,)) and not reads_training(node):
                    names |= {name for test in node.tests for name in free_names(test)}
            case Bind():
                for _, value in node.extents:
                    names |= value_names(value)
            case _:
                continue
    return names


def makes(body: Body) -> bool:
    """True if something is made inside."""
    return any(isinstance(node, Make) for node in walk(body))


def reads_training(node: Branch) -> bool:
    return any("training" in free_names(test) for test in node.tests)


def running_names(form: Form) -> set[str]:
    """Names that `forward` reads in constants, tests and loops."""
    names: set[str] = set()
    for node in walk(form.body):
        for value in _values(node):
            names |= value_names(value)
        if isinstance(node, Loop):
            names |= set(free_names(node.iterable))
        if isinstance(node, Branch):
            names |= {name for test in node.tests for name in free_names(test)}
    return names


def _values(node: Node) -> list[Value]:
    out: list[Value] = [ref.index for ref in used(node) if isinstance(ref, Element)]
    match node:
        case Run():
            out += [value for _, value in node.attributes]
        case Sample():
            out += [*node.shape, *node.arguments]
        case Step():
            out += [*_slot_values(node.slot), *([node.steps] if node.steps is not None else [])]
        case Invoke() | Fetch():
            out += _slot_values(node.slot)
        case Make():
            out += [value for _, value in node.hyperparameters]
        case _:
            pass
    return out


def _slot_values(slot: Slot) -> list[Value]:
    return list(slot.indices)


def value_names(value: Value) -> set[str]:
    match value:
        case Formula(source):
            return set(free_names(source))
        case Items(items):
            return {name for item in items for name in value_names(item)}
        case _:
            return set()


__all__ = ["Folded", "Folding", "Member", "Refused", "fold", "merge_members", "values"]
