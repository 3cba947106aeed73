"""Long statements in steps: a part that is too much for one line gets a variable, before its statement.

A chain of calls (`a(b(c(x)))`) becomes several assignments to the statement's own variable, as one would write it. A
statement whose arguments fit on one line between their brackets stays, and so does a call without calls inside: its
arguments stand one by one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from dlc.backends.common.flat import flat
from dlc.backends.common.layout import WIDTH, fits, lines_of
from dlc.backends.common.quote import name
from dlc.backends.common.wishes import noun

Fresh = Callable[[str], str]
Statement = ast.Assign | ast.Return | ast.Expr
_OPERATIONS: dict[type[ast.operator], str] = {
    ast.Add: "total",
    ast.Sub: "difference",
    ast.Mult: "scaled",
    ast.MatMult: "product",
    ast.Div: "ratio",
    ast.FloorDiv: "quotient",
    ast.Pow: "power",
}


def outline(body: Sequence[ast.stmt], depth: int, fresh: Fresh) -> list[ast.stmt]:
    """The statements, `depth` levels deep, with long ones in steps. `fresh` gives names that are free."""
    out: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If | ast.For | ast.With):
            out.append(_inside(node, depth, fresh))
        elif isinstance(node, Statement) and node.value is not None and not isinstance(node.value, ast.Constant):
            out += _steps(node, depth, fresh)
        else:
            out.append(node)
    return out


def _inside(node: ast.If | ast.For | ast.With, depth: int, fresh: Fresh) -> ast.stmt:
    body = outline(node.body, depth + 1, fresh)
    match node:
        case ast.If():
            chained = len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)
            return ast.If(node.test, body, outline(node.orelse, depth if chained else depth + 1, fresh))
        case ast.For():
            return ast.For(node.target, node.iter, body, [])
        case ast.With():
            return ast.With(node.items, body)


def _steps(node: Statement, depth: int, fresh: Fresh) -> list[ast.stmt]:
    out: list[ast.stmt] = []
    for _ in range(32):
        if _settled(node, depth):
            break
        assert node.value is not None
        found = _part(node, depth)
        if found is None:
            break
        word = _own_name(node, found) or fresh(_together(node) or _hint(found))
        out += _steps(ast.Assign([ast.Name(word, ast.Store())], found), depth, fresh)
        node = _with_value(node, _replace(node.value, found, name(word)))
    return [*out, node]


def _settled(node: Statement, depth: int) -> bool:
    if fits(node, depth):
        return True
    if not isinstance(node.value, ast.Call) or not isinstance(node.value.func, ast.Name | ast.Attribute):
        return False
    if _has_chain(node.value):
        return False
    lines = lines_of(node, depth)
    nested = any(isinstance(one, ast.Call) for one in _calls(node.value) if one is not node.value)
    one_by_one = not nested and len(lines) == 2 + len(node.value.args) + len(node.value.keywords)
    return (len(lines) == 3 or one_by_one) and max(map(len, lines)) <= WIDTH


def _has_chain(node: ast.expr | None) -> bool:
    """True if a call stands before the last bracket: `a(b).c(d)`."""
    func = node.func if isinstance(node, ast.Call) else None
    return func is not None and any(isinstance(one, ast.Call | ast.Subscript) for one in ast.walk(func))


def _part(node: Statement, depth: int) -> ast.expr | None:
    """The longest call inside that fits on a line of its own, else the innermost; without calls, a sum or product."""
    assert node.value is not None
    best: ast.expr | None = None
    room = WIDTH - 4 * depth
    found = [one for one in _calls(node.value) if one is not node.value and len(flat(one)) > 12]
    found = [one for one in found if not _overtakes(one, node.value)]
    calls = [one for one in found if isinstance(one, ast.Call)]
    for one in calls or found:
        word = _own_name(node, one) or f"{_hint(one)}_2"
        if len(word) + 3 + len(flat(one)) > room:
            continue
        if best is None or len(flat(one)) > len(flat(best)):
            best = one
    return best or min(calls, key=lambda one: len(flat(one)), default=None)


def _overtakes(part: ast.expr, whole: ast.expr) -> bool:
    """Whether the part, taken out, would run a layer before one left of it: buffers are updated in order."""
    if not _runs_layers(part):
        return False
    inside = {id(one) for one in ast.walk(part)}
    for one in _calls(whole):
        if one is part:
            return False
        if id(one) not in inside and _runs_layers(one) and all(below is not part for below in ast.walk(one)):
            return True
    return False


def _runs_layers(node: ast.expr) -> bool:
    """Whether a layer or a function of this file is called in it, not only the framework's functions."""
    calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return any(
        isinstance(func, ast.Name) or "self" in {one.id for one in ast.walk(func) if isinstance(one, ast.Name)}
        for func in calls
        if not isinstance(func, ast.Attribute) or isinstance(func.value, ast.Name | ast.Subscript)
    )


def _calls(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.IfExp):
        return
    if isinstance(node, ast.Call | ast.BinOp | ast.Compare):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls(child)


def _own_name(node: Statement, part: ast.expr) -> str | None:
    """The statement's variable, if nothing but the part reads what it held before."""
    if (
        not isinstance(node, ast.Assign)
        or not isinstance(node.value, ast.Call)
        or len(node.targets) != 1
        or not isinstance(node.targets[0], ast.Name)
        or isinstance(part, ast.BinOp)
        or _is_partial(part)
    ):
        return None
    word = node.targets[0].id
    rest = _replace(node.value, part, ast.Constant(None))
    return None if any(isinstance(one, ast.Name) and one.id == word for one in ast.walk(rest)) else word


def _together(node: Statement) -> str | None:
    """`qkv` for a part of `q, k, v = ...`."""
    match node:
        case ast.Assign([ast.Tuple(elts)]):
            words = [one.id for one in elts if isinstance(one, ast.Name) and one.id.isalpha() and len(one.id) == 1]
            return "".join(words) if len(words) == len(elts) > 1 else None
        case _:
            return None


def _hint(node: ast.expr) -> str:
    """The name of the function, of the first one in a chain of methods."""
    func = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Call) and _is_partial(node):
        return _hint(node.args[0])
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Call):
        return _hint(func.value)
    match func:
        case ast.Attribute(attr=attr):
            return noun(attr)
        case ast.Name(id=id):
            return noun(id)
        case ast.BinOp(op=op):
            return _OPERATIONS.get(type(op), "value")
        case _:
            return "value"


def _is_partial(node: ast.expr) -> bool:
    """True for `functools.partial(...)`: a layer, whatever the statement computes with it."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "partial"


def _with_value(node: Statement, value: ast.expr) -> Statement:
    match node:
        case ast.Return():
            return ast.Return(value)
        case ast.Expr():
            return ast.Expr(value)
        case ast.Assign():
            return ast.Assign(node.targets, value)


def _replace(node: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    """A copy with one node (by identity) replaced."""

    class _Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(_copy(node))

    result = _Swap().visit(node)
    assert isinstance(result, ast.expr)
    return result


def _copy(node: ast.AST) -> ast.AST:
    fields = {key: list(value) if isinstance(value, list) else value for key, value in ast.iter_fields(node)}
    return type(node)(**fields)
