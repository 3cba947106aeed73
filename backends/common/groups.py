"""Which modules may or must become one class.

Modules of one block with the same block-valued hyperparameters are candidates; those that run on one instance (both
modes of a network, an attention with and without mask) are a bundle, which must become one class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dlc.backends.common.folding import Folding, Member
from dlc.ir import BlockId, Call, Module, Scan, Template
from dlc.parameters import layer_references


def groups(folding: Folding) -> list[list[list[Member]]]:
    """Groups of bundles, callees before callers. A bundle is what runs on one instance."""
    order: dict[object, dict[tuple[int, str], Member]] = {}
    for number, program in enumerate(folding.programs):
        for module in program.modules:
            order.setdefault(_group_key(module), {})[number, module.key] = Member(number, module)
    roots = _bundle_roots(folding)
    done = _ordered(folding, order, with_given=True) or _ordered(folding, order, with_given=False)
    assert done is not None
    out: list[list[list[Member]]] = []
    for key in done:
        bundles: dict[object, list[Member]] = {}
        for place, member in order[key].items():
            bundles.setdefault(roots[place], []).append(member)
        out.append(list(bundles.values()))
    return out


def _ordered(
    folding: Folding, members: Mapping[object, Mapping[tuple[int, str], Member]], with_given: bool
) -> list[object] | None:
    """The groups, those before each that its modules make, and `with_given` those that they are given; None if these
    go round in a circle (`twice(twice(f))`)."""
    done: dict[object, bool] = {}

    def visit(key: object) -> bool:
        if key in done:
            return done[key]
        done[key] = False
        below = dict.fromkeys(
            _group_key(folding.module(program, callee))
            for (program, _), member in members[key].items()
            for callee in _callees(folding, member, with_given)
        )
        done[key] = all(visit(one) for one in below if one != key)
        finished.append(key)
        return done[key]

    finished: list[object] = []
    return finished if all(visit(key) for key in members) else None


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
        stack = [(program.entry, _Place("", {}))]
        visited: set[tuple[str, str]] = set()
        while stack:
            key, (path, given) = stack.pop()
            if (key, path) in visited:
                continue
            visited.add((key, path))
            first = seen.setdefault((network, path), (number, key))
            parent[root((number, key))] = root(first)
            module = folding.module(number, key)
            for equation in module.body:
                if isinstance(equation.target, Call | Scan):
                    stack.append((equation.target.module, _place(path, given, module, equation.target.instance)))
    places = [(number, module.key) for number, program in enumerate(folding.programs) for module in program.modules]
    return {place: root(place) for place in places}


class _Place(NamedTuple):
    """Where an instance was made, and the layers that it was given there."""

    path: str
    given: Mapping[str, _Place]


def _place(path: str, given: Mapping[str, _Place], module: Module, number: int) -> _Place:
    """Of an instance of the module at `path`: a given layer keeps its place."""
    instance = module.instances[number]
    if instance.given is not None:
        return given[instance.given]
    held = {name: _place(path, given, module, inner) for name, inner in layer_references(instance).items()}
    return _Place(f"{path}{instance.path}/", held)


def _callees(folding: Folding, member: Member, with_given: bool) -> list[str]:
    """Modules of the layers that a module makes, and `with_given` of those that it is given."""
    uses = folding.uses[member.program][member.module.key]
    instances = member.module.instances
    return [key for number, keys in uses.items() if with_given or instances[number].given is None for key in keys]


def holds_block(value: object) -> bool:
    """True for a block-valued hyperparameter, which specialises the class."""
    if isinstance(value, tuple):
        return any(holds_block(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, Template | BlockId)
