"""Units with what does not depend on the step taken out of their scans (see `dlc.passes.hoist`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dlc.backends.api import Network, Unit
from dlc.diagnostics import DlcError
from dlc.passes.hoist import hoist
from dlc.spec.record import replace

Result = TypeVar("Result")


def hoisted(unit: Unit, early: bool = False) -> Unit:
    """The same unit where nothing moves."""
    pairs = [program for network in unit.networks for program in (network.inference, network.training)]
    programs = iter(hoist(pairs, early))
    networks = tuple(Network(network.name, next(programs), next(programs)) for network in unit.networks)
    same = all(a.inference is b.inference for a, b in zip(networks, unit.networks, strict=True))
    return unit if same else replace(unit, networks=networks)


def with_hoisting(unit: Unit, compile: Callable[[Unit], Result], early: bool = False) -> Result:
    """What `compile` makes of the hoisted unit; where no class can be written for that, of the unit as it is."""
    better = hoisted(unit, early)
    if better is unit:
        return compile(unit)
    try:
        return compile(better)
    except DlcError:
        return compile(unit)
