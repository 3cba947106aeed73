"""Units as backends compile them: what is computed twice, or anew at each step, is computed once (`dlc.passes`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dlc.backends.api import Network, Unit
from dlc.diagnostics import DlcError
from dlc.passes.common import share_common
from dlc.passes.hoist import hoist
from dlc.spec.record import replace

Result = TypeVar("Result")


def improved(unit: Unit, early: bool = False) -> Unit:
    """The very unit where there is nothing to gain. `early` as in `hoist`."""
    pairs = [program for network in unit.networks for program in (network.inference, network.training)]
    programs = iter(hoist(share_common(pairs), early))
    networks = tuple(Network(network.name, next(programs), next(programs)) for network in unit.networks)
    same = all(
        one.inference is other.inference and one.training is other.training
        for one, other in zip(networks, unit.networks, strict=True)
    )
    return unit if same else replace(unit, networks=networks)


def with_improvements(unit: Unit, compile: Callable[[Unit], Result], early: bool = False) -> Result:
    """What `compile` makes of the improved unit; where no class can be written for that, of the unit as it is."""
    better = improved(unit, early)
    if better is unit:
        return compile(unit)
    try:
        return compile(better)
    except DlcError:
        return compile(unit)
