"""What can be told of a block from its text alone, whether a network uses it or not.

Two declarations of one name, names that stand nowhere, an output or input that can't be. A name is reported only
where no
statement of the block binds it, wherever it stands, and no block, configuration, op or function is called so:
elaboration
tells the rest, with the place in the order of execution.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlc import ir
from dlc.diagnostics import Diagnostic, Note
from dlc.ops import OPS
from dlc.passes.calls import BUILTINS
from dlc.passes.foreign import MODULES, module_hint, name_hint
from dlc.passes.resolve import FileScope
from dlc.passes.things import BlockDeclaration
from dlc.passes.walking import bound_names, own_expressions, parts, walk
from dlc.spec import syntax
from dlc.spec.source import Span


def check_file(scope: FileScope) -> list[Diagnostic]:
    """The mistakes of all blocks of a file. `train` sections are only parsed so far."""
    blocks = [declaration for declaration in scope.blocks.values() if declaration.block.kind != "train"]
    return [problem for declaration in blocks for problem in check_block(declaration, scope)]


def check_block(declaration: BlockDeclaration, scope: FileScope) -> list[Diagnostic]:
    """The mistakes of one block that show in its text."""
    block = declaration.block
    found = [*_duplicates(block), *_unknown_names(block, scope), *_defaults(block)]
    if not any(isinstance(s, syntax.Output) for s in walk(block.body)):
        expected = "`output name = ...` as its last statement"
        found.append(Diagnostic("E0601", f"`{block.name}` has no output", block.name_span, expected=expected))
    return found


def _duplicates(block: syntax.Block) -> Iterator[Diagnostic]:
    """Inputs, states, parameters and draws have names of their own; a param may have a hyperparameter's (`bias`).

    A parameter may stand in each arm of an `if`: elaboration sees which are there together.
    """
    hypers: dict[str, Span] = {}
    for hyperparameter in block.hyperparameters:
        if hyperparameter.name in hypers:
            yield _twice(f"hyperparameter `{hyperparameter.name}`", hyperparameter.span, hypers[hyperparameter.name])
        hypers[hyperparameter.name] = hyperparameter.span
    seen: dict[str, Span] = {}
    for statement in block.body:
        if not isinstance(statement, syntax.Input | syntax.State | syntax.Parameter | syntax.Sample):
            continue
        for name in bound_names(statement):
            if name in seen:
                yield _twice(f"`{name}`", statement.span, seen[name])
            elif name in hypers and not isinstance(statement, syntax.Parameter):
                yield _twice(f"`{name}`", statement.span, hypers[name])
            seen[name] = statement.span


def _twice(what: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic("E0202", f"{what} is declared twice", span, notes=(Note("first declared here", first),))


def _defaults(block: syntax.Block) -> Iterator[Diagnostic]:
    for statement in block.body:
        if isinstance(statement, syntax.Input) and statement.default is not None:
            default = statement.default
            if not (isinstance(default, syntax.Constant) and default.value is None):
                yield Diagnostic(
                    "E0609",
                    f"the default of input `{statement.name}` is not none",
                    default.span,
                    expected="`= none`: the input may be left out",
                    hint="a constant is a hyperparameter: it stands in the block's parentheses"
                    if isinstance(default, syntax.Constant)
                    else None,
                )


def _unknown_names(block: syntax.Block, scope: FileScope) -> Iterator[Diagnostic]:
    statements = list(walk(block.body))
    local = {h.name for h in block.hyperparameters} | {"training"}
    local.update(name for statement in statements for name in bound_names(statement))
    local.update(_dimensions(statements))
    told: set[str] = set()
    for statement in statements:
        for expression in own_expressions(statement):
            modules = _modules(expression)
            for part in _names(expression, local):
                dotted = modules.get(part.span)
                shown = f"{part.id}.{dotted.name}" if dotted is not None else part.id
                if shown in told or _is_global(part.id, scope):
                    continue
                told.add(shown)
                known = [*local, *scope.names(), *OPS, *BUILTINS]
                hint = module_hint(dotted, known) if dotted is not None else name_hint(part.id, known)
                yield Diagnostic("E0201", f"`{part.id}` is not known here", part.span, hint=hint)


def _names(expression: syntax.Expr, known: set[str]) -> list[syntax.Name]:
    """The names of an expression that are not among `known`, in text order."""
    own = known | _comprehension_targets(expression)
    found = [part for part in parts(expression) if isinstance(part, syntax.Name) and part.id not in own]
    return sorted(found, key=lambda part: (part.span.line, part.span.column))


def _modules(expression: syntax.Expr) -> dict[Span, syntax.Attribute]:
    """`nn.Linear`, `torch.nn.functional.relu`: what stands behind a framework's module, by the module's place."""
    found: dict[Span, syntax.Attribute] = {}
    for part in parts(expression):
        owner = part
        while isinstance(owner, syntax.Attribute):
            owner = owner.value
        if isinstance(part, syntax.Attribute) and isinstance(owner, syntax.Name) and owner.id in MODULES:
            found.setdefault(owner.span, part)
    return found


def _is_global(name: str, scope: FileScope) -> bool:
    return name in OPS or name in BUILTINS or name in ir.DTYPES or scope.offers(name)


def _comprehension_targets(expression: syntax.Expr) -> set[str]:
    found = (part for part in parts(expression) if isinstance(part, syntax.Comprehension))
    return {target for comprehension in found for clause in comprehension.clauses for target in clause.targets}


def _dimensions(statements: list[syntax.Statement]) -> Iterator[str]:
    """Names in the shapes of inputs and states."""
    for statement in statements:
        if not isinstance(statement, syntax.Input | syntax.State | syntax.Parameter | syntax.Sample):
            continue
        for dimension in statement.type.dimensions:
            match dimension:
                case syntax.StarDimension(name=name) | syntax.SizedDimension(name=name):
                    yield name
                case _:
                    yield from (part.id for part in parts(dimension) if isinstance(part, syntax.Name))
