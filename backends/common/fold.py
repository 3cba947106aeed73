"""A unit folded into classes: which modules are one class, in which order the classes stand.

Modules of one block with the same block-valued hyperparameters are candidates for one class. Modules that run on one
instance (both modes of a network, an attention with and without mask) must become one class. All others do so if they
merge and the merged form proves right; else the block gets several classes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from dlc.backends.api import Unit
from dlc.backends.common import bindings, empties, extents, given_sizes, groups, held, joins, merge, start_numbers
from dlc.backends.common import native as natives_module
from dlc.backends.common.constructor import constructor
from dlc.backends.common.context import start
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.folding import Folded, Folding, Member
from dlc.backends.common.form import PREPARE, Branch, Form, Make, Slot, Turns, walk
from dlc.backends.common.frozen import frozen, numbers, one_way, stateful_turns
from dlc.backends.common.list_lengths import behind, deciding
from dlc.backends.common.merging import Merging
from dlc.backends.common.native import Native, Natives
from dlc.backends.common.once import in_parts
from dlc.backends.common.prove import Proof
from dlc.backends.common.structure import Prepared, prepare
from dlc.backends.common.values import Refused
from dlc.backends.common.weights import merge_weights
from dlc.diagnostics import error
from dlc.ir import Module


class Decided(Refused):
    """Which inputs a call gives decides on what its class makes."""


def fold(unit: Unit, natives: Natives, sized: bool = True) -> Folding:
    """Folds all networks of a unit, both modes. Raises DlcError where modules of one instance don't merge.

    Without `sized`, dimensions are found when a layer is first called (Keras' `build`), so no constructor takes them.
    """
    programs = tuple(program for network in unit.networks for program in (network.inference, network.training))
    programs = tuple(map(held.marked, programs))
    folding = Folding(unit, programs, natives, sized, tables=[program.table for program in programs])
    folding.uses = [held.uses(program) for program in programs]
    folding.given = [held.callees(program) for program in programs]
    for group in groups.groups(folding):
        _fold_group(folding, group)
    return folding


def _fold_group(folding: Folding, bundles: list[list[Member]]) -> None:
    native: dict[int, tuple[Native, list[Member]]] = {}
    own: list[list[Member]] = []
    for bundle in bundles:
        found = natives_module.find(folding.natives, [member.module for member in bundle])
        is_given = any(member.module.key in folding.given[member.program] for member in bundle)
        if found is None or (is_given and (found.construct is None or found.apply is not None)):
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
    """All bundles if they merge; else the first, and whichever others merge with it.

    Where layers depend on which inputs are there, classes are told apart by these first.
    """
    try:
        return bundles, merge_members(folding, [member for bundle in bundles for member in bundle])
    except Refused as reason:
        if len(bundles) == 1:
            raise _inexpressible(bundles[0], reason) from None
        alike = [bundle for bundle in bundles if _absent(bundle) == _absent(bundles[0])]
        if isinstance(reason, Decided) and len(alike) < len(bundles):
            return _largest(folding, alike)
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


def _absent(bundle: list[Member]) -> set[tuple[str, ...]]:
    """The inputs that are absent, for each way in which the bundle's instance is called."""
    return {member.module.absent for member in bundle}


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
    """The merged and proven form; of a block in two parts, the form of both. Raises Refused."""
    if not any(member.module.part for member in members):
        return _merge_alike(folding, members)
    parts = [[one for one in members if one.module.part == part] for part in (PREPARE, "step")]
    if sum(map(len, parts)) < len(members):
        raise Refused("a block in parts and whole")
    forms = [_merge_alike(folding, one) for one in parts]
    fixed = frozenset[str]().union(*(form.fixed for form in forms))
    return in_parts(*(_merge_alike(folding, one, fixed) for one in parts) if fixed else forms)


def _merge_alike(folding: Folding, members: Sequence[Member], fixed: frozenset[str] = frozenset()) -> Form:
    """With loops and the sizes they carry if they can be had. `fixed`: what the class is written for one value of."""
    if not any(member.module.loops for member in members):
        return _merged(folding, members, fixed, loops=False)
    for carried in (True, False):
        try:
            return _merged(folding, members, fixed, loops=True, carried=carried)
        except Refused:
            continue
    return _merged(folding, members, fixed, loops=False)


def _merged(
    folding: Folding, members: Sequence[Member], fixed: frozenset[str], loops: bool, carried: bool = False
) -> Form:
    """The merged and proven form; it takes no argument for one value of which it is written."""
    prepared = [_prepared(folding, member) for member in members]
    form, limited = merge_prepared(folding, members, prepared, loops, carried)
    limited |= one_way([member.module for member in members]) | fixed
    limited = limited.union(*(stateful_turns(member.module) for member in members))
    block = folding.unit.declarations.get(form.block)
    limited = behind(block, members[0].module, limited.union(*(deciding(block, member.module) for member in members)))
    gone: frozenset[str] = frozenset()
    while promised := _agreed(members, limited & {*chain(*constructor(form))} - gone):
        gone |= promised
        plain = [Member(member.program, frozen(member.module, gone)) for member in members]
        again = [_prepare(folding, member) for member in plain]
        form, more = merge_prepared(folding, plain, again, loops, carried, gone)
        limited |= more
    _check_made(folding, form)
    proof = Proof(folding.target, folding.module, lambda target: folding.of(target).arguments)
    for member, one in zip(members, prepared, strict=True):
        proof.check(form, member.program, one)
    return replace(form, fixed=_agreed(members, limited))


def _agreed(members: Sequence[Member], names: frozenset[str]) -> frozenset[str]:
    """The hyperparameters and dimensions of these that are the same in all modules."""
    values = [{**dict(member.module.dims), **dict(member.module.hyperparameters)} for member in members]
    return frozenset(name for name in names if all(name in one and one[name] == values[0][name] for one in values))


def _check_made(folding: Folding, form: Form) -> None:
    """Parameters must be known at construction: no matter of which inputs a call gives. Raises Refused."""
    optional = {name for name, absent in form.inputs if absent}
    for node in walk(form.body):
        if isinstance(node, Make) and _turns_before_places(node.slot):
            raise Refused("a list of layers that is made anew in each turn, entry by entry")
        if not isinstance(node, Branch) or not optional & {n for test in node.tests for n in free_names(test)}:
            continue
        if any(isinstance(one, Make) and folding.owns(one.target) for one in walk((node,))):
            raise Decided("layers that a call's inputs decide on")
    conditions = [weight.condition[0] for weight in form.weights if weight.condition is not None]
    if optional & {name for test in conditions for name in free_names(test)}:
        raise Decided("parameters that a call's inputs decide on")
    for name in constructor(form)[0]:
        if any(name not in dict(module.dims) for module in form.modules):
            raise Refused(f"`{name}` is no dimension of all modules")


def _turns_before_places(slot: Slot) -> bool:
    """`ws[turn][0]`: no `__init__` is printed for that (see `construction`)."""
    kinds = [isinstance(index, Turns) for index in slot.indices]
    return any(one and not other for one, other in pairwise(kinds))


def merge_prepared(
    folding: Folding,
    members: Sequence[Member],
    prepared: Sequence[Prepared],
    loops: bool = True,
    carried: bool = True,
    gone: Collection[str] = (),
) -> tuple[Form, frozenset[str]]:
    """The merged form, not proven yet, and the names for one value of which it is written: sizes that are printed as
    numbers depend on them, or how many turns there are of loops that stand turn by turn."""
    entries = {(number, program.entry) for number, program in enumerate(folding.programs)}
    is_entry = any((member.program, member.module.key) in entries for member in members)
    contexts = [
        start(member.program, one, is_entry, numbers(folding.module(member.program, member.module.key), gone))
        for member, one in zip(members, prepared, strict=True)
    ]

    merging = _merging(folding, members, loops, carried)
    inputs_seen = [context.enter({}, None) for context in contexts]
    body = extents.complete(merging, inputs_seen, merge.sequence(merging, contexts, [one.roots for one in prepared]))
    modules = [member.module for member in members]
    first = modules[0]
    finals = [one.final for one in prepared]

    def ports(lists: Sequence[tuple[object, ...]], what: str) -> tuple[tuple[str, object], ...]:
        names = [tuple(port.name for port in ports) for ports in lists]  # type: ignore[attr-defined]
        if any(one != names[0] for one in names):
            raise Refused(f"different {what}")
        return tuple(
            (name, joins.choose(merging, contexts, finals, [ports[place].value for ports in lists], name))  # type: ignore[attr-defined]
            for place, name in enumerate(names[0])
        )

    outputs = ports([module.outputs for module in modules], "outputs")  # type: ignore[arg-type]
    next_states = ports([module.next_states for module in modules], "states")  # type: ignore[arg-type]
    ends = list(body)
    for node in merging.joins:
        joins.appended(ends, node)
    states = tuple(state.name for state in first.states)
    weights = merge_weights(contexts)
    form = Form(first.block, tuple(modules), _inputs(modules), states, weights, tuple(ends), outputs, next_states)  # type: ignore[arg-type]
    return form, frozenset(merging.unrolled | merging.fixed)


def _given(modules: Iterable[Module]) -> frozenset[str]:
    """The inputs that some module has."""
    return frozenset(port.name for module in modules for port in module.inputs)


def _inputs(modules: Sequence[Module]) -> tuple[tuple[str, bool], ...]:
    """The inputs of the class, and whether they go by keyword. Raises Refused where modules declare others."""
    first, given = modules[0], _given(modules)
    declared = first.signature or tuple((port.name, False) for port in first.inputs)
    for module in modules:
        if {port.name for port in module.inputs}.union(module.absent) != {name for name, _ in declared}:
            raise Refused("different inputs")
    by_keyword = given_sizes.ports(first).union(name for module in modules for name in module.absent)
    return tuple((name, name in by_keyword) for name, _ in declared if name in given)


def _merging(folding: Folding, members: Sequence[Member], loops: bool, carried: bool) -> Merging:
    given = _given(member.module for member in members)
    return Merging(
        folding.target,
        folding.module,
        lambda context, creation, name: bindings.dimension_source(folding, context, creation, name),
        lambda target: (folding.of(target).dims, folding.of(target).hyperparameters),
        lambda context, creation, name: bindings.dimension_operand(folding, context, creation, name),
        lambda context, value, axis: folding.sizes.of(context.program, context.module)[value][axis],
        lambda context, given, value: folding.sizes.assuming(context.program, context.module, given, value),
        folding.sizes,
        folding.reasons,
        lambda target: folding.of(target).fixed,
        loops,
        extents=carried,
        optional=frozenset(name for one in members for name in one.module.absent if name in given),
    )


def _prepared(folding: Folding, member: Member) -> Prepared:
    key = (member.program, member.module.key)
    if key not in folding.prepared:
        folding.prepared[key] = _prepare(folding, member)
    return folding.prepared[key]


def _prepare(folding: Folding, member: Member) -> Prepared:
    prepared = prepare(member.module, folding.uses[member.program][member.module.key])
    block = folding.unit.declarations.get(member.module.block)
    prepared = empties.complete(prepared, empties.names_of(block))
    return start_numbers.complete(prepared, start_numbers.starts_of(block))


def _add(folding: Folding, members: Sequence[Member], form: Form | None, native: Native | None) -> None:
    index = len(folding.classes)
    first = members[0].module
    if native is not None:
        dims, hyperparameters = native.dims, native.hyperparameters
    else:
        assert form is not None
        dims, hyperparameters = constructor(form)
        dims = dims if folding.sized else ()
    ordered = sorted(members, key=lambda member: member.module.part == PREPARE)
    folding.classes.append(Folded(index, first.block, tuple(ordered), form, native, dims, hyperparameters))
    for member in members:
        folding.assigned[member.program, member.module.key] = index


__all__ = ["Folded", "Folding", "fold"]
