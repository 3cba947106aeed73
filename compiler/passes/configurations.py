"""Configurations: `network X = Y(a=1)` stands for the block Y with some hyperparameters bound; Y may be one, too."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.diagnostics import error
from dlc.passes import arguments
from dlc.passes.builder import Builder
from dlc.passes.resolve import FileScope
from dlc.passes.things import BlockDeclaration, BlockValue, Thing, describe
from dlc.spec import syntax


def resolve(b: Builder, name: str, chain: tuple[str, ...] = ()) -> BlockValue | None:
    """The block that a configuration stands for, with what it binds; None if `name` is no configuration.

    Raises DlcError: E0301 where it names no block, E0611 where it is defined by itself.
    """
    found = b.declaration.scope.configuration(name)
    if found is None:
        return None
    home, configuration = found
    known = b.elaborator.configurations
    if (home, name) not in known:
        known[home, name] = _resolved(b, home, configuration, chain)
    return known[home, name]


def _resolved(b: Builder, home: FileScope, configuration: syntax.Configuration, chain: tuple[str, ...]) -> BlockValue:
    from dlc.passes.calls import Argument
    from dlc.passes.expressions import as_argument, lookup

    name = configuration.name
    if name in chain:
        shown = " -> ".join((*chain, name))
        raise error("E0611", f"`{name}` is defined by itself", configuration.name_span, found=shown)
    value = configuration.value
    function = value.function if isinstance(value, syntax.Call) else value
    if not isinstance(function, syntax.Name):
        raise error("E0301", "a configuration names a network", value.span, expected="`network X = Y(a=1)`")
    scope = file_builder(b, home)
    home.lookup(function.id, function.span)  # tells where two imports offer the name
    base = resolve(scope, function.id, (*chain, name)) or lookup(scope, function)
    if not isinstance(base, BlockValue):
        raise error("E0301", f"`{function.id}` is no network", function.span, found=describe(base))
    if not isinstance(value, syntax.Call):
        return base
    given = [Argument(as_argument(scope, arg), None, arg.span) for arg in value.args]
    given += [Argument(as_argument(scope, k.value), k.name, k.value.span, k.name_span) for k in value.keywords]
    bound = arguments.bind_block(base.declaration, base.bound, given, value.span, rebind=True)
    if bound.inputs:
        raise error("E0306", "a configuration binds hyperparameters only", value.span, found=", ".join(bound.inputs))
    return rebound(base, bound.hyperparameters)


def file_builder(b: Builder, scope: FileScope) -> Builder:
    """A scope with the names of a file alone."""
    from dlc import ir

    empty = syntax.Block("block", "", (), None, ())
    return Builder(b.elaborator, BlockDeclaration(ir.BlockId("", ""), empty, scope), False)


def rebound(base: BlockValue, values: Mapping[str, Thing]) -> BlockValue:
    """The block with more hyperparameters bound; later values win."""
    merged = {**dict(base.bound), **values}
    return BlockValue(base.declaration, tuple(merged.items()), tuple(merged))
