"""Names of instances: an interface that checkpoints rest on, so it depends on the text of the spec alone.

A *site* is a place in a block's text where a block is applied by name. Each site gets a name:

1. the name that its statement binds, if that name is bound nowhere else in the body and the statement has no other site
   with parameters (`q = x -> dense(64)` gives `q`);
2. else the block's name as written (`dense`);
3. repeats, and names that a parameter, buffer, state or draw has already, get `_2`, `_3` in text order.

What a site's block does with its hyperparameters, which branch is taken, and how often a loop turns play no part. The turns
of enclosing loops are added when the instance is made (`encoder_layer.0`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dlc.passes.things import BlockDeclaration
from dlc.spec import syntax
from dlc.spec.source import Span

MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Site:
    """Where a block is applied by name, and what the statement around it binds."""

    name: str
    span: Span
    statement: syntax.Statement
    has_parameters: bool


def name_sites(declaration: BlockDeclaration) -> dict[Span, str]:
    """The name of each site of a block's body, by the span of the block's name at the site."""
    body = declaration.block.body
    bound = Counter(name for statement in walk(body) for name in bound_names(statement))
    bound.update(h.name for h in declaration.block.hyperparameters)
    sites = list(find_sites(declaration))
    per_statement = Counter(id(site.statement) for site in sites if site.has_parameters)
    used = Counter(
        name
        for statement in walk(body)
        if isinstance(statement, syntax.Parameter | syntax.State | syntax.Sample)
        for name in bound_names(statement)
    )
    names: dict[Span, str] = {}
    for site in sites:
        target = _statement_name(site.statement)
        alone = site.has_parameters and per_statement[id(site.statement)] == 1
        name = target if target and alone and bound[target] == 1 else site.name
        used[name] += 1
        while used[name] > 1 and f"{name}_{used[name]}" in used:
            used[name] += 1
        names[site.span] = name if used[name] == 1 else f"{name}_{used[name]}"
    return names


def find_sites(declaration: BlockDeclaration, depth: int = 0) -> Iterator[Site]:
    """The sites of a block's body in text order."""
    local = {name for statement in walk(declaration.block.body) for name in bound_names(statement)}
    for statement in walk(declaration.block.body):
        for expression in own_expressions(statement):
            for callee in callees(expression):
                if callee.id in local:
                    continue
                found = _has_parameters_at(declaration, callee.id, depth)
                if found is not None:
                    yield Site(callee.id, callee.span, statement, found)


def has_parameters(declaration: BlockDeclaration, depth: int = 0) -> bool:
    """Whether a block's text declares a parameter or buffer, or applies a block that does."""
    if declaration.scope.parametric.get(declaration.id) is not None:
        return declaration.scope.parametric[declaration.id]
    if depth > MAX_DEPTH:
        return True
    declaration.scope.parametric[declaration.id] = False  # a block that applies itself is an error told elsewhere
    answer = any(isinstance(s, syntax.Parameter) for s in walk(declaration.block.body)) or any(
        site.has_parameters for site in find_sites(declaration, depth + 1)
    )
    declaration.scope.parametric[declaration.id] = answer
    return answer


def _has_parameters_at(declaration: BlockDeclaration, name: str, depth: int) -> bool | None:
    """Whether the block called `name` has parameters; None if `name` is no block."""
    for hyperparameter in declaration.block.hyperparameters:
        if hyperparameter.name == name:
            return True if hyperparameter.type.name == "block" else None
    found = declaration.scope.lookup(name)
    return None if found is None else has_parameters(found, depth)


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


def _statement_name(statement: syntax.Statement) -> str | None:
    match statement:
        case syntax.Assign(targets=(name,)) | syntax.Output(name=str(name)) | syntax.NextAssign(name=name):
            return name
        case _:
            return None


def own_expressions(statement: syntax.Statement) -> Iterator[syntax.Expr]:
    """The expressions of a statement, without those of the statements inside it."""
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
        case _:
            return


def callees(expression: syntax.Expr) -> Iterator[syntax.Name]:
    """Names in the place of a function, in text order: `f` of `f(a)`, `f(a)(b)`, `x -> f`."""
    found: list[syntax.Name] = []
    stack: list[syntax.Expr | syntax.Slice] = [expression]
    while stack:
        node = stack.pop()
        match node:
            case syntax.Call(function=function):
                if isinstance(function, syntax.Name):
                    found.append(function)
            case syntax.Pipe(target=syntax.Name() as target):
                found.append(target)
            case _:
                pass
        stack.extend(children(node))
    return iter(sorted(found, key=lambda name: (name.span.line, name.span.column)))


def children(node: syntax.Expr | syntax.Slice) -> list[syntax.Expr | syntax.Slice]:
    """The parts of an expression."""
    match node:
        case syntax.Name() | syntax.Constant() | syntax.Next():
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
