"""The one syntax tree of .dl and YAML: expressions (from `syntax_expressions.py`), types, statements, declarations.

Every node is a frozen record whose last field is its span. Spans do not take part in equality, so two
trees are equal when they mean the same.
"""

# pyright: reportUnusedImport=false
from __future__ import annotations

from dlc.spec.record import record
from dlc.spec.source import Span
from dlc.spec.syntax_expressions import (
    NOWHERE,
    Attribute,
    Binary,
    Call,
    Clause,
    Compare,
    Comprehension,
    Conditional,
    Constant,
    Ellipsis,
    Expr,
    Index,
    Keyword,
    ListLiteral,
    Name,
    Next,
    Pipe,
    Slice,
    Unary,
    span_field,
)

# --- types -----------------------------------------------------------------------------------------------------


@record
class StarDimension:
    """`*B`."""

    name: str
    span: Span = span_field()


@record
class SizedDimension:
    """`F = 1433`."""

    name: str
    size: Expr
    span: Span = span_field()


@record
class TensorType:
    """`float[N, C]`; dtype: float, int, bool, f16, bf16, f32, f64, i32, i64."""

    dtype: str
    dimensions: tuple[Expr | StarDimension | SizedDimension, ...]
    span: Span = span_field()


@record
class ConstantType:
    """A hyperparameter's type: int, float, bool, str, block, layer, size, `list` of `element`, `literal` (that text and
    no other) or `union` (any of `options`)."""

    name: str
    element: ConstantType | None = None
    options: tuple[ConstantType, ...] = ()
    literal: str | None = None
    span: Span = span_field()


# --- statements ------------------------------------------------------------------------------------------------


@record
class Bounds:
    """`in low..high`, half open; of a hyperparameter also `in low..`, without an upper end."""

    low: Expr
    high: Expr | None
    span: Span = span_field()


@record
class Input:
    """`input x: float[N] = default in low..high`; default is a Constant(None) for `= none`."""

    name: str
    type: TensorType
    bounds: Bounds | None = None
    default: Expr | None = None
    span: Span = span_field()


@record
class State:
    name: str
    type: TensorType
    initial: Expr | None = None
    span: Span = span_field()


@record
class Parameter:
    """`param a, b: float[I] ~ distribution` or `= value`; `buffer` is not trained."""

    kind: str  # "param" or "buffer"
    names: tuple[str, ...]
    type: TensorType
    distribution: Expr | None = None  # after `~`: a Name or a Call
    value: Expr | None = None  # after `=`
    span: Span = span_field()


@record
class Sample:
    """`sample u: float[N] ~ uniform(0, 1)`."""

    name: str
    type: TensorType
    distribution: Expr
    span: Span = span_field()


@record
class Assign:
    """`a, b = value`."""

    targets: tuple[str, ...]
    value: Expr
    span: Span = span_field()


@record
class NextAssign:
    """`next h = value`."""

    name: str
    value: Expr
    span: Span = span_field()


@record
class Output:
    """`output name = value`, or `output value` (name is None)."""

    name: str | None
    value: Expr
    span: Span = span_field()


@record
class For:
    targets: tuple[str, ...]
    iterable: Expr
    body: tuple[Statement, ...]
    span: Span = span_field()


@record
class If:
    """`if`/`elif` as (test, body) arms, then `else` (empty if there is none)."""

    arms: tuple[tuple[Expr, tuple[Statement, ...]], ...]
    orelse: tuple[Statement, ...] = ()
    span: Span = span_field()


@record
class Messages:
    """`messages u -> v along edges into V:`."""

    source: str
    target: str
    edges: Expr
    into: Expr
    body: tuple[Statement, ...]
    span: Span = span_field()


@record
class Send:
    value: Expr
    span: Span = span_field()


@record
class Aggregate:
    """`aggregate name = how`; how: sum, mean, max, min."""

    name: str
    how: str
    span: Span = span_field()


@record
class Batch:
    """`batch x: float[N] in low..high`: an input of a `train` section, new at each call."""

    name: str
    type: TensorType
    bounds: Bounds | None = None
    span: Span = span_field()


@record
class TrainStatement:
    """A statement that only a `train` section has.

    | written | word | subjects | clauses |
    |---|---|---|---|
    | `step D, E except F repeat k with sgd(lr=1):` | step | D, E | except, repeat, with: as written |
    | `minimize e` | minimize | e | |
    | `report accuracy = e` | report | Name(accuracy) | `=` |
    | `set R.w = e` | set | R.w | `=` |
    | `carry L reset fresh` | carry | L | reset |

    A clause is a Keyword whose name is the word (or `=`) before its value. Only `step` has a body.
    """

    word: str
    subjects: tuple[Expr, ...]
    clauses: tuple[Keyword, ...] = ()
    body: tuple[Statement, ...] = ()
    span: Span = span_field()


Statement = (
    Input
    | Batch
    | State
    | Parameter
    | Sample
    | Assign
    | NextAssign
    | Output
    | For
    | If
    | Messages
    | Send
    | Aggregate
    | TrainStatement
)

# --- declarations ----------------------------------------------------------------------------------------------


@record
class Hyperparameter:
    """`p: float in 0..1 = 0.5`: type, bounds (half open, of each number of a list too), default."""

    name: str
    type: ConstantType
    default: Expr | None = None
    bounds: Bounds | None = None
    span: Span = span_field()


@record
class Block:
    """`block name(...)`, `network name(...)` or `train name(...)` with its body."""

    kind: str  # "block", "network" or "train"
    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    doc: str | None
    body: tuple[Statement, ...]
    span: Span = span_field()
    name_span: Span = span_field()


@record
class Configuration:
    """`network X = Y(a=1)` or `train X = gan(...)`."""

    kind: str
    name: str
    value: Expr
    span: Span = span_field()
    name_span: Span = span_field()


@record
class Import:
    """`import "blocks.dl"` (path) or `import std.attention` (module)."""

    path: str | None
    module: str | None
    span: Span = span_field()


Declaration = Block | Configuration


@record
class Spec:
    """One file."""

    doc: str | None
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]
    span: Span = span_field()
