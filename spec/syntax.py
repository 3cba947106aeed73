"""The one syntax tree of .dl and YAML.

Every node is a frozen record whose last field is its span. Spans do not take part in equality, so two
trees are equal when they mean the same.
"""

from __future__ import annotations

from dlc.spec.record import field, record
from dlc.spec.source import Span


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)  # type: ignore[return-value]


NOWHERE = Span("", 0, 0, 0, 0)

# --- expressions -----------------------------------------------------------------------------------------------


@record
class Name:
    id: str
    span: Span = _span()


@record
class Constant:
    """`1`, `2.5`, `true`, `"text"`, `none` (value None), `inf`, `nan`. `1`, `1.0` and `true` are not equal."""

    value: int | float | bool | str | None
    span: Span = _span()

    def _key(self) -> tuple[type, object]:
        return type(self.value), repr(self.value) if isinstance(self.value, float) else self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@record
class ListLiteral:
    items: tuple[Expr, ...]
    span: Span = _span()


@record
class Clause:
    """`for targets in iterable if condition if condition`."""

    targets: tuple[str, ...]
    iterable: Expr
    conditions: tuple[Expr, ...] = ()
    span: Span = _span()


@record
class Comprehension:
    element: Expr
    clauses: tuple[Clause, ...]
    span: Span = _span()


@record
class Unary:
    """op: `-`, `+`, `~`, `not`."""

    op: str
    operand: Expr
    span: Span = _span()


@record
class Binary:
    """op: `+ - * / // % ** @ & |`, `and`, `or`."""

    op: str
    left: Expr
    right: Expr
    span: Span = _span()


@record
class Compare:
    """`a < b <= c`: `operands` holds one more than `ops`. ops: `== != < <= > >=`, `is`, `is not`, `in`, `not in`."""

    ops: tuple[str, ...]
    operands: tuple[Expr, ...]
    span: Span = _span()


@record
class Conditional:
    """`body if test else orelse`."""

    body: Expr
    test: Expr
    orelse: Expr
    span: Span = _span()


@record
class Keyword:
    name: str
    value: Expr
    span: Span = _span()


@record
class Call:
    function: Expr
    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...] = ()
    span: Span = _span()


@record
class Pipe:
    """`value -> target`: the target is applied to the value as its first argument."""

    value: Expr
    target: Expr
    span: Span = _span()


@record
class Slice:
    start: Expr | None
    stop: Expr | None
    step: Expr | None
    span: Span = _span()


@record
class Index:
    """`value[items]`; an item is an expression or a slice."""

    value: Expr
    items: tuple[Expr | Slice, ...]
    span: Span = _span()


@record
class Attribute:
    value: Expr
    name: str
    span: Span = _span()


@record
class Next:
    """`next h` read as a value."""

    name: str
    span: Span = _span()


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

# --- types -----------------------------------------------------------------------------------------------------


@record
class StarDimension:
    """`*B`."""

    name: str
    span: Span = _span()


@record
class SizedDimension:
    """`F = 1433`."""

    name: str
    size: Expr
    span: Span = _span()


@record
class TensorType:
    """`float[N, C]`; dtype: float, int, bool, f16, bf16, f32, f64, i32, i64."""

    dtype: str
    dimensions: tuple[Expr | StarDimension | SizedDimension, ...]
    span: Span = _span()


@record
class ConstantType:
    """A hyperparameter's type: int, float, bool, str, block, layer, size, or `list` of `element`."""

    name: str
    element: ConstantType | None = None
    span: Span = _span()


# --- statements ------------------------------------------------------------------------------------------------


@record
class Bounds:
    """`in low..high`, half open."""

    low: Expr
    high: Expr
    span: Span = _span()


@record
class Input:
    """`input x: float[N] = default in low..high`; default is a Constant(None) for `= none`."""

    name: str
    type: TensorType
    bounds: Bounds | None = None
    default: Expr | None = None
    span: Span = _span()


@record
class State:
    name: str
    type: TensorType
    initial: Expr | None = None
    span: Span = _span()


@record
class Parameter:
    """`param a, b: float[I] ~ distribution` or `= value`; `buffer` is not trained."""

    kind: str  # "param" or "buffer"
    names: tuple[str, ...]
    type: TensorType
    distribution: Expr | None = None  # after `~`: a Name or a Call
    value: Expr | None = None  # after `=`
    span: Span = _span()


@record
class Sample:
    """`sample u: float[N] ~ uniform(0, 1)`."""

    name: str
    type: TensorType
    distribution: Expr
    span: Span = _span()


@record
class Assign:
    """`a, b = value`."""

    targets: tuple[str, ...]
    value: Expr
    span: Span = _span()


@record
class NextAssign:
    """`next h = value`."""

    name: str
    value: Expr
    span: Span = _span()


@record
class Output:
    """`output name = value`, or `output value` (name is None)."""

    name: str | None
    value: Expr
    span: Span = _span()


@record
class For:
    targets: tuple[str, ...]
    iterable: Expr
    body: tuple[Statement, ...]
    span: Span = _span()


@record
class If:
    """`if`/`elif` as (test, body) arms, then `else` (empty if there is none)."""

    arms: tuple[tuple[Expr, tuple[Statement, ...]], ...]
    orelse: tuple[Statement, ...] = ()
    span: Span = _span()


@record
class Messages:
    """`messages u -> v along edges into V:`."""

    source: str
    target: str
    edges: Expr
    into: Expr
    body: tuple[Statement, ...]
    span: Span = _span()


@record
class Send:
    value: Expr
    span: Span = _span()


@record
class Aggregate:
    """`aggregate name = how`; how: sum, mean, max, min."""

    name: str
    how: str
    span: Span = _span()


@record
class Batch:
    """`batch x: float[N] in low..high`: an input of a `train` section, new at each call."""

    name: str
    type: TensorType
    bounds: Bounds | None = None
    span: Span = _span()


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
    span: Span = _span()


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
    name: str
    type: ConstantType
    default: Expr | None = None
    span: Span = _span()


@record
class Block:
    """`block name(...)`, `network name(...)` or `train name(...)` with its body."""

    kind: str  # "block", "network" or "train"
    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    doc: str | None
    body: tuple[Statement, ...]
    span: Span = _span()
    name_span: Span = _span()


@record
class Configuration:
    """`network X = Y(a=1)` or `train X = gan(...)`."""

    kind: str
    name: str
    value: Expr
    span: Span = _span()
    name_span: Span = _span()


@record
class Import:
    """`import "blocks.dl"` (path) or `import std.attention` (module)."""

    path: str | None
    module: str | None
    span: Span = _span()


Declaration = Block | Configuration


@record
class Spec:
    """One file."""

    doc: str | None
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]
    span: Span = _span()
