"""Instances: made once per site and turn, with a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc import dims, ir
from dlc.dims import Size
from dlc.ir import Static, TensorType
from dlc.passes import given_sizes, hyperparameters
from dlc.passes.builder import Builder, static_of
from dlc.passes.things import BlockValue, Items, Layer, Pending, Thing
from dlc.spec.source import Span


def make(b: Builder, pending: Pending) -> Layer:
    """Makes an instance: its hyperparameters are closed (defaults filled in), its path is fixed."""
    block = pending.block
    things = hyperparameters.close(b, block, pending.span)
    turns = [str(frame.index) for frame in b.frames if isinstance(frame, ir.Turn)]
    site = _free_site(b, b.sites.get(pending.site, block.declaration.id.name), turns)
    constants = {name: thing for name, thing in things.items() if not given_sizes.is_dynamic(thing)}
    statics = tuple((name, as_static(b, thing, pending.span)) for name, thing in constants.items())
    instance = ir.Instance(
        path=".".join([site, *turns]),
        site=site,
        block=block.declaration.id,
        hyperparameters=statics,
        written=tuple(name for name in constants if name in block.written),
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


def add(
    b: Builder, instance: ir.Instance, block: BlockValue, things: Mapping[str, Thing], owner: Builder | None = None
) -> Layer:
    """Registers an instance in the module under construction; `owner` holds the layers among its things."""
    b.instances.append(instance)
    b.instance_things.append(things)
    b.instance_owners.append(owner or b)
    b.instance_modules.append([])
    return Layer(len(b.instances) - 1, block.declaration)


def as_static(b: Builder, thing: Thing, span: Span) -> Static:
    """A hyperparameter's value as the IR records it."""
    match thing:
        case BlockValue(declaration=declaration, bound=bound):
            constants = ((name, value) for name, value in bound if not given_sizes.is_dynamic(value))
            parts = tuple((name, as_static(b, value, span)) for name, value in constants)
            return Static(ir.Template(declaration.id, parts))
        case Items(items=items, source=source):
            values = tuple(as_static(b, item, span).value for item in items)
            return Static(values, source)
        case _:
            return static_of(thing, span)


def in_caller(kind: TensorType, sizes: Mapping[str, Size]) -> TensorType:
    """A callee's type in the caller's symbols."""
    return TensorType(kind.dtype, tuple(dims.substitute(size, sizes) for size in kind.shape))
