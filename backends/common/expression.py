"""A compile-time expression of the spec as Python code."""

from __future__ import annotations

import ast
from collections.abc import Callable

from dlc.backends.common.evaluate import Unknown
from dlc.backends.common.quote import call, literal, name, quote
from dlc.spec.syntax import (
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Constant,
    Ellipsis,
    Expr,
    Index,
    ListLiteral,
    Name,
    Slice,
    Unary,
)

Names = Callable[[str], ast.expr]

_BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
    "&": ast.BitAnd,
    "|": ast.BitOr,
}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "is": ast.Is,
    "is not": ast.IsNot,
    "in": ast.In,
    "not in": ast.NotIn,
}
#: Functions of constants that Python has itself, and those of its `math`.
_SAME = ("abs", "max", "min", "round", "sum", "len", "range", "zip", "enumerate", "reversed", "int", "float", "bool")
BUILTIN = {"maximum": "max", "minimum": "min", **{word: word for word in _SAME}}
MATH = frozenset({"ceil", "cos", "exp", "floor", "log", "sin", "sqrt", "tanh"})


def python(node: Expr, names: Names, module: Callable[[str], ast.expr]) -> ast.expr:
    """The code. `names` gives that of a name, `module` that of an imported module. Raises Unknown."""
    match node:
        case Constant(value):
            return literal(value)
        case Name("pi"):
            return quote("$m.pi", m=module("math"))
        case Name(id):
            return names(id)
        case ListLiteral(items):
            return ast.List([python(item, names, module) for item in items], ast.Load())
        case Unary(op, operand):
            return _unary(op, python(operand, names, module))
        case Binary("and" | "or" as op, left, right):
            word = ast.And() if op == "and" else ast.Or()
            return _joined(word, [python(left, names, module), python(right, names, module)])
        case Binary(op, left, right):
            return ast.BinOp(python(left, names, module), _BINARY[op](), python(right, names, module))
        case Compare(ops, operands):
            first, *rest = [python(operand, names, module) for operand in operands]
            return ast.Compare(first, [_COMPARE[op]() for op in ops], rest)
        case Conditional(body, test, orelse):
            chosen = python(test, names, module)
            if isinstance(chosen, ast.Constant):
                return python(body if chosen.value else orelse, names, module)
            return ast.IfExp(chosen, python(body, names, module), python(orelse, names, module))
        case Index(value, (item,)) if not isinstance(item, Ellipsis):
            return ast.Subscript(python(value, names, module), _item(item, names, module), ast.Load())
        case Call(Name(function), args) if function in BUILTIN:
            return call(BUILTIN[function], *(python(arg, names, module) for arg in args))
        case Call(Name(function), args) if function in MATH:
            target = ast.Attribute(module("math"), function, ast.Load())
            return call(target, *(python(arg, names, module) for arg in args))
        case Comprehension(element, clauses) if len(clauses) == 1:
            return _comprehension(node, names, module, element)
        case _:
            raise Unknown(f"no code for {type(node).__name__}")


def negated(test: ast.expr) -> ast.expr:
    """`not test`, said the shortest way."""
    opposite: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
        ast.Is: ast.IsNot,
        ast.IsNot: ast.Is,
        ast.Lt: ast.GtE,
        ast.GtE: ast.Lt,
        ast.Gt: ast.LtE,
        ast.LtE: ast.Gt,
    }
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in opposite:
            return ast.Compare(left, [opposite[type(op)]()], [right])
        case ast.BoolOp(op=op, values=values):
            word = ast.Or() if isinstance(op, ast.And) else ast.And()
            return ast.BoolOp(word, [negated(value) for value in values])
        case _:
            return ast.UnaryOp(ast.Not(), test)


def _unary(op: str, operand: ast.expr) -> ast.expr:
    if op == "not":
        return negated(operand) if isinstance(operand, ast.Compare) else ast.UnaryOp(ast.Not(), operand)
    kinds = {"-": ast.USub(), "+": ast.UAdd(), "~": ast.Invert()}
    return ast.UnaryOp(kinds[op], operand)


def _joined(word: ast.boolop, values: list[ast.expr]) -> ast.expr:
    flat: list[ast.expr] = []
    for value in values:
        flat += value.values if isinstance(value, ast.BoolOp) and type(value.op) is type(word) else [value]
    return ast.BoolOp(word, flat)


def _item(item: Expr | Slice, names: Names, module: Callable[[str], ast.expr]) -> ast.expr:
    if not isinstance(item, Slice):
        return python(item, names, module)
    parts = [None if part is None else python(part, names, module) for part in (item.start, item.stop, item.step)]
    return ast.Slice(*parts)


def _comprehension(node: Comprehension, names: Names, module: Callable[[str], ast.expr], element: Expr) -> ast.expr:
    clause = node.clauses[0]
    bound = set(clause.targets)

    def inner(word: str) -> ast.expr:
        return name(word) if word in bound else names(word)

    targets = [ast.Name(target, ast.Store()) for target in clause.targets]
    target: ast.expr = targets[0] if len(targets) == 1 else ast.Tuple(list[ast.expr](targets), ast.Store())
    tests = [python(test, inner, module) for test in clause.conditions]
    generator = ast.comprehension(target, python(clause.iterable, names, module), tests, 0)
    return ast.ListComp(python(element, inner, module), [generator])
