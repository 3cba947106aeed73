"""Faults of folding that are known and not mended; each fails when it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dlc.backends.api import Network, Options
from dlc.backends.torch import backend
from dlc.networks import elaborate
from dlc.passes.draws import explicit_network
from dlc.passes.resolve import load_project

KNOWN = Path(__file__).parent / "known"


@pytest.mark.xfail(
    strict=True, reason="the first turn of an unrolled loop makes the list of its inner loop without the turn"
)
def test_a_list_of_an_inner_loop_is_made_once() -> None:
    """With its draws fed, as `verify` runs it in training: `load_state_dict` refuses the weights' names."""
    unit = elaborate(load_project(KNOWN / "diffusion.dl")).unit
    (network,) = unit.networks
    fed = explicit_network(network.inference, network.training)
    changed = replace(unit, networks=(Network(network.name, fed.inference, fed.training),))
    (text,) = backend.compile(changed, Options(training=True)).files.values()
    assert str(text).count("self.res_block = nn.ModuleList()") == 1
