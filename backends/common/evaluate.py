"""Compile-time expressions in an environment: their values, and the names they read.

Used by folding and its proof: a merged class must reproduce each module's constants from the module's own arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from dlc.diagnostics import DlcError
from dlc.dims import Dim
from dlc.passes import static
from dlc.spec.syntax import (
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
    ListLiteral,
    Name,
    Pipe,
    Slice,
    Unary,
)


class Unknown(Exception):  # noqa: N818 - a verdict, not a fault
    """The expression has no value here: a name is missing, or it is none that folding understands."""


class Present:
    """Stands for a tensor in an environment: something that is not none."""

    def __repr__(self) -> str:
        return "PRESENT"


PRESENT = Present()
Environment = Mapping[str, object]


def evaluate(node: Expr, names: Environment) -> Any:
    """The value of a compile-time expression; lists are tuples. Raises Unknown."""
    try:
        return _evaluate(node, names)
    except (DlcError, TypeError, ValueError, IndexError, KeyError, ArithmeticError) as problem:
        raise Unknown(str(problem)) from problem


def free_names(node: Expr) -> tuple[str, ...]:
    """The names that an expression reads from outside, each once, in order of the text; no functions."""
    found: dict[str, None] = {}
    _gather(node, found, frozenset())
    return tuple(found)


def substitute(node: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced; names that a comprehension binds stay."""
    match node:
        case Name(id):
            return values.get(id, node)
        case ListLiteral(items):
            return ListLiteral(tuple(substitute(item, values) for item in items))
        case Unary(op, operand):
            return Unary(op, substitute(operand, values))
        case Binary(op, left, right):
            return Binary(op, substitute(left, values), substitute(right, values))
        case Compare(ops, operands):
            return Compare(ops, tuple(substitute(operand, values) for operand in operands))
        case Conditional(body, test, orelse):
            return Conditional(substitute(body, values), substitute(test, values), substitute(orelse, values))
        case Call(function, args, keywords) if not keywords:
            return Call(function, tuple(substitute(arg, values) for arg in args))
        case Index(value, items) if not any(isinstance(item, Ellipsis) for item in items):
            inside = cast("tuple[Expr | Slice, ...]", items)
            return Index(substitute(value, values), tuple(_substituted(item, values) for item in inside))
        case Comprehension(element, clauses):
            return _comprehension(element, clauses, values)
        case Constant():
            return node
        case _:
            raise Unknown(f"no substitution into {type(node).__name__}")


def _substituted(item: Expr | Slice, values: Mapping[str, Expr]) -> Expr | Slice:
    if not isinstance(item, Slice):
        return substitute(item, values)
    start, stop, step = (one if one is None else substitute(one, values) for one in (item.start, item.stop, item.step))
    return Slice(start, stop, step)


def _comprehension(element: Expr, clauses: tuple[Clause, ...], values: Mapping[str, Expr]) -> Expr:
    """Names that it binds stay what they are; raises Unknown where one of them would catch a name that is put in."""
    out: list[Clause] = []
    inner = values
    for clause in clauses:
        iterable = substitute(clause.iterable, inner)
        inner = {name: code for name, code in inner.items() if name not in clause.targets}
        if any(set(clause.targets) & set(free_names(code)) for code in inner.values()):
            raise Unknown("a comprehension's variable has the name of what is put in")
        conditions = tuple(substitute(condition, inner) for condition in clause.conditions)
        out.append(Clause(clause.targets, iterable, conditions))
    return Comprehension(substitute(element, inner), tuple(out))


def bind_targets(targets: tuple[str, ...], item: object) -> dict[str, object]:
    """What the targets of a `for` hold for one item. Raises Unknown where the item does not fit."""
    if len(targets) == 1:
        return {targets[0]: item}
    parts = _flat_targets(item, len(targets))
    if len(parts) != len(targets):
        raise Unknown("the item does not fit the targets")
    return dict(zip(targets, parts, strict=True))


def _flat_targets(item: object, count: int) -> tuple[object, ...]:
    if not isinstance(item, tuple):
        raise Unknown("the item can't be unpacked")
    parts = cast("tuple[object, ...]", item)
    if len(parts) == count:
        return parts
    flat: list[object] = []
    for part in parts:
        flat.extend(cast("tuple[object, ...]", part) if isinstance(part, tuple) else (part,))
    return tuple(flat)


