"""What stands where one tensor is needed, and is none: the messages, and how it becomes one."""

from __future__ import annotations

from dlc.diagnostics import DlcError, error
from dlc.passes.things import (
    BlockValue,
    Items,
    Layer,
    Pending,
    Primitive,
    Result,
    ScanLayer,
    Thing,
    describe,
)
from dlc.spec.source import Span


def no_tensor(thing: Thing, span: Span) -> DlcError:
    """E0303."""
    return error(
        "E0303",
        "a tensor is needed here",
        span,
        found=describe(thing),
        expected="a tensor",
        hint=_tensor_hint(thing),
    )


def several_outputs(result: Result, span: Span) -> DlcError:
    """E0304: one tensor is wanted of a result that has several, or states only."""
    names = list(result.outputs or result.states)
    block, what = result.block, f"has {len(names)} outputs" if result.outputs else "is a bundle of states"
    return error(
        "E0304",
        f"`{block}` {what}",
        span,
        found=", ".join(f"`{name}`" for name in names),
        expected="one tensor",
        hint=f"name the result and take one: `r = ...`, then `r.{names[0]}`",
    )


def _tensor_hint(thing: Thing) -> str | None:
    """How what is no tensor becomes one."""
    match thing:
        case BlockValue(declaration=declaration) | Layer(declaration=declaration):
            name = declaration.id.name
        case Pending(block=block):
            name = f"{block.declaration.id.name}(...)"
        case Primitive(name=name):
            pass
        case ScanLayer():
            name = "scan(...)"
        case Items():
            return "`concat` or `stack` makes one tensor of several"
        case _:
            return None
    return f"apply it to a tensor: `x -> {name}`"
