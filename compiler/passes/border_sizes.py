"""The sizes of a network's dimension names: a number where the spec or `--dim` gives one, else dynamic."""

from __future__ import annotations

from collections.abc import Mapping

from dlc import dims
from dlc.diagnostics import DlcError, did_you_mean, error
from dlc.dims import Size
from dlc.ir import Static
from dlc.passes import dimensions
from dlc.passes.builder import Builder
from dlc.spec import syntax
from dlc.spec.source import Span


def border_sizes(b: Builder, given: Mapping[str, int], span: Span) -> dimensions.Sizes:
    """The sizes of the network that `b` builds; they are in its scope, too. Raises DlcError E0203, E0407, E0408."""
    bound: dimensions.Sizes = {}
    for statement in (*b.declaration.inputs, *b.declaration.states):
        for dimension in statement.type.dimensions:
            if isinstance(dimension, syntax.StarDimension):
                raise _any_rank(dimension, span if b.declaration.id.standard else dimension.span)
            for name, size in _named(b, dimension, given).items():
                if bound.setdefault(name, size) != size:
                    raise error("E0408", f"`{name}` has two sizes", dimension.span, found=f"{size} and {bound[name]}")
                b.env[name] = Static(size, syntax.Name(name))
    for name in given:
        if name not in bound:
            raise error(
                "E0203",
                f"`{b.declaration.id.name}` has no dimension `{name}`",
                expected=", ".join(bound) or "no dimensions",
                hint=did_you_mean(name, list(bound)),
                exit_code=2,
            )
    return bound


def _named(b: Builder, dimension: syntax.SizedDimension | syntax.Expr, given: Mapping[str, int]) -> dict[str, Size]:
    """The size of the name that an axis binds, if it binds one."""
    if isinstance(dimension, syntax.SizedDimension):
        size = given.get(dimension.name, dimensions.size_of(b, dimension.size).value)
        assert isinstance(size, int | dims.Dim)
        return {dimension.name: size}
    unknown = dimensions.unknown_names(b, dimension)
    if len(unknown) > 1:
        names = " and ".join(f"`{name}`" for name in unknown)
        raise error(
            "E0407",
            f"{names} can't be known from one axis",
            dimension.span,
            expected="one unknown dimension per axis",
            hint="let another input's axis bind one of them, or give it a size",
        )
    return {name: given.get(name, dims.symbol(name)) for name in unknown}


def _any_rank(dimension: syntax.StarDimension, span: Span) -> DlcError:
    return error(
        "E0408",
        "a network's input has a fixed number of axes",
        span,
        found=f"*{dimension.name}",
        expected="one name or size per axis",
    )
