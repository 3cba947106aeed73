"""Builds syntax nodes from the values that the LALR table reduces; one function for each rule of `grammar.lark`.

Each takes the rule's symbols in order: tokens as Token, the rest as nodes. `default`, `distribution` and `clause` give
a Keyword whose name is the word or sign before the value.
"""

from __future__ import annotations

import math
from typing import Any

from dlc.diagnostics import error
from dlc.spec import syntax as s
from dlc.spec.lalr import Action
from dlc.spec.literals import clean_doc
from dlc.spec.pipes import check_stages
from dlc.spec.record import replace
from dlc.spec.source import Span
from dlc.spec.token import Token
from dlc.spec.type_names import check_constant_type, check_dtype

Values = list[Any]


class Group(tuple[Any, ...]):
    """Nodes that belong together until the rule around them takes them apart."""

    __slots__ = ()


CONSTANTS: dict[str, bool | float | None] = {
    "true": True,
    "false": False,
    "none": None,
    "inf": math.inf,
    "nan": math.nan,
}
PYTHON_SPELLINGS = {"True": "true", "False": "false", "None": "none"}


def cover(values: Values) -> Span:
    """From the start of the first value to the end of the last that is written (line ends and indents are not)."""
    last = next(v for v in reversed(values) if not (isinstance(v, Token) and v.kind in ("NEWLINE", "DEDENT", "INDENT")))
    return values[0].span.to(last.span)


def _names(values: Values, start: int) -> tuple[tuple[str, ...], int]:
    """The `a, b` at `start` and the place after it."""
    names = [values[start].text]
    while values[start + 1].kind == ",":
        start += 2
        names.append(values[start].text)
    return tuple(names), start + 1


def _nodes(values: Values) -> tuple[Any, ...]:
    return tuple(v for v in values if not isinstance(v, Token))


def _body(values: Values, start: int) -> tuple[Any, ...]:
    """The statements after the INDENT that follows `start`, as far as its DEDENT."""
    body: Values = []
    for value in values[start:]:
        if not isinstance(value, Token):
            body.append(value)
        elif value.kind == "DEDENT":
            break
    return tuple(body)


def _after(values: Values, sign: str) -> Any:
    """The value of the Keyword `sign`, or None."""
    return next((v.value for v in values if isinstance(v, s.Keyword) and v.name == sign), None)


# --- declarations


def head(v: Values) -> str | None:
    return clean_doc(v[0].value) if v else None


def import_path(v: Values) -> s.Import:
    return s.Import(v[1].value, None, cover(v))


def import_module(v: Values) -> s.Import:
    return s.Import(None, "".join(t.text for t in v[1:-1]), cover(v))


def configuration(v: Values) -> s.Configuration:
    if v[0].kind == "block":
        raise error(
            "E0109",
            "a block cannot be a configuration",
            v[0].span.to(v[1].span),
            found="`block` before `=`",
            expected="`network` or `train`",
        )
    return s.Configuration(v[0].kind, v[1].text, v[3], cover(v), v[1].span)


def block(v: Values) -> s.Block:
    kind, name = v[0], v[1]
    nodes = _nodes(v[2:])
    hyperparameters: tuple[s.Hyperparameter, ...] = ()
    if nodes and isinstance(nodes[0], Group):
        hyperparameters, nodes = tuple(nodes[0]), nodes[1:]
    doc = None
    if nodes and isinstance(nodes[0], s.Constant):
        doc, nodes = str(nodes[0].value), nodes[1:]
    return s.Block(kind.kind, name.text, hyperparameters, doc, nodes, cover(v), name.span)


def hyperparameters(v: Values) -> Group:
    return Group(_nodes(v))


def hyperparameter(v: Values) -> s.Hyperparameter:
    return s.Hyperparameter(v[0].text, v[2], v[4] if len(v) > 3 else None, cover(v))


def constant_type(v: Values) -> s.ConstantType:
    element = v[2] if len(v) > 1 else None
    check_constant_type(v[0], element is not None)
    return s.ConstantType(v[0].text, element, cover(v))


def doc(v: Values) -> s.Constant:
    return s.Constant(clean_doc(v[0].value), v[0].span)


# --- statements


def line(v: Values) -> Any:
    return v[0]


