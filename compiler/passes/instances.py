"""Instances: made once per site and turn, with a path; their states where a caller keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc import dims, ir
from dlc.diagnostics import Note, did_you_mean, error
from dlc.dims import Size
from dlc.ir import Static, TensorType
from dlc.passes import hyperparameters
from dlc.passes.builder import Builder, static_of
from dlc.passes.things import BlockValue, Items, Layer, Pending, Tensor, Thing
from dlc.spec.source import Span

MAX_STATES = 4096


def make(b: Builder, pending: Pending) -> Layer:
    """Makes an instance: its hyperparameters are closed (defaults filled in), its path is fixed."""
    block = pending.block
    things = hyperparameters.close(b, block, pending.span)
    turns = [str(frame.index) for frame in b.frames if isinstance(frame, ir.Turn)]
    site = _free_site(b, b.sites.get(pending.site, block.declaration.id.name), turns)
    statics = tuple((name, as_static(b, thing, pending.span)) for name, thing in things.items())
    instance = ir.Instance(
        path=".".join([site, *turns]),
        site=site,
        block=block.declaration.id,
        hyperparameters=statics,
        written=tuple(name for name in things if name in block.written),
        origin=ir.Origin(pending.span, b.statement, b.frames),
    )
    return add(b, instance, block, things)


def _free_site(b: Builder, site: str, turns: Sequence[str]) -> str:
    """`site`, or `site_2` where an instance has that path already.

    Sites have names of their own; this is for instances that come from elsewhere (a `layer` hyperparameter's default).
    """
    taken = {instance.path for instance in b.instances}
    name, number = site, 1
    while ".".join([name, *turns]) in taken:
        number += 1
        name = f"{site}_{number}"
    return name


def add(b: Builder, instance: ir.Instance, block: BlockValue, things: Mapping[str, Thing]) -> Layer:
    """Registers an instance in the module under construction."""
    b.instances.append(instance)
    b.instance_things.append(things)
    b.instance_modules.append([])
    return Layer(len(b.instances) - 1, block.declaration)


def as_static(b: Builder, thing: Thing, span: Span) -> Static:
    """A hyperparameter's value as the IR records it."""
    match thing:
        case BlockValue(declaration=declaration, bound=bound):
            parts = tuple((name, as_static(b, value, span)) for name, value in bound)
            return Static(ir.Template(declaration.id, parts))
        case Items(items=items, source=source):
            values = tuple(as_static(b, item, span).value for item in items)
            return Static(values, source)
        case _:
            return static_of(thing, span)


def in_caller(kind: TensorType, sizes: Mapping[str, Size]) -> TensorType:
    """A callee's type in the caller's symbols."""
    return TensorType(kind.dtype, tuple(dims.substitute(size, sizes) for size in kind.shape))


def old_states(
    b: Builder,
    layer: Layer,
    module: ir.Module,
    given: Mapping[str, Tensor],
    sizes: Mapping[str, Size],
    span: Span,
) -> tuple[list[Tensor], bool]:
    """The old states that a call passes, and whether the caller keeps them.

    Called with all its states a cell is pure. Called with none, its states become the caller's.
    """
    if not module.states and not given:
        return [], False
    known = [state.name for state in module.states]
    for name in given:
        if name not in known:
            raise error(
                "E0308",
                f"`{module.block.name}` has no state `{name}`",
                span,
                expected=", ".join(known),
                hint=did_you_mean(name, known),
                notes=(Note("declared here", module.span),),
            )
    missing = [state.name for state in module.states if state.name not in given]
    if given and missing:
        raise error(
            "E0606",
            f"`{module.block.name}` is called with some of its states",
            span,
            found=", ".join(given),
            expected="all of them, or none: " + ", ".join(state.name for state in module.states),
            notes=(Note("declared here", module.span),),
        )
    if given:
        return [given[state.name] for state in module.states], False
    return [_lifted(b, layer, module, state, sizes, span) for state in module.states], True


def _lifted(
    b: Builder, layer: Layer, module: ir.Module, state: ir.State, sizes: Mapping[str, Size], span: Span
) -> Tensor:
    """A nested instance's state as the caller's own: its newest value in this step."""
    name = f"{b.instances[layer.instance].path}.{state.name}"
    if name in b.next_states:
        return Tensor(b.next_states[name])
    kind = in_caller(module.types[state.value], sizes)
    if not set(_free(kind.shape)) <= b.known_symbols():
        raise error(
            "E0607",
            f"state `{name}` has a dimension that this block can't know",
            span,
            found=str(kind),
            hint="give the state by name in the call",
        )
    if len(b.states) >= MAX_STATES:
        raise error(
            "E0511", "this network has too many states to compile", span, found=f"more than {MAX_STATES:,} in one block"
        )
    value = b.new_value(kind)
    b.states.append(ir.State(name, value, state.initial))
    return Tensor(value)


def _free(shape: Sequence[Size]) -> list[str]:
    return [name for size in shape for name in dims.symbols(size)]


def keep_states(b: Builder, layer: Layer, new: Mapping[str, Tensor]) -> None:
    """Notes the new values of lifted states."""
    path = b.instances[layer.instance].path
    b.next_states.update({f"{path}.{name}": tensor.id for name, tensor in new.items()})
