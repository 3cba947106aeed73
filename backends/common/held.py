"""Layers that a block is given by `layer` hyperparameters, for the Python backends.

Such a layer belongs to whoever made it: its parameters stand there once, under that path. In code it is an argument of
the block's call, not of its constructor, so that no second owner registers it. Inside of the block its instances are
renamed from `f` to `@f`, which no instance of the block's own is called.

Not printed (E0702): a layer that itself holds layers and is given to a block; code at construction that depends on a
list of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError, error
from dlc.ir import Call, Equation, Instance, Module, Program, Scan
from dlc.parameters import layer_references
from dlc.spec.record import replace

if TYPE_CHECKING:
    from dlc.backends.common.context import Context
    from dlc.backends.common.form import Slot

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
    heads = (instance.given.split(".")[0] for instance in module.instances if instance.given is not None)
    return tuple(dict.fromkeys(heads))


def marked(program: Program) -> Program:
    """The program with given instances renamed. Raises E0702 for a given layer that holds layers."""
    return replace(program, modules=tuple(map(_marked, program.modules)))


def _marked(module: Module) -> Module:
    for instance in module.instances:
        for name, number in layer_references(instance).items():
            held = module.instances[number]
            if layer_references(held):
                raise refused(replace(held, given=name), "a layer that holds other layers")
    if not names(module):
        return module
    return replace(module, instances=tuple(map(_renamed, module.instances)))


def _renamed(instance: Instance) -> Instance:
    if instance.given is None:
        return instance
    head = instance.given.split(".")[0]
    return replace(instance, path=MARK + instance.given, site=MARK + head)


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
    inside: dict[str, dict[str, dict[str, None]]] = {}
    for module in program.modules:  # callees come before callers
        here: dict[int, dict[str, None]] = {}
        for equation in module.body:
            target = equation.target
            if not isinstance(target, Call | Scan):
                continue
            here.setdefault(target.instance, {})[target.module] = None
            for name, number in layer_references(module.instances[target.instance]).items():
                here.setdefault(number, {}).update(inside[target.module].get(name, {}))
        own[module.key] = here
        inside[module.key] = {
            instance.given: here.get(number, {})
            for number, instance in enumerate(module.instances)
            if instance.given is not None
        }
    return {key: {number: tuple(keys) for number, keys in here.items()} for key, here in own.items()}


def callees(program: Program) -> frozenset[str]:
    """Modules that some block calls through a layer that it was given: these must be objects, not functions."""
    found: set[str] = set()
    for module in program.modules:
        for equation in module.body:
            target = equation.target
            if isinstance(target, Call | Scan) and module.instances[target.instance].given is not None:
                found.add(target.module)
    return frozenset(found)


def merge(
    contexts: Sequence[Context],
    equations: Sequence[Equation],
    merge_slot: Callable[[Sequence[Context], Sequence[Instance]], Slot],
) -> tuple[tuple[str, Slot], ...]:
    """The layers that a call hands on: hyperparameter (an item of a list as `name.index`) and slot. Raises Refused."""
    from dlc.backends.common.values import Refused

    lists: list[dict[str, Instance]] = []
    for context, equation in zip(contexts, equations, strict=True):
        assert isinstance(equation.target, Call | Scan)
        instances = context.module.instances
        given = layer_references(instances[equation.target.instance])
        lists.append({name: instances[number] for name, number in given.items()})
    if any(list(one) != list(lists[0]) for one in lists):
        raise Refused("calls that hand on different layers")
    return tuple((name, merge_slot(contexts, [one[name] for one in lists])) for name in lists[0])