def for_(v: Values) -> s.For:
    targets, at = _names(v, 1)
    return s.For(targets, v[at + 1], _body(v, at + 2), cover(v))


def if_(v: Values) -> s.If:
    arms: list[tuple[Any, tuple[Any, ...]]] = []
    orelse: tuple[Any, ...] = ()
    for i, value in enumerate(v):
        if not isinstance(value, Token):
            continue
        if value.kind in ("if", "elif"):
            arms.append((v[i + 1], _body(v, i + 2)))
        elif value.kind == "else":
            orelse = _body(v, i + 1)
    return s.If(tuple(arms), orelse, cover(v))


def messages(v: Values) -> s.Messages:
    return s.Messages(v[1].text, v[3].text, v[5], v[7], _body(v, 8), cover(v))


def step(v: Values) -> s.TrainStatement:
    colon = next(i for i, value in enumerate(v) if isinstance(value, Token) and value.kind == ":")
    header = _nodes(v[1:colon])
    clauses = tuple(n for n in header if isinstance(n, s.Keyword))
    return s.TrainStatement("step", header[: len(header) - len(clauses)], clauses, _body(v, colon), cover(v))


def clause(v: Values) -> s.Keyword:
    return s.Keyword(v[0].text, v[1], cover(v))


def bounds(v: Values) -> s.Bounds:
    return s.Bounds(v[1], v[3], cover(v))


def input_(v: Values) -> s.Input:
    limits = next((n for n in v if isinstance(n, s.Bounds)), None)
    return s.Input(v[1].text, v[3], limits, _after(v, "="), cover(v))


def batch(v: Values) -> s.Batch:
    return s.Batch(v[1].text, v[3], v[4] if len(v) > 4 else None, cover(v))


def state(v: Values) -> s.State:
    return s.State(v[1].text, v[3], _after(v, "="), cover(v))


def parameter(v: Values) -> s.Parameter:
    names, at = _names(v, 1)
    return s.Parameter(v[0].kind, names, v[at + 1], _after(v, "~"), _after(v, "="), cover(v))


def sample(v: Values) -> s.Sample:
    return s.Sample(v[1].text, v[3], v[4].value, cover(v))


def assign(v: Values) -> s.Assign:
    targets, at = _names(v, 0)
    return s.Assign(targets, v[at + 1], cover(v))


def next_assign(v: Values) -> s.NextAssign:
    return s.NextAssign(v[1].text, v[3], cover(v))


def output_named(v: Values) -> s.Output:
    return s.Output(v[1].text, v[3], cover(v))


def output(v: Values) -> s.Output:
    return s.Output(None, v[1], cover(v))


def send(v: Values) -> s.Send:
    return s.Send(v[1], cover(v))


def aggregate(v: Values) -> s.Aggregate:
    return s.Aggregate(v[1].text, v[3].text, cover(v))


def train_simple(v: Values) -> s.TrainStatement:
    return s.TrainStatement(v[0].kind, (v[1],), tuple(v[2:]), (), cover(v))


def report(v: Values) -> s.TrainStatement:
    value = s.Keyword("=", v[3], v[2].span.to(v[3].span))
    return s.TrainStatement("report", (s.Name(v[1].text, v[1].span),), (value,), (), cover(v))


def set_(v: Values) -> s.TrainStatement:
    return s.TrainStatement("set", (v[1],), (s.Keyword("=", v[3], v[2].span.to(v[3].span)),), (), cover(v))


# --- types


def tensor_type(v: Values) -> s.TensorType:
    check_dtype(v[0])
    return s.TensorType(v[0].text, _nodes(v[2:]), cover(v))


def star_dimension(v: Values) -> s.StarDimension:
    return s.StarDimension(v[1].text, cover(v))


def sized_dimension(v: Values) -> s.SizedDimension:
    return s.SizedDimension(v[0].text, v[2], cover(v))


# --- expressions


def stages(v: Values) -> Group:
    before = tuple(v[0]) if isinstance(v[0], Group) else (v[0],)
    return Group((*before, v[2]))


def pipeline(v: Values) -> s.Expr:
    check_stages(v[0])
    value, *targets = v[0]
    for target in targets:
        value = s.Pipe(value, target, value.span.to(target.span))
    return value


def conditional(v: Values) -> s.Conditional:
    return s.Conditional(v[0], v[2], v[4], cover(v))


