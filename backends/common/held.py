"""Layers that a block is given by `layer` hyperparameters, for the Python backends.

Such a layer belongs to whoever made it: its parameters stand there once, under that path. In code it is an argument of
the block's call, not of its constructor, so that no second owner registers it. Inside of the block its instances are
renamed from `f` to `@f`, which no instance of the block's own is called. A layer that holds layers itself is handed on
together with these: `functools.partial(self.h, inner=self.inner)`.

Not printed (E0702): code at construction that depends on a list of layers; a parameter read (`f.weight`) of a given
layer that holds layers itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from dlc.backends.common.form import Convention, Fetch, Handed, Invoke, Make, Slot, Step, Target, walk
from dlc.backends.common.values import Refused
from dlc.diagnostics import DlcError, error
from dlc.ir import Call, Equation, Instance, Module, Program, Read, Scan
from dlc.parameters import layer_references
from dlc.spec.record import replace

if TYPE_CHECKING:
    from dlc.backends.common.context import Context
    from dlc.backends.common.folding import Folded, Folding

#: Stands before the name of a given layer.
MARK = "@"

#: By module and instance: the modules that it is called through, here and inside the blocks that it is given to.
Uses = Mapping[str, Mapping[int, tuple[str, ...]]]


def is_held(site: str) -> bool:
    return site.startswith(MARK)


def item(site: str) -> str:
    """What an entry of a list of given layers is called: `f` of `fs`."""
    word = site.removeprefix(MARK)
    return word[:-1] if word.endswith("s") and len(word) > 1 else word


def names(module: Module) -> tuple[str, ...]:
    """The hyperparameters of the module that are layers or lists of layers."""
    heads = (head(instance.given) for instance in module.instances if instance.given is not None)
    return tuple(dict.fromkeys(heads))


def arguments(modules: Sequence[Module]) -> tuple[str, ...]:
    """Those that some of a class's modules uses or hands on: the arguments of its call."""
    found: dict[str, None] = {}
    for module in modules:
        pending = [e.target.instance for e in module.body if isinstance(e.target, Call | Scan | Read)]
        used: set[int] = set()
        while pending:
            number = pending.pop()
            used.add(number)
            pending += layer_references(module.instances[number]).values()
        given = (module.instances[number].given for number in sorted(used))
        found.update((head(one), None) for one in given if one is not None)
    return tuple(word for word in names(modules[0]) if word in found)


def marked(program: Program) -> Program:
    """The program with given instances renamed."""
    return replace(program, modules=tuple(map(_marked, program.modules)))


def _marked(module: Module) -> Module:
    if not names(module):
        return module
    return replace(module, instances=tuple(map(_renamed, module.instances)))


def _renamed(instance: Instance) -> Instance:
    if instance.given is None:
        return instance
    return replace(instance, path=MARK + instance.given, site=MARK + head(instance.given))


def refused(instance: Instance, found: str) -> DlcError:
    return error(
        "E0702",
        "the Python backends do not print this use of a `layer` hyperparameter",
        instance.origin.span,
        found=f"{found}, given as `{instance.given}`",
        hint="use `block`, or the onnx backend",
    )


def uses(program: Program) -> Uses:
    """Callees of each instance, in order of use."""
    own: dict[str, dict[int, dict[str, None]]] = {}
    #: By module: callees of what it was given, by the chain of hyperparameters that leads there, outermost first.
    inside: dict[str, dict[tuple[str, ...], dict[str, None]]] = {}
    for module in program.modules:  # callees come before callers
        here, given = own.setdefault(module.key, {}), inside.setdefault(module.key, {})
        for equation in module.body:
            target = equation.target
            if not isinstance(target, Call | Scan):
                continue
            for chain, keys in {(): {target.module: None}, **inside[target.module]}.items():
                number, rest = _reached(module, target.instance, chain)
                here.setdefault(number, {})
                (given.setdefault(rest, {}) if rest else here[number]).update(keys)
    return {key: {number: tuple(keys) for number, keys in here.items()} for key, here in own.items()}


