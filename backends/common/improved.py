"""Units as backends compile them: what is computed twice, or anew at each step, is computed once (`dlc.passes`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dlc.backends.api import Network, Unit
from dlc.diagnostics import DlcError
from dlc.ir import Program, Scan
from dlc.passes.common import share_common
from dlc.spec.record import replace

Result = TypeVar("Result")


def improved(unit: Unit, early: bool = False) -> Unit:
    """The very unit where there is nothing to gain. `early` as in `hoist`."""
    pairs = [program for network in unit.networks for program in (network.inference, network.training)]
    programs = iter(_hoisted(share_common(pairs), early))
    networks = tuple(Network(network.name, next(programs), next(programs)) for network in unit.networks)
    same = all(
        one.inference is other.inference and one.training is other.training
        for one, other in zip(networks, unit.networks, strict=True)
    )
    return unit if same else replace(unit, networks=networks)


def _hoisted(programs: tuple[Program, ...], early: bool) -> tuple[Program, ...]:
    """Most files have no scan that captures anything, and need not wait for the pass to be imported."""
    targets = (equation.target for one in programs for module in one.modules for equation in module.body)
    if not any(isinstance(target, Scan) and target.captured for target in targets):
        return programs
    from dlc.passes.hoist import hoist

    return hoist(programs, early)


def with_improvements(unit: Unit, compile: Callable[[Unit], Result], early: bool = False) -> Result:
    """What `compile` makes of the improved unit; where no class can be written for that, of the unit as it is."""
    better = improved(unit, early)
    if better is unit:
        return compile(unit)
    try:
        return compile(better)
    except DlcError:
        return compile(unit)
