"""What the constructor of a merged class takes."""

from __future__ import annotations

from dlc.backends.common import held
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.form import (
    Bind,
    Branch,
    Element,
    Extent,
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
    Value,
    walk,
)
from dlc.backends.common.form import Sequence as Body
from dlc.backends.common.reading import used
from dlc.backends.common.values import is_size


def constructor(form: Form) -> tuple[tuple[str, ...], tuple[str, ...]]:
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
                if builds(node.body):
                    names |= (inner - set(node.targets)) | set(free_names(node.iterable))
            case Branch():
                for arm in node.arms:
                    names |= _making(arm or ())
                if builds((node,)) and not node.late:
                    names |= {name for test in node.tests for name in free_names(test)}
            case Bind():
                for _, value in node.extents:
                    names |= value_names(value)
            case _:
                continue
    return names


def builds(body: Body) -> bool:
    """True if `__init__` has something to do inside: making a part, or following a size."""
    return any(isinstance(node, Make) or (isinstance(node, Bind) and node.extents) for node in walk(body))


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
        case Formula(source) | Extent(source):
            return {name for name in free_names(source) if not is_size(name)}
        case Items(items):
            return {name for item in items for name in value_names(item)}
        case _:
            return set()
