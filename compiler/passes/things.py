"""What an expression can stand for while a block is elaborated.

Compile-time constants are `dlc.ir.Static` (with `Dim` values for dynamic sizes); the rest is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlc import ir
from dlc.dims import Dim
from dlc.ir import Static
from dlc.spec import syntax
from dlc.spec.source import Span


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the module being built."""

    id: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list: constants, tensors, layers, blocks, lists. `source` as in `Static.source`."""

    items: tuple[Thing, ...]
    source: syntax.Expr | None = field(default=None, compare=False)
    #: How many things it holds, those in inner lists included.
    size: int = field(default=0, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        size = sum(item.size if isinstance(item, Items) else 1 for item in self.items)
        object.__setattr__(self, "size", size)


@dataclass(frozen=True, slots=True)
class BlockValue:
    """A block as a value, with the hyperparameters that are bound already."""

    declaration: BlockDeclaration
    bound: tuple[tuple[str, Thing], ...] = ()
    written: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """`dense(64)`, not made yet: a template where a `block` is wanted, else an instance as soon as one is needed."""

    block: BlockValue
    site: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a statement with a mistake would have bound; using it says nothing more."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An instance of the module being built, by its number."""

    instance: int
    declaration: BlockDeclaration


@dataclass(frozen=True, slots=True)
class ScanLayer:
    """`scan(cell, axis=1, ...)` that still waits for its scanned inputs. Keywords come with their spans."""

    cell: Layer
    keywords: tuple[tuple[str, Thing, Span], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Primitive:
    """An op, a built-in function or a cast, called by name; `keywords` are bound by a call without operands."""

    name: str
    keywords: tuple[tuple[str, Thing], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a call of a block gives: outputs and new states by name."""

    block: str
    outputs: Mapping[str, Tensor]
    states: Mapping[str, Thing]


Thing = Static | Tensor | Items | BlockValue | Pending | Layer | ScanLayer | Primitive | Result | Unknown


@dataclass(frozen=True, eq=False)
class BlockDeclaration:
    """A block and the file scope that its names are looked up in. Equal only to itself."""

    id: ir.BlockId
    block: syntax.Block
    scope: Any  # dlc.passes.resolve.Scope

    @property
    def inputs(self) -> tuple[syntax.Input, ...]:
        return tuple(s for s in self.block.body if isinstance(s, syntax.Input))

    @property
    def states(self) -> tuple[syntax.State, ...]:
        return tuple(s for s in self.block.body if isinstance(s, syntax.State))


def describe(thing: Thing) -> str:
    """A thing in words, for diagnostics: `the integer 3`, `a list of 2`, `a tensor`."""
    match thing:
        case Static(value=None):
            return "none"
        case Static(value=bool() as value):
            return f"the truth value {str(value).lower()}"
        case Static(value=int() as value):
            return f"the integer {short(value)}"
        case Static(value=float() as value):
            return f"the number {value}"
        case Static(value=str() as value):
            return f"the text {value!r}"
        case Static(value=Dim() as value):
            return f"the dynamic dimension {value}"
        case Static():
            return "a list of constants"
        case Tensor():
            return "a tensor"
        case Items(items=items):
            return f"a list of {len(items)}"
        case BlockValue(declaration=declaration):
            return f"the block `{declaration.id.name}`"
        case Layer(declaration=declaration):
            return f"a layer (an instance of `{declaration.id.name}`)"
        case Pending(block=block):
            return f"the block `{block.declaration.id.name}`"
        case ScanLayer():
            return "a scan without its input"
        case Unknown():
            return "something unknown"
        case Primitive(name=name):
            return f"the function `{name}`"
        case Result(block=block, outputs=outputs):
            return f"the result of `{block}` with outputs {', '.join(outputs)}"


def short(value: int) -> str:
    """An integer's digits, or its length where they would fill the screen."""
    return str(value) if abs(value) < 10**20 else f"of {value.bit_length()} bits"
