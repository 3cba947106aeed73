"""Warnings: what is right by the rules, and surely not meant. They never stop anything.

Told of a file's text alone:

- W0201: an input, hyperparameter, parameter, draw or name that nothing uses;
- W0202: an import none of whose blocks is used;
- W0203: a block that hides one of the same name in an import.

Told of types (while a block is elaborated):

- W0401: `x + f(x)` whose shapes differ, so that one is spread over the other (`residuals.py`);
- W0402: an image with its channels last (`channels.py`).

Not told: names that start with `_`, targets of loops and of unpacking, what stands in the standard library, inputs
whose dimensions are used.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlc.diagnostics import Diagnostic, Note
from dlc.passes.resolve import FileScope
from dlc.passes.walking import own_expressions, parts, walk
from dlc.spec import syntax
from dlc.spec.source import Span

Written = syntax.Expr | syntax.StarDimension | syntax.SizedDimension


def file_warnings(scope: FileScope) -> list[Diagnostic]:
    """The warnings of a file and of the files that it imports, in the order of the text."""
    scopes = [scope]
    for one in scopes:
        scopes.extend(other for other in one.imports if other not in scopes)
    return [warning for one in scopes for warning in _of_file(one)]


def _of_file(scope: FileScope) -> Iterator[Diagnostic]:
    read = _attributes(scope.spec)
    for declaration in scope.spec.declarations:
        if isinstance(declaration, syntax.Block) and declaration.kind != "train":
            yield from _unused(declaration, read)
    yield from _imports(scope)


# --- names that nothing uses -----------------------------------------------------------------------------------------


def _unused(block: syntax.Block, read: set[str]) -> Iterator[Diagnostic]:
    used = _used(block)
    for what, name, span in _bound(block):
        if name in used or name.startswith("_") or (what == "parameter" and name in read):
            continue
        message = f"the {what} `{name}` of `{block.name}` is never used"
        yield Diagnostic("W0201", message, span, hint="leave it out, or call it `_`" if what == "name" else None)


def _bound(block: syntax.Block) -> Iterator[tuple[str, str, Span]]:
    """What a block binds and should use: the kind of thing, its name, its place."""
    for hyperparameter in block.hyperparameters:
        yield "hyperparameter", hyperparameter.name, hyperparameter.span
    for statement in walk(block.body):
        match statement:
            case syntax.Input(name=name) if not _sizes(statement.type) & _used(block):
                yield "input", name, statement.span
            case syntax.Parameter(kind="param", names=names):
                yield from (("parameter", name, statement.span) for name in names)
            case syntax.Sample(name=name):
                yield "draw", name, statement.span
            case syntax.Assign(targets=(name,)):
                yield "name", name, statement.span
            case syntax.Aggregate(name=name):
                yield "name", name, statement.span
            case _:
                pass


def _sizes(kind: syntax.TensorType) -> set[str]:
    """The dimensions of a type: an input may be there to give them."""
    return {name for dimension in kind.dimensions for name in _names(dimension)}


def _used(block: syntax.Block) -> set[str]:
    """All names that stand in a block's expressions; those of an input's shape do not count."""
    found = {name for h in block.hyperparameters if h.default is not None for name in _names(h.default)}
    found |= {name for h in block.hyperparameters if h.bounds is not None for name in _of_bounds(h.bounds)}
    for statement in walk(block.body):
        for written in _written(statement):
            found |= set(_names(written))
    return found


def _written(statement: syntax.Statement) -> Iterator[Written]:
    """The expressions of a statement, types and distributions included."""
    yield from own_expressions(statement)
    match statement:
        case syntax.Input(type=kind, bounds=bounds):
            yield from (d for d in kind.dimensions if not isinstance(d, syntax.Name) or d.id[:1].islower())
            if bounds is not None:
                yield bounds.low
                if bounds.high is not None:
                    yield bounds.high
        case syntax.State(type=kind):
            yield from kind.dimensions
        case syntax.Parameter(type=kind, distribution=distribution):
            yield from kind.dimensions
            if distribution is not None:
                yield distribution
        case syntax.Sample(type=kind, distribution=distribution):
            yield from kind.dimensions
            yield distribution
        case syntax.TrainStatement(subjects=subjects, clauses=clauses):
            yield from subjects
            yield from (clause.value for clause in clauses)
        case _:
            return


def _of_bounds(bounds: syntax.Bounds) -> Iterator[str]:
    yield from _names(bounds.low)
    if bounds.high is not None:
        yield from _names(bounds.high)


def _names(written: Written) -> Iterator[str]:
    match written:
        case syntax.StarDimension(name=name):
            yield name
        case syntax.SizedDimension(name=name, size=size):
            yield name
            yield from _names(size)
        case _:
            yield from (p.id for p in parts(written) if isinstance(p, syntax.Name))


def _attributes(spec: syntax.Spec) -> set[str]:
    """Names behind a dot anywhere in a file: parameters that are read from outside."""
    blocks = [d for d in spec.declarations if isinstance(d, syntax.Block)]
    written = (one for block in blocks for statement in walk(block.body) for one in _written(statement))
    expressions = (one for one in written if not isinstance(one, syntax.StarDimension | syntax.SizedDimension))
    return {p.name for one in expressions for p in parts(one) if isinstance(p, syntax.Attribute)}


# --- imports ---------------------------------------------------------------------------------------------------------


def _imports(scope: FileScope) -> Iterator[Diagnostic]:
    paths = [statement for statement in scope.spec.imports if statement.path is not None]
    if len(paths) != len(scope.imports):
        return
    used = _global_names(scope.spec)
    own = {d.name: d.name_span for d in scope.spec.declarations}
    for statement, imported in zip(paths, scope.imports, strict=True):
        offered = {*imported.blocks, *imported.configurations}
        for name in sorted(offered & own.keys()):
            note = Note("declared here, too", imported.place(name))
            yield Diagnostic("W0203", f"`{name}` hides the `{name}` of an import", own[name], notes=(note,))
        if not offered & used and own:
            yield Diagnostic("W0202", f"nothing of {statement.path} is used", statement.span)


def _global_names(spec: syntax.Spec) -> set[str]:
    """All names that a file's declarations mention."""
    found: set[str] = set()
    for declaration in spec.declarations:
        if isinstance(declaration, syntax.Block):
            found |= _used(declaration)
        else:
            found |= set(_names(declaration.value))
    return found
