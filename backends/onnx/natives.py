"""Standard blocks that ONNX has an op for. Removable: with the table off, each block's own body is emitted.

An entry says when the op's meaning is exactly the block's, and writes the block's function with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.backends.onnx.graph import Value
from dlc.backends.onnx.scope import Scope
from dlc.ir import Module


@dataclass(frozen=True, slots=True)
class Native:
    """`when`: the condition on the module. `write`: its results in one or two nodes."""

    when: Callable[[Module], bool]
    write: Callable[[Scope], list[Value]]


NATIVES: Mapping[str, Native] = {}


def native_of(module: Module) -> Callable[[Scope], list[Value]] | None:
    """How to write a module with ONNX's own op, or None."""
    if not module.block.standard or module.block.name not in NATIVES:
        return None
    native = NATIVES[module.block.name]
    return native.write if native.when(module) else None
