"""Builds syntax nodes from the values that the LALR table reduces; one function for each rule of `grammar.lark`.

Each takes the rule's symbols in order: tokens as Token, the rest as nodes. `default`, `distribution` and `clause` give
a Keyword whose name is the word or sign before the value.
"""

from __future__ import annotations

from typing import Any

from dlc.diagnostics import error
from dlc.spec import syntax as s
from dlc.spec.actions_expressions import EXPRESSIONS
from dlc.spec.lalr import Action
from dlc.spec.literals import clean_doc
from dlc.spec.reduced import Group, Values, cover, names_at, nodes_of
from dlc.spec.token import Token
from dlc.spec.type_names import check_alone, check_constant_type, check_dtype, check_option


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
    nodes = nodes_of(v[2:])
    hyperparameters: tuple[s.Hyperparameter, ...] = ()
    if nodes and isinstance(nodes[0], Group):
        hyperparameters, nodes = tuple(nodes[0]), nodes[1:]
    doc = None
    if nodes and isinstance(nodes[0], s.Constant):
        doc, nodes = str(nodes[0].value), nodes[1:]
    return s.Block(kind.kind, name.text, hyperparameters, doc, nodes, cover(v), name.span)


def hyperparameters(v: Values) -> Group:
    return Group(nodes_of(v))


def hyperparameter(v: Values) -> s.Hyperparameter:
    limits = next((n for n in v if isinstance(n, s.Bounds)), None)
    return s.Hyperparameter(v[0].text, v[2], _after(v, "="), limits, cover(v))


def constant_type(v: Values) -> s.ConstantType:
    options = tuple(nodes_of(v))
    if len(options) == 1:
        check_alone(options[0])
        return options[0]
    for option in options:
        check_option(option)
    return s.ConstantType("union", options=options, span=cover(v))


def plain_type(v: Values) -> s.ConstantType:
    element = v[2] if len(v) > 1 else None
    check_constant_type(v[0], element is not None)
    return s.ConstantType(v[0].text, element, span=cover(v))


def literal_type(v: Values) -> s.ConstantType:
    return s.ConstantType("literal", literal=v[0].value, span=cover(v))


def doc(v: Values) -> s.Constant:
    return s.Constant(clean_doc(v[0].value), v[0].span)


# --- statements


def line(v: Values) -> Any:
    return v[0]


def for_(v: Values) -> s.For:
    targets, at = names_at(v, 1)
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
    header = nodes_of(v[1:colon])
    clauses = tuple(n for n in header if isinstance(n, s.Keyword))
    return s.TrainStatement("step", header[: len(header) - len(clauses)], clauses, _body(v, colon), cover(v))


def clause(v: Values) -> s.Keyword:
    return s.Keyword(v[0].text, v[1], cover(v))


def bounds(v: Values) -> s.Bounds:
    """`in low..high`; `in low..` has no upper end."""
    return s.Bounds(v[1], v[3] if len(v) > 3 else None, cover(v))


def input_(v: Values) -> s.Input:
    limits = next((n for n in v if isinstance(n, s.Bounds)), None)
    return s.Input(v[1].text, v[3], limits, _after(v, "="), cover(v))


def batch(v: Values) -> s.Batch:
    return s.Batch(v[1].text, v[3], v[4] if len(v) > 4 else None, cover(v))


def state(v: Values) -> s.State:
    return s.State(v[1].text, v[3], _after(v, "="), cover(v))


def parameter(v: Values) -> s.Parameter:
    names, at = names_at(v, 1)
    return s.Parameter(v[0].kind, names, v[at + 1], _after(v, "~"), _after(v, "="), cover(v))


def sample(v: Values) -> s.Sample:
    return s.Sample(v[1].text, v[3], v[4].value, cover(v))


def assign(v: Values) -> s.Assign:
    targets, at = names_at(v, 0)
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
    return s.TensorType(v[0].text, nodes_of(v[2:]), cover(v))


def star_dimension(v: Values) -> s.StarDimension:
    return s.StarDimension(v[1].text, cover(v))


def sized_dimension(v: Values) -> s.SizedDimension:
    return s.SizedDimension(v[0].text, v[2], cover(v))


ACTIONS: dict[str, Action] = {
    "head": head,
    "import_path": import_path,
    "import_module": import_module,
    "configuration": configuration,
    "block": block,
    "hyperparameters": hyperparameters,
    "hyperparameter": hyperparameter,
    "constant_type": constant_type,
    "literal_type": literal_type,
    "plain_type": plain_type,
    "doc": doc,
    "line": line,
    "for": for_,
    "if": if_,
    "messages": messages,
    "step": step,
    "clause": clause,
    "bounds": bounds,
    "range": bounds,
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
    **EXPRESSIONS,
}
