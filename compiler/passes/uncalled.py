"""Layers whose parameters are read, but which nothing calls: what is never called is never made."""

from __future__ import annotations

from dlc import ir
from dlc.diagnostics import error
from dlc.parameters import layer_references
from dlc.passes.builder import Builder


def check_reads(b: Builder) -> None:
    """Raises DlcError (E0605) where the body reads a parameter of a layer that it neither calls nor gives on."""
    handed_on = {place for instance in b.instances for place in layer_references(instance).values()}
    for equation in b.body:
        read = equation.target
        if not isinstance(read, ir.Read):
            continue
        instance = b.instances[read.instance]
        if instance.given is not None or b.instance_modules[read.instance] or read.instance in handed_on:
            continue
        raise error(
            "E0605",
            f"`{instance.path}` is never called, so it has no `{read.parameter}`",
            equation.origin.span,
            expected="a layer that is called somewhere in this block",
            hint=f"call it, or declare what it would own: `param {read.parameter}: float[...] ~ normal(0, 1)`",
        )