def binary(v: Values) -> s.Binary:
    return s.Binary(v[1].kind, v[0], v[2], cover(v))


def unary(v: Values) -> s.Unary:
    return s.Unary(v[0].kind, v[1], cover(v))


def compare(v: Values) -> s.Compare:
    return s.Compare(tuple(t.kind for t in v[1::2]), tuple(v[0::2]), cover(v))


def call(v: Values) -> s.Call:
    positional: list[s.Expr] = []
    keywords: list[s.Keyword] = []
    for argument in _nodes(v[2:]):
        if isinstance(argument, s.Keyword):
            keywords.append(argument)
        elif keywords:
            raise error(
                "E0110",
                "a positional argument after a keyword argument",
                argument.span,
                hint=f"put it before `{keywords[0].name}=`",
            )
        else:
            positional.append(argument)
    return s.Call(v[0], tuple(positional), tuple(keywords), cover(v))


def index(v: Values) -> s.Index:
    return s.Index(v[0], _nodes(v[2:]), cover(v))


def attribute(v: Values) -> s.Attribute:
    return s.Attribute(v[0], v[2].text, cover(v))


def keyword(v: Values) -> s.Keyword:
    return s.Keyword(v[0].text, v[2], cover(v))


def slice_(v: Values) -> s.Slice:
    parts: list[Any] = [None, None, None]
    at = 0
    for value in v:
        if isinstance(value, Token):
            at += 1
        else:
            parts[at] = value
    return s.Slice(parts[0], parts[1], parts[2], cover(v))


def name(v: Values) -> s.Name:
    if v[0].text in PYTHON_SPELLINGS:
        right = PYTHON_SPELLINGS[v[0].text]
        raise error("E0111", f"`{v[0].text}` is written `{right}`", v[0].span, hint=f"write `{right}`")
    return s.Name(v[0].text, v[0].span)


def literal(v: Values) -> s.Constant:
    return s.Constant(v[0].value, v[0].span)


def constant(v: Values) -> s.Constant:
    return s.Constant(CONSTANTS[v[0].kind], v[0].span)


def next_(v: Values) -> s.Next:
    return s.Next(v[1].text, cover(v))


def parenthesis(v: Values) -> s.Expr:
    """The expression itself; its span takes in the parentheses, so that what surrounds it starts and ends there."""
    return replace(v[1], span=cover(v))


def list_(v: Values) -> s.ListLiteral:
    return s.ListLiteral(_nodes(v), cover(v))


def comprehension(v: Values) -> s.Comprehension:
    return s.Comprehension(v[1], tuple(v[2:-1]), cover(v))


def comprehension_clause(v: Values) -> s.Clause:
    targets, at = _names(v, 1)
    return s.Clause(targets, v[at + 1], tuple(v[at + 3 :: 2]), cover(v))


ACTIONS: dict[str, Action] = {
    "head": head,
    "import_path": import_path,
    "import_module": import_module,
    "configuration": configuration,
    "block": block,
    "hyperparameters": hyperparameters,
    "hyperparameter": hyperparameter,
    "constant_type": constant_type,
    "doc": doc,
    "line": line,
    "for": for_,
    "if": if_,
    "messages": messages,
    "step": step,
    "clause": clause,
    "bounds": bounds,
    "default": clause,
    "distribution": clause,
    "input": input_,
    "batch": batch,
    "state": state,
    "parameter": parameter,
    "sample": sample,
    "assign": assign,
    "next_assign": next_assign,
    "output_named": output_named,
    "output": output,
    "send": send,
    "aggregate": aggregate,
    "train_simple": train_simple,
    "report": report,
    "set": set_,
    "tensor_type": tensor_type,
    "star_dimension": star_dimension,
    "sized_dimension": sized_dimension,
    "stages": stages,
    "pipeline": pipeline,
    "conditional": conditional,
    "binary": binary,
    "unary": unary,
    "compare": compare,
    "call": call,
    "index": index,
    "attribute": attribute,
    "keyword": keyword,
    "slice": slice_,
    "name": name,
    "number": literal,
    "string": literal,
    "constant": constant,
    "next": next_,
    "parenthesis": parenthesis,
    "list": list_,
    "comprehension": comprehension,
    "comprehension_clause": comprehension_clause,
}
