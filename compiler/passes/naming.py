"""Names of instances: an interface that checkpoints rest on, so it depends on the text of the spec alone.

A *site* is a place in a block's text where a block is applied, or an instance of it made, by name. Each site gets a
name:

1. the name that is bound to the instance itself (`w = dense(64)` gives `w`);
2. else the name that its statement binds, if that name is bound nowhere else in the body and the statement has no other
   site with parameters (`q = x -> dense(64)` gives `q`);
3. else the block's name as written (`dense`; `unit` where a `block` hyperparameter or a local name stands for the
block);
4. repeats, and names that a parameter, buffer, state, draw or `layer` hyperparameter has already, get `_2`, `_3` in
text
   order; a number whose name another site has of its own is left out.

A template (`score=additive_score(64)` for a `block` hyperparameter) makes no instance here and is no site. What a
site's
block does with its hyperparameters, which branch is taken, and how often a loop turns play no part. The turns of
enclosing
loops are added when the instance is made (`encoder_layer.0`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlc.passes.blockish import Text, leftmost
from dlc.passes.things import BlockDeclaration
from dlc.passes.walking import bound_names, own_expressions, parts, walk
from dlc.spec import syntax
from dlc.spec.source import Span

MAX_DEPTH = 300  # beyond what elaboration allows


@dataclass(frozen=True, slots=True)
class Site:
    """Where a block is applied by name: the name as written, the name bound to the instance, and the statement
    around."""

    name: str
    span: Span
    statement: syntax.Statement
    has_parameters: bool
    bound_to: str | None


def name_sites(declaration: BlockDeclaration) -> dict[Span, str]:
    """The name of each site of a block's body, by the span of the block's name at the site."""
    body = declaration.block.body
    bound = Counter(name for statement in walk(body) for name in bound_names(statement))
    bound.update(h.name for h in declaration.block.hyperparameters)
    sites = list(find_sites(declaration))
    per_statement = Counter(id(site.statement) for site in sites if site.has_parameters)
    wanted: list[str] = []
    for site in sites:
        target = _statement_name(site.statement)
        alone = site.has_parameters and per_statement[id(site.statement)] == 1
        if site.bound_to is None and target and alone and bound[target] == 1:
            wanted.append(target)
        else:
            wanted.append(site.bound_to or site.name)
    taken = _reserved(declaration)
    own = {*wanted, *taken}
    names: dict[Span, str] = {}
    for site, name in zip(sites, wanted, strict=True):
        names[site.span] = _free(name, taken, own)
        taken.add(names[site.span])
    return names


def _free(name: str, taken: set[str], own: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken or f"{name}_{number}" in own:
        number += 1
    return f"{name}_{number}"


def _reserved(declaration: BlockDeclaration) -> set[str]:
    """Names of parameters, buffers, states, draws, and of layers that are given."""
    owned = syntax.Parameter | syntax.State | syntax.Sample
    found = {name for s in walk(declaration.block.body) if isinstance(s, owned) for name in bound_names(s)}
    return found | {h.name for h in declaration.block.hyperparameters if h.type.name == "layer"}


def find_sites(declaration: BlockDeclaration, depth: int = 0) -> Iterator[Site]:
    """The sites of a block's body in text order."""
    text = Text(declaration)
    hidden = {h.name for h in declaration.block.hyperparameters if h.type.name not in ("block", "list")}
    for statement in walk(declaration.block.body):
        bound_to = _bound_instances(text, statement)
        for expression in own_expressions(statement):
            for callee in _callees(text, expression):
                name = leftmost(callee)
                if name is None or (name in hidden and name not in text.blockish):
                    continue
                found = _has_parameters_at(declaration, text, name, depth)
                if found is not None:
                    yield Site(name, callee.span, statement, found, bound_to.get(callee.span))
        hidden.update(bound_names(statement))


def has_parameters(declaration: BlockDeclaration, depth: int = 0) -> bool:
    """Whether a block's text declares a parameter or buffer, or applies a block that does."""
    known = declaration.scope.parametric
    if declaration.id in known:
        return known[declaration.id]
    if depth > MAX_DEPTH:
        return True
    known[declaration.id] = False  # a block that applies itself is an error told elsewhere
    answer = any(isinstance(s, syntax.Parameter) for s in walk(declaration.block.body)) or any(
        site.has_parameters for site in find_sites(declaration, depth + 1)
    )
    known[declaration.id] = answer
    return answer


def _has_parameters_at(declaration: BlockDeclaration, text: Text, name: str, depth: int) -> bool | None:
    """Whether the block called `name` has parameters; None if `name` is no block."""
    if name in text.blockish:
        return True
    found = declaration.scope.base(name)
    return None if found is None else has_parameters(found, depth)


def _bound_instances(text: Text, statement: syntax.Statement) -> Mapping[Span, str]:
    """The names that a statement binds to instances themselves, by the place of each block's name."""
    match statement:
        case syntax.Assign(targets=(name,), value=value):
            return dict.fromkeys(_made(text, value), name)
        case syntax.Assign(targets=targets, value=syntax.ListLiteral(items=items)) if len(items) == len(targets):
            return {span: name for name, item in zip(targets, items, strict=True) for span in _made(text, item)}
        case _:
            return {}


def _made(text: Text, value: syntax.Expr) -> list[Span]:
    """The instances that an expression may stand for: `dense(64)`, `dense(64) if wide else dense(32)`."""
    match value:
        case syntax.Call(function=function) if text.makes_instance(value):
            return [function.span]
        case syntax.Conditional(body=body, orelse=orelse):
            return [*_made(text, body), *_made(text, orelse)]
        case _:
            return []


def _statement_name(statement: syntax.Statement) -> str | None:
    match statement:
        case syntax.Assign(targets=(name,)) | syntax.Output(name=str(name)) | syntax.NextAssign(name=name):
            return name
        case _:
            return None


def _callees(text: Text, expression: syntax.Expr) -> list[syntax.Expr]:
    """What stands in the place of a function, in text order: `f` of `f(a)`, `f(a)(b)`, `x -> f`, `scan(f)`."""
    found: list[syntax.Expr] = []
    templates: set[int] = set()
    for node in parts(expression):  # a call comes before what stands in it
        match node:
            case syntax.Call(function=syntax.Name() | syntax.Index() as function):
                templates.update(map(id, text.templates(node)))
                if id(node) not in templates:
                    found.append(function)
                if isinstance(function, syntax.Name) and function.id == "scan":
                    found.extend(arg for arg in node.args[:1] if isinstance(arg, syntax.Name))
            case syntax.Pipe(target=syntax.Name() | syntax.Index() as target):
                found.append(target)
            case _:
                pass
    return sorted(found, key=lambda callee: (callee.span.line, callee.span.column))
