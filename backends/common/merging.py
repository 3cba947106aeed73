"""What merging asks of the rest of folding, and what it has given out so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.backends.common import held
from dlc.backends.common.context import Context
from dlc.backends.common.form import Bind, Branch, Convention, Target, Temp
from dlc.backends.common.size_reasons import Reasons
from dlc.backends.common.size_rule import Axes
from dlc.backends.common.sizes import Sizes
from dlc.backends.common.structure import Creation
from dlc.backends.common.values import Refused
from dlc.ir import Content, Equation, Module
from dlc.spec.syntax import Expr


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding: contexts, values, and what names stood for just before."""

    contexts: tuple[Context, ...]
    values: tuple[int, ...]
    names: tuple[Mapping[str, Content], ...]


@dataclass(slots=True)
class Merging:
    """`target(program, callee key)` tells which class a module was folded into; `sizes` gives sources of a callee's
    dimensions in the caller's scope."""

    target: Callable[[int, str], Target]
    callee: Callable[[int, str], Module]
    size_source: Callable[[Context, Creation, str], Expr | None]
    #: Dimensions and hyperparameters that a class's constructor takes.
    needed: Callable[[Target], tuple[tuple[str, ...], tuple[str, ...]]]
    #: The caller's value and axis that bind a callee's dimension.
    size_operand: Callable[[Context, Creation, str], tuple[int, int] | None]
    #: The source of a value's size, in the module's names.
    axis_source: Callable[[Context, int, int], Expr | None]
    #: A value's axes, those of some values taken as given (see `extents`).
    axes_given: Callable[[Context, Mapping[int, Axes], int], Axes]
    sizes: Sizes
    reasons: Reasons
    #: Names of a class's module for one value of which it is written.
    fixed_in: Callable[[Target], frozenset[str]]
    loops: bool = True
    count: int = 0
    #: Names that a loop assigns: what is known of their sizes after it.
    carried: set[str] = field(default_factory=set[str])
    extents: bool = True
    #: By the id of the node, which is kept: what each name stood for where it was bound.
    binds: dict[int, tuple[Bind, Bound]] = field(default_factory=dict[int, "tuple[Bind, Bound]"])

    #: What must stand before the node that is being merged, and the names made for it (see `joins`).
    joins: list[Branch] = field(default_factory=list[Branch])
    joined: set[str] = field(default_factory=set[str])

    #: Inputs that some modules have and others lack.
    optional: frozenset[str] = frozenset()
    #: Hyperparameters behind loops that are printed turn by turn.
    unrolled: set[str] = field(default_factory=set[str])

    #: Hyperparameters and dimensions for one value of which this is written: some number would else be another.
    fixed: set[str] = field(default_factory=set[str])

    def fix(self, contexts: Sequence[Context], operands: Sequence[tuple[int, int] | None]) -> None:
        """A size (value and axis, by context) is printed as the number that it is now."""
        for context, operand in zip(contexts, operands, strict=True):
            if operand is not None:
                self.fixed |= self.reasons.size(context.program, context.module, *operand)
            elif not context.module.part:  # a part of a block calls only some of the layers that it makes
                self.fixed |= self.reasons.everything(context.module)

    def temp(self, contexts: Sequence[Context], found: Sequence[int]) -> int:
        temp = self.count
        self.count += 1
        for context, value in zip(contexts, found, strict=True):
            context.define(value, Temp(temp))
        return temp

    def results(self, contexts: Sequence[Context], equations: Sequence[Equation]) -> tuple[int, ...]:
        outputs = [equation.outputs for equation in equations]
        if any(len(one) != len(outputs[0]) for one in outputs):
            raise Refused("different numbers of results")
        return tuple(self.temp(contexts, [one[i] for one in outputs]) for i in range(len(outputs[0])))

    def same_target(self, contexts: Sequence[Context], keys: Sequence[str]) -> Target:
        try:
            targets = {self.target(context.program, key) for context, key in zip(contexts, keys, strict=True)}
        except KeyError:
            raise Refused("a call of a class that comes later") from None
        if len(targets) != 1:
            raise Refused("calls of different classes")
        return targets.pop()

    def given_target(self, contexts: Sequence[Context], keys: Sequence[str]) -> Target | Convention:
        """The class of a given layer; where there are several, how all of them are called."""
        try:
            return self.same_target(contexts, keys)
        except Refused:
            pairs = zip(contexts, keys, strict=True)
            return held.convention([self.callee(context.program, key) for context, key in pairs])