def _reached(module: Module, number: int, chain: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """The instance at the end of a chain of hyperparameters; what remains of the chain where a given one is met."""
    while chain and module.instances[number].given is None:
        number, chain = layer_references(module.instances[number])[chain[0]], chain[1:]
    given = module.instances[number].given
    return number, () if given is None else (given, *chain)


def callees(program: Program) -> frozenset[str]:
    """Modules that some block calls through a layer that it was given: these must be objects, not functions."""
    found: set[str] = set()
    for module in program.modules:
        for equation in module.body:
            target = equation.target
            if isinstance(target, Call | Scan) and module.instances[target.instance].given is not None:
                found.add(target.module)
    return frozenset(found)


def callables(folding: Folding, is_function: Callable[[Folded], bool]) -> frozenset[tuple[int, str]]:
    """The classes, and which of their given layers are mere callables to some call: functions, or `partial` ones."""
    found: set[tuple[int, str]] = set()
    while True:
        before = len(found)
        for folded in folding.classes:
            nodes = () if folded.form is None else tuple(walk(folded.form.body))
            makes = {node.slot.site: folding.of(node.target) for node in nodes if isinstance(node, Make)}
            functions = {MARK + word for index, word in found if index == folded.index}
            functions |= {site for site, made in makes.items() if is_function(made)}
            for node in nodes:
                if isinstance(node, Invoke | Step) and isinstance(node.target, Target):
                    found |= set(_callable(node.target.index, node.layers, makes, functions))
        if len(found) == before:
            _require_no_reads(folding, found)
            return frozenset(found)


def _require_no_reads(folding: Folding, found: Set[tuple[int, str]]) -> None:
    """A callable has no parameters to read. Raises E0702."""
    for folded in folding.classes:
        for node in () if folded.form is None else walk(folded.form.body):
            if isinstance(node, Fetch) and (folded.index, node.slot.site.removeprefix(MARK)) in found:
                instances = folded.members[0].module.instances
                given = next(one for one in instances if one.site == node.slot.site)
                raise refused(given, f"`{node.parameter}` of a layer that holds layers")


def _callable(
    index: int, layers: Sequence[tuple[str, Handed]], makes: Mapping[str, Folded], functions: Set[str]
) -> Iterator[tuple[int, str]]:
    """Among the layers that a class is given, and those that they are given."""
    for word, handed in layers:
        site = handed.slot.site
        if handed.layers or site in functions:
            yield index, head(word)
        if handed.layers and site in makes:
            yield from _callable(makes[site].index, handed.layers, makes, functions)


def convention(callees: Sequence[Module]) -> Convention:
    """How layers of these modules are called. Raises Refused where they take different inputs."""
    found = {
        Convention(
            tuple((word, optional) for word, optional in module.signature if word not in module.absent),
            results(module),
        )
        for module in callees
    }
    if len(found) > 1:
        raise Refused("calls of layers that take different inputs")
    return found.pop()


def results(module: Module) -> tuple[str, ...]:
    """What its results are called; a single one needs no name."""
    ports = [port.name for port in (*module.outputs, *module.next_states)]
    return tuple(ports) if len(ports) > 1 else ("",)


def head(name: str) -> str:
    """The hyperparameter: `fs` of `fs.0`."""
    return name.split(".")[0]


def merge(
    contexts: Sequence[Context],
    equations: Sequence[Equation],
    merge_slot: Callable[[Sequence[Context], Sequence[Instance]], Slot],
) -> tuple[tuple[str, Handed], ...]:
    """The layers that a call hands on: hyperparameter (an item of a list as `name.index`) and layer. Raises Refused."""
    numbers: list[int] = []
    for equation in equations:
        assert isinstance(equation.target, Call | Scan)
        numbers.append(equation.target.instance)
    return _merged(contexts, numbers, merge_slot)


def _merged(
    contexts: Sequence[Context],
    numbers: Sequence[int],
    merge_slot: Callable[[Sequence[Context], Sequence[Instance]], Slot],
) -> tuple[tuple[str, Handed], ...]:
    """The layers that these instances hold, one of each context."""
    instances = [context.module.instances for context in contexts]
    lists = [layer_references(own[number]) for own, number in zip(instances, numbers, strict=True)]
    if any(list(one) != list(lists[0]) for one in lists):
        raise Refused("calls that hand on different layers")
    found: list[tuple[str, Handed]] = []
    for name in lists[0]:
        given = [one[name] for one in lists]
        slot = merge_slot(contexts, [own[number] for own, number in zip(instances, given, strict=True)])
        found.append((name, Handed(slot, _merged(contexts, given, merge_slot))))
    return tuple(found)
