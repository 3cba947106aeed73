"""Walks over the syntax tree: statements of a body, names that they bind, their expressions and parts of these."""

from __future__ import annotations

from collections.abc import Iterator

from dlc.spec import syntax

Part = syntax.Expr | syntax.Slice | syntax.Ellipsis


def walk(body: tuple[syntax.Statement, ...]) -> Iterator[syntax.Statement]:
    """All statements of a body in text order, nested ones after the one that holds them."""
    for statement in body:
        yield statement
        match statement:
            case syntax.For(body=inner) | syntax.Messages(body=inner):
                yield from walk(inner)
            case syntax.If(arms=arms, orelse=orelse):
                for _, inner in arms:
                    yield from walk(inner)
                yield from walk(orelse)
            case _:
                pass


def bound_names(statement: syntax.Statement) -> tuple[str, ...]:
    """The names that a statement binds by itself."""
    match statement:
        case syntax.Assign(targets=targets) | syntax.For(targets=targets):
            return targets
        case syntax.Parameter(names=names):
            return names
        case (
            syntax.Input(name=name)
            | syntax.State(name=name)
            | syntax.Sample(name=name)
            | syntax.NextAssign(name=name)
            | syntax.Aggregate(name=name)
        ):
            return (name,)
        case syntax.Output(name=str(name), value=value) if not (isinstance(value, syntax.Name) and value.id == name):
            return (name,)
        case syntax.Messages(source=source, target=target):
            return (source, target)
        case _:
            return ()


def own_expressions(statement: syntax.Statement) -> Iterator[syntax.Expr]:
    """The expressions of a statement, without those of the statements inside it, of types and of distributions."""
    match statement:
        case syntax.Assign(value=value) | syntax.NextAssign(value=value) | syntax.Output(value=value):
            yield value
        case syntax.Send(value=value):
            yield value
        case syntax.For(iterable=iterable):
            yield iterable
        case syntax.If(arms=arms):
            yield from (test for test, _ in arms)
        case syntax.Messages(edges=edges, into=into):
            yield edges
            yield into
        case syntax.State(initial=initial) if initial is not None:
            yield initial
        case syntax.Parameter(value=value) if value is not None:
            yield value
        case _:
            return


def parts(expression: syntax.Expr) -> Iterator[Part]:
    """An expression and everything in it, in no order."""
    stack: list[Part] = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node))


def children(node: Part) -> list[Part]:
    """The parts of an expression that stand directly in it."""
    match node:
        case syntax.Name() | syntax.Constant() | syntax.Next() | syntax.Ellipsis():
            return []
        case syntax.ListLiteral(items=items):
            return list(items)
        case syntax.Comprehension(element=element, clauses=clauses):
            return [element, *(part for c in clauses for part in (c.iterable, *c.conditions))]
        case syntax.Unary(operand=operand):
            return [operand]
        case syntax.Binary(left=left, right=right):
            return [left, right]
        case syntax.Compare(operands=operands):
            return list(operands)
        case syntax.Conditional(body=body, test=test, orelse=orelse):
            return [body, test, orelse]
        case syntax.Call(function=function, args=args, keywords=keywords):
            return [function, *args, *(k.value for k in keywords)]
        case syntax.Pipe(value=value, target=target):
            return [value, target]
        case syntax.Slice(start=start, stop=stop, step=step):
            return [part for part in (start, stop, step) if part is not None]
        case syntax.Index(value=value, items=items):
            return [value, *items]
        case syntax.Attribute(value=value):
            return [value]
