"""Which modules may or must become one class.

Modules of one block with the same block-valued hyperparameters are candidates; those that run on one instance (both
modes of a network, an attention with and without mask) are a bundle, which must become one class.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.common.folding import Folding, Member
from dlc.ir import BlockId, Call, Instance, Module, Scan, Template
from dlc.parameters import layer_references


def groups(folding: Folding) -> list[list[list[Member]]]:
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


def holds_block(value: object) -> bool:
    """True for a block-valued hyperparameter, which specialises the class."""
    if isinstance(value, tuple):
        return any(holds_block(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, Template | BlockId)
