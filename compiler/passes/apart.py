"""Every module a block of its own, and no loops: a program in which folding finds nothing to fold.

`verify` compiles such a program where code disagrees, to tell a fault of folding and printing from one of a rule. The
meaning and all paths stay. Modules that run on one instance (an attention with and without mask) stay one block, and
choices stay, for such modules differ by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlc.ir import BlockId, Call, Instance, Module, Origin, Program, Scan, Turn
from dlc.parameters import join, layer_references
from dlc.spec.record import replace


def apart(program: Program) -> Program:
    """The same program in which no two modules share a block, unless they share an instance."""
    names = _names(program)
    return replace(program, modules=tuple(_module(module, names) for module in program.modules))


def _module(module: Module, names: Mapping[str, BlockId]) -> Module:
    callees = {
        equation.target.instance: names[equation.target.module]
        for equation in module.body
        if isinstance(equation.target, Call | Scan) and equation.target.module in names
    }

    def of_instance(index: int, instance: Instance) -> Instance:
        return replace(instance, block=callees.get(index, instance.block), origin=_unrolled(instance.origin))

    return replace(
        module,
        block=names.get(module.key, module.block),
        instances=tuple(of_instance(index, one) for index, one in enumerate(module.instances)),
        body=tuple(replace(equation, origin=_unrolled(equation.origin)) for equation in module.body),
        loops=(),
    )


def _unrolled(origin: Origin) -> Origin:
    return replace(origin, frames=tuple(frame for frame in origin.frames if not isinstance(frame, Turn)))


def _names(program: Program) -> dict[str, BlockId]:
    """A block for each module that is called: the same for all that run on one instance."""
    first: dict[str, str] = {}
    bundle: dict[str, str] = {}

    def root(key: str) -> str:
        while bundle.setdefault(key, key) != key:
            key = bundle[key]
        return key

    for path, key in _runs(program):
        bundle[root(key)] = root(first.setdefault(path, key))
    blocks = {module.key: module.block for module in program.modules}
    numbers = {key: number for number, key in enumerate(blocks)}

    def name(key: str) -> BlockId:
        block = blocks[root(key)]
        return BlockId(f"apart/{block.file}", f"{block.name}_{numbers[root(key)]}")

    return {key: name(key) for key in blocks if key in bundle}


def _runs(program: Program) -> Iterator[tuple[str, str]]:
    """Each (path of an instance, module that runs on it), once; a given layer has the path where it was made."""
    table = program.table
    given: Mapping[str, str] = {}
    queue = [(program.entry, "", given)]
    seen: set[tuple[str, str]] = set()
    while queue:
        key, path, given = queue.pop()
        if (key, path) in seen:
            continue
        seen.add((key, path))
        if key != program.entry:
            yield path, key
        module = table[key]
        paths = [join(path, one.path) if one.given is None else given[one.given] for one in module.instances]
        for equation in module.body:
            target = equation.target
            if isinstance(target, Call | Scan):
                references = layer_references(module.instances[target.instance])
                below = {name: paths[number] for name, number in references.items()}
                queue.append((target.module, paths[target.instance], below))
