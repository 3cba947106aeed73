"""Natives: a framework's own layer in place of a standard block's body.

A backend's natives are a table; a block may have several, for instance one per rank. Without it everything compiles and
agrees all the same.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dlc.ir import Module


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a native layer is constructed from: code and plain values (or VARIES) of hyperparameters and dimensions."""

    code: Mapping[str, ast.expr]
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Native:
    """`condition` sees every module of one instance (both modes, masks or not): all must allow it.

    `dims` and `hyperparameters` are the names that `construct` reads. A native without `construct` is a function:
    `apply` gets the operands by input name and the arguments. `apply` of a layer gets the layer's code as `layer`.
    """

    block: str
    condition: Callable[[Module], bool]
    dims: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    construct: Callable[[Arguments], ast.expr] | None
    apply: Callable[[Mapping[str, ast.expr], Arguments], ast.expr] | None = None


Natives = Mapping[str, Native]


def find(natives: Natives, modules: Sequence[Module]) -> Native | None:
    """The first native of the block that fits all modules of a bundle, or None."""
    block = modules[0].block
    if any(module.part for module in modules):  # a block in two parts has no native form
        return None
    if not block.standard or not all(map(_plain, modules)):
        return None
    known = (native for native in natives.values() if native.block == block.name)
    return next((native for native in known if all(map(native.condition, modules))), None)


def numbers(module: Module, word: str) -> tuple[int, ...] | None:
    """A hyperparameter that is one number or a list of numbers, one for each axis; None for anything else."""
    value = dict(module.hyperparameters)[word].value
    items = value if isinstance(value, tuple) else (value,)
    found = tuple(item for item in items if type(item) is int)
    return found if len(found) == len(items) else None


def _plain(module: Module) -> bool:
    """One output, no states, and no inputs but those that the block declares (draws and taps may be made inputs)."""
    declared = {name for name, _ in module.signature}
    extra = [port for port in module.inputs if port.name not in declared]
    return len(module.outputs) == 1 and not module.states and not module.next_states and not extra
