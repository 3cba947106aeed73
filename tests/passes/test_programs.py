"""Each program elaborates in both modes, passes the checker, reads back from its text, and runs at two sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.reference.interpreter import Interpreter
from dlc.check_ir import check_program
from dlc.distributions import draw
from dlc.ir_read import read
from dlc.ir_text import show
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.draws import explicit_network
from dlc.passes.resolve import load_project
from dlc.verify.inputs import choose_sizes, make_inputs

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.dl"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_runs(path: Path) -> None:
    for network in elaborate(load_project(path)).unit.networks:
        found = network_parameters(network.inference, network.training)
        weights = {p.path: draw(p.initial, p.shape, p.path, 0) for p in found}
        explicit = explicit_network(network.inference, network.training)
        for program in (network.inference, network.training):
            check_program(program)
            assert show(read(show(program))) == show(program)
        for program, draws in (
            (explicit.inference, explicit.inference_draws),
            (explicit.training, explicit.training_draws),
        ):
            for run in (0, 1):
                sizes = choose_sizes(program, run)
                results = Interpreter(program, weights).run(make_inputs(program, sizes, run, draws))
                assert results
