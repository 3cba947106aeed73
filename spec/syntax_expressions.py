"""The expressions of the syntax tree, and the spans of all nodes."""

from __future__ import annotations

from dlc.spec.record import field, record
from dlc.spec.source import Span

NOWHERE = Span("", 0, 0, 0, 0)


def span_field() -> Span:
    """The last field of each node. It takes no part in equality."""
    return field(default=NOWHERE, compare=False, repr=False)  # type: ignore[return-value]


@record
class Name:
    id: str
    span: Span = span_field()


@record
class Constant:
    """`1`, `2.5`, `true`, `"text"`, `none` (value None), `inf`, `nan`. `1`, `1.0` and `true` are not equal."""

    value: int | float | bool | str | None
    span: Span = span_field()

    def _key(self) -> tuple[type, object]:
        return type(self.value), repr(self.value) if isinstance(self.value, float) else self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@record
class ListLiteral:
    items: tuple[Expr, ...]
    span: Span = span_field()


@record
class Clause:
    """`for targets in iterable if condition if condition`."""

    targets: tuple[str, ...]
    iterable: Expr
    conditions: tuple[Expr, ...] = ()
    span: Span = span_field()


@record
class Comprehension:
    element: Expr
    clauses: tuple[Clause, ...]
    span: Span = span_field()


@record
class Unary:
    """op: `-`, `+`, `~`, `not`."""

    op: str
    operand: Expr
    span: Span = span_field()


@record
class Binary:
    """op: `+ - * / // % ** @ & |`, `and`, `or`."""

    op: str
    left: Expr
    right: Expr
    span: Span = span_field()


@record
class Compare:
    """`a < b <= c`: `operands` holds one more than `ops`. ops: `== != < <= > >=`, `is`, `is not`, `in`, `not in`."""

    ops: tuple[str, ...]
    operands: tuple[Expr, ...]
    span: Span = span_field()


@record
class Conditional:
    """`body if test else orelse`."""

    body: Expr
    test: Expr
    orelse: Expr
    span: Span = span_field()


@record
class Keyword:
    """`name=value`."""

    name: str
    value: Expr
    span: Span = span_field()

    @property
    def name_span(self) -> Span:
        end = self.span.column + len(self.name)
        return Span(self.span.file, self.span.line, self.span.column, self.span.line, end)


@record
class Call:
    function: Expr
    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...] = ()
    span: Span = span_field()


@record
class Pipe:
    """`value -> target`: the target is applied to the value as its first argument."""

    value: Expr
    target: Expr
    span: Span = span_field()


@record
class Slice:
    start: Expr | None
    stop: Expr | None
    step: Expr | None
    span: Span = span_field()


@record
class Ellipsis:
    """`...` in an index: all axes that the other items leave."""

    span: Span = span_field()


@record
class Index:
    """`value[items]`; an item is an expression, a slice or `...`."""

    value: Expr
    items: tuple[Expr | Slice | Ellipsis, ...]
    span: Span = span_field()


@record
class Attribute:
    value: Expr
    name: str
    span: Span = span_field()


@record
class Next:
    """`next h` read as a value."""

    name: str
    span: Span = span_field()


Expr = (
    Name
    | Constant
    | ListLiteral
    | Comprehension
    | Unary
    | Binary
    | Compare
    | Conditional
    | Call
    | Pipe
    | Index
    | Attribute
    | Next
)
