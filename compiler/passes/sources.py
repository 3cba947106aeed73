"""Source expressions of constants: what a value was computed from, over the names of its block."""

from __future__ import annotations

from dlc.ir import Static
from dlc.passes.builder import Builder
from dlc.passes.things import Items, Thing
from dlc.spec import syntax


def named(thing: Thing, source: syntax.Expr) -> Thing:
    """A constant, known in its scope as `source` from now on."""
    match thing:
        case Static(value=value):
            return Static(value, source)
        case Items(items=items):
            parts = (named(item, syntax.Index(source, (syntax.Constant(i),))) for i, item in enumerate(items))
            return Items(tuple(parts), source)
        case _:
            return thing


def substitute(b: Builder, node: syntax.Expr) -> syntax.Expr | None:
    """The expression with local constants replaced by their sources; None if it has no source.

    Used for what is not evaluated: the branch not taken, a comprehension as a whole.
    """
    match node:
        case syntax.Constant():
            return node
        case syntax.Name(id=name):
            thing = b.env.get(name)
            if isinstance(thing, Static | Items):
                return thing.source if thing.source is not None else None
            return node
        case syntax.Unary(op=op, operand=operand):
            inner = substitute(b, operand)
            return syntax.Unary(op, inner, node.span) if inner else None
        case syntax.Binary(op=op, left=left, right=right):
            first, second = substitute(b, left), substitute(b, right)
            return syntax.Binary(op, first, second, node.span) if first and second else None
        case syntax.Compare(ops=ops, operands=operands):
            parts = [substitute(b, operand) for operand in operands]
            return syntax.Compare(ops, tuple(p for p in parts if p), node.span) if all(parts) else None
        case syntax.Conditional(body=body, test=test, orelse=orelse):
            three = [substitute(b, part) for part in (body, test, orelse)]
            return syntax.Conditional(*three, node.span) if all(three) else None  # type: ignore[arg-type]
        case syntax.Call(function=function, args=args, keywords=()) if isinstance(function, syntax.Name):
            parts = [substitute(b, arg) for arg in args]
            return syntax.Call(function, tuple(p for p in parts if p), (), node.span) if all(parts) else None
        case syntax.ListLiteral(items=items):
            parts = [substitute(b, item) for item in items]
            return syntax.ListLiteral(tuple(p for p in parts if p), node.span) if all(parts) else None
        case syntax.Index(value=value, items=items) if not any(isinstance(i, syntax.Slice) for i in items):
            inner = substitute(b, value)
            parts = [substitute(b, item) for item in items]  # type: ignore[arg-type]
            return syntax.Index(inner, tuple(p for p in parts if p), node.span) if inner and all(parts) else None
        case syntax.Comprehension():
            return _substitute_comprehension(b, node)
        case _:
            return None


def _substitute_comprehension(b: Builder, node: syntax.Comprehension) -> syntax.Expr | None:
    own = {target for clause in node.clauses for target in clause.targets}
    outer = {name: b.env.pop(name) for name in own if name in b.env}
    try:
        clauses: list[syntax.Clause] = []
        for clause in node.clauses:
            iterable = substitute(b, clause.iterable)
            conditions = [substitute(b, condition) for condition in clause.conditions]
            if iterable is None or not all(conditions):
                return None
            clauses.append(syntax.Clause(clause.targets, iterable, tuple(c for c in conditions if c), clause.span))
        element = substitute(b, node.element)
        return syntax.Comprehension(element, tuple(clauses), node.span) if element else None
    finally:
        b.env.update(outer)


def place(node: syntax.Expr | syntax.Statement | syntax.Clause) -> int:
    """A number for a place in a block's text, in text order."""
    return node.span.line * 1000 + node.span.column