def _evaluate(node: Expr, names: Environment) -> Any:
    match node:
        case Constant(value):
            return value
        case Name(id):
            return _look_up(id, names)
        case ListLiteral(items):
            return tuple(_evaluate(item, names) for item in items)
        case Unary(op, operand):
            return _unary(op, _evaluate(operand, names), node)
        case Binary("and", left, right):
            return _evaluate(left, names) and _evaluate(right, names)
        case Binary("or", left, right):
            return _evaluate(left, names) or _evaluate(right, names)
        case Binary(op, left, right):
            return _binary(op, _evaluate(left, names), _evaluate(right, names), node)
        case Compare(ops, operands):
            return _compare(ops, operands, names, node)
        case Conditional(body, test, orelse):
            return _evaluate(body if _truth(_evaluate(test, names)) else orelse, names)
        case Index(value, (item,)) if not isinstance(item, Ellipsis):
            return _index(_evaluate(value, names), item, names)
        case Call(Name(function), args, keywords):
            return _call(function, [_evaluate(arg, names) for arg in args], bool(keywords), node)
        case Comprehension(element, clauses):
            return tuple(_evaluate(element, scope) for scope in _scopes(clauses, names))
        case _:
            raise Unknown(f"{type(node).__name__} has no compile-time value")


def _look_up(name: str, names: Environment) -> object:
    if name in names:
        return names[name]
    if name == "pi":
        return static.math.pi
    raise Unknown(f"`{name}` has no value here")


def _truth(value: object) -> bool:
    if isinstance(value, Dim | Present):
        raise Unknown("not known at compile time")
    return bool(value)


def _unary(op: str, value: Any, node: Unary) -> Any:
    if op == "not":
        return not _truth(value)
    if isinstance(value, Dim):
        return static.binary("*", value, -1, node.span) if op == "-" else value
    return {"-": lambda: -value, "+": lambda: +value, "~": lambda: not value}[op]()


def _binary(op: str, left: Any, right: Any, node: Binary) -> Any:
    if isinstance(left, Present) or isinstance(right, Present):
        raise Unknown("a tensor has no compile-time value")
    if isinstance(left, tuple) or isinstance(right, tuple):
        return left + right if op == "+" else left * cast(int, right)
    return static.binary(op, left, right, node.span)


def _compare(ops: tuple[str, ...], operands: tuple[Expr, ...], names: Environment, node: Compare) -> bool:
    values = [_evaluate(operand, names) for operand in operands]
    for op, left, right in zip(ops, values, values[1:], strict=False):
        if isinstance(left, Present) and op not in ("is", "is not"):
            raise Unknown("a tensor has no compile-time value")
        if not static.compare(op, left, right, node.span):
            return False
    return True


def _index(value: Any, item: Expr | Slice, names: Environment) -> Any:
    if not isinstance(item, Slice):
        return value[_evaluate(item, names)]
    bounds = [None if part is None else _evaluate(part, names) for part in (item.start, item.stop, item.step)]
    return value[slice(*bounds)]


def _call(function: str, args: list[Any], keywords: bool, node: Call) -> Any:
    if keywords:
        raise Unknown("keywords")
    lists: dict[str, Callable[..., Any]] = {
        "len": len,
        "range": range,
        "zip": zip,
        "enumerate": enumerate,
        "reversed": reversed,
        "int": int,
        "float": float,
        "bool": bool,
    }
    if function in lists:
        made = lists[function](*args)
        return tuple(made) if isinstance(made, Iterable) else made
    return static.function(function, args, node.span)


def _scopes(clauses: tuple[Clause, ...], names: Environment) -> Iterator[Environment]:
    if not clauses:
        yield names
        return
    first, rest = clauses[0], clauses[1:]
    for item in cast("Iterable[object]", _evaluate(first.iterable, names)):
        scope = {**names, **bind_targets(first.targets, item)}
        if all(_truth(_evaluate(condition, scope)) for condition in first.conditions):
            yield from _scopes(rest, scope)


def _gather(node: Expr | Slice | Ellipsis | None, found: dict[str, None], bound: frozenset[str]) -> None:
    """Adds the names that are not `bound`. Sizes of deep networks are deep, where generators cost more."""
    match node:
        case Name(id):
            if id not in bound:
                found[id] = None
        case Comprehension(element, clauses):
            bound |= {target for clause in clauses for target in clause.targets}
            for clause in clauses:
                for part in (clause.iterable, *clause.conditions):
                    _gather(part, found, bound)
            _gather(element, found, bound)
        case _:
            for part in _parts(node):
                _gather(part, found, bound)


def _parts(node: Expr | Slice | Ellipsis | None) -> Sequence[Expr | Slice | Ellipsis | None]:
    """What an expression is made of, in order of the text; no functions' names."""
    match node:
        case Binary(_, left, right):
            return left, right
        case ListLiteral(parts) | Compare(_, parts):
            return parts
        case Unary(_, part) | Attribute(part, _):
            return (part,)
        case Conditional(body, test, orelse):
            return body, test, orelse
        case Call(function, args, keywords):
            first = () if isinstance(function, Name) else (function,)
            return (*first, *args, *(keyword.value for keyword in keywords))
        case Index(value, items):
            return (value, *items)
        case Slice(start, stop, step):
            return start, stop, step
        case Pipe(value, target):
            return value, target
        case _:
            return ()
