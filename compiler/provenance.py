"""Where things of the IR come from: what the Python emitters need to print loops, choices and expressions again.

A constant carries its source expression, an equation its place in the text and the loops and choices around it. None of
this has meaning: every other backend ignores it, and equality does, too. `dlc.ir` is where all of it is used.
"""

from __future__ import annotations

from dlc.spec.record import field, record
from dlc.spec.source import Span
from dlc.spec.syntax import NOWHERE, Expr


@record
class Static:
    """A compile-time value and the source expression that gave it.

    `value`: bool, int, float, str, None, a `Dim`, or nested tuples of these. `source`: an expression over the names
    that the enclosing block's scope has at that place (hyperparameters, dimension names, loop variables; local
    constants are already replaced by their own source), or None where there is none. For a tuple value, `source` may
    be a `ListLiteral` with one item per element. Only `value` takes part in equality, which is exact: 1, 1.0 and True
    are three values, so are 0.0 and -0.0, and NaN equals itself.
    """

    value: object
    source: Expr | None = field(default=None, compare=False, repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and exact(self.value) == exact(other.value)

    def __hash__(self) -> int:
        return hash(exact(self.value))


def exact(value: object) -> object:
    """A constant as a key that tells apart what Python's `==` does not."""
    match value:
        case bool() | int():
            return type(value), value
        case float():
            return float, value.hex()
        case tuple():
            return tuple(map(exact, value))
        case _:
            return value


@record
class Turn:
    """Inside turn `index` of the module's loop number `loop`."""

    loop: int
    index: int


@record
class Arm:
    """Inside arm `index` of the module's choice number `choice`; the `else` arm comes last."""

    choice: int
    index: int


Frame = Turn | Arm


@record
class Loop:
    """A `for` statement or a comprehension clause, as met once on the way through the body.

    `targets` are its variables, `iterable` the source expression (names as in `Static.source`), `values` what the
    targets held at each turn (one tuple per turn, one entry per target: a Static, or None for what is no constant).
    A loop inside a loop is met once per turn of the outer one, and has a number of its own each time; `statement` is
    the same for all of them.
    """

    statement: int
    targets: tuple[str, ...]
    iterable: Expr
    values: tuple[tuple[Static | None, ...], ...]
    comprehension: bool = False


@record
class Choice:
    """An `if` statement or conditional expression: the tests of its arms as source, and the arm taken.

    A test that reads `training` is the framework's mode switch; a test `x is none` asks for an optional input.
    """

    statement: int
    tests: tuple[Expr, ...]
    taken: int
    expression: bool = False


@record
class Origin:
    """Where an equation comes from.

    `statement` is the number of its statement in the block's text (in order of appearance); `frames` the loops and
    choices around it, outermost first.
    """

    span: Span = NOWHERE
    statement: int = -1
    frames: tuple[Frame, ...] = ()
