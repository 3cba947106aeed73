"""What a Python backend says for itself; `body.Body` does the rest.

A backend supplies rules per op, how layers and parameters are made, imports and helpers. The shared part prints
statements, loops, branches, names and calls.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from dlc.backends.common.form import Sample, Step
from dlc.backends.common.native import Native
from dlc.backends.common.rule import Site
from dlc.ir import TensorType

if TYPE_CHECKING:
    from dlc.backends.common.body import Body, Parts
    from dlc.backends.common.expressions import Expressions


class Dialect(Protocol):
    """Spellings of one backend, used while a body is printed."""

    def collects(self, node: Step, body: Body) -> bool:
        """True if a scan is a loop that gathers its outputs: `Parts.results` are then what these are called in it."""
        ...

    def op(self, site: Site) -> ast.expr:
        """The code of an op (see `rule`)."""
        ...

    def number(self, code: ast.expr, value: object, kind: TensorType, body: Expressions) -> ast.expr:
        """A constant or size where a tensor must stand (a result, a call's operand)."""
        ...

    @property
    def precision(self) -> str:
        """What the family `float` is."""
        ...

    def device(self, anchor: ast.expr | None) -> list[ast.keyword]:
        """Keywords that put a new tensor where `anchor` is."""
        ...

    def full(
        self, code: ast.expr, value: object, shape: list[ast.expr], kind: TensorType, anchor: ast.expr | None
    ) -> ast.expr:
        """A tensor filled with a number."""
        ...

    def extent(self, tensor: ast.expr, axis: int) -> ast.expr:
        """The size of an axis at run time, an int."""
        ...

    def training(self) -> ast.expr:
        """The mode as a truth value."""
        ...

    def layer(
        self,
        target: ast.expr,
        args: Sequence[ast.expr],
        layers: Mapping[str, ast.expr],
        keywords: Sequence[ast.keyword],
    ) -> ast.expr:
        """A call of a layer. `layers`: those that it is given, by argument; they follow `args`."""
        ...

    def member(self, owner: ast.expr, word: str, native: Native | None) -> ast.expr:
        """A layer or parameter inside of another layer, which is printed as `native` or as a class of its own."""
        ...

    def draw(
        self, node: Sample, shape: Sequence[ast.expr], arguments: Sequence[ast.expr], body: Expressions
    ) -> ast.expr:
        """A random draw."""
        ...

    def snapshot(self, buffer: ast.expr) -> ast.expr:
        """A buffer's value as it is now, whatever is stored later."""
        ...

    def store(self, buffer: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """A buffer takes its next value."""
        ...

    def scan(self, node: Step, parts: Parts, body: Body) -> tuple[list[ast.stmt], list[ast.expr]]:
        """A loop over time; it assigns the final states to their `parts.results`. Gives the stacked outputs as code."""
        ...
