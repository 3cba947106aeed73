"""What does not depend on the step is computed once, before the scan: the programs before and after as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlc.backends.api import Network, Options, Unit
from dlc.backends.common.improved import improved
from dlc.backends.reference.interpreter import Interpreter
from dlc.backends.tensorflow.compile import TensorFlowBackend
from dlc.backends.torch.compile import compile_unit
from dlc.check_ir import check_program
from dlc.distributions import draw
from dlc.ir import Module, Program
from dlc.ir_text import read, show, show_module
from dlc.networks import Choice, elaborate
from dlc.parameters import network_parameters
from dlc.passes.draws import explicit_network
from dlc.passes.hoist import hoist
from dlc.passes.resolve import load_project
from dlc.verify.inputs import choose_sizes, make_inputs

HERE = Path(__file__).parent
SPEC = HERE.parent / "user" / "once.dl"
NETWORKS = ("Reader", "Heads", "Layers", "Both", "Decode")


@pytest.fixture(scope="module")
def networks() -> Mapping[str, tuple[Network, Network]]:
    """Each network before and after."""
    unit = elaborate(load_project(SPEC)).unit
    return {one.name: (one, other) for one, other in zip(unit.networks, _hoisted(unit), strict=True)}


def _hoisted(unit: Unit) -> list[Network]:
    programs = iter(hoist([program for network in unit.networks for program in (network.inference, network.training)]))
    return [Network(network.name, next(programs), next(programs)) for network in unit.networks]


@pytest.mark.parametrize("name", NETWORKS)
def test_text(
    name: str, networks: Mapping[str, tuple[Network, Network]], check_golden: Callable[[Path, str], None]
) -> None:
    before, after = (_modules(network.training) for network in networks[name])
    gone = [module for key, module in before.items() if after.get(key) != module]
    new = [module for key, module in after.items() if before.get(key) != module]
    text = "before\n" + "".join(map(_shown, gone)) + "\nafter\n" + "".join(map(_shown, new))
    check_golden(HERE / "hoist" / f"{name}.ir", text)


def _modules(program: Program) -> Mapping[str, Module]:
    return {module.key: module for module in program.modules}


def _shown(module: Module) -> str:
    """The module's text without documentation and instances."""
    lines = (line for line in show_module(module) if not line.startswith(("  doc", "  instance", "  hyperparameters")))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", NETWORKS)
def test_means_the_same(name: str, networks: Mapping[str, tuple[Network, Network]]) -> None:
    before, after = networks[name]
    parameters = network_parameters(before.inference, before.training)
    assert network_parameters(after.inference, after.training) == parameters
    weights = {p.path: draw(p.initial, p.shape, p.path, 0) for p in parameters}
    results = [_results(network, weights) for network in (before, after)]
    for one, other in zip(*results, strict=True):
        assert one.keys() == other.keys()
        for output in one:
            np.testing.assert_array_equal(one[output], other[output])


def _results(network: Network, weights: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    explicit = explicit_network(network.inference, network.training)
    found: list[Mapping[str, Any]] = []
    for program, draws in (
        (explicit.inference, explicit.inference_draws),
        (explicit.training, explicit.training_draws),
    ):
        check_program(program)
        assert show(read(show(program))) == show(program)
        inputs = make_inputs(program, choose_sizes(program, 0), 0, draws)
        found.append(Interpreter(program, weights).run(inputs))
    return found


def test_what_moves(networks: Mapping[str, tuple[Network, Network]]) -> None:
    """`Both` calls its cell in two ways; all others have something to gain."""
    parts = {
        name: {module.block.name for module in after.inference.modules if module.part}
        for name, (_, after) in networks.items()
    }
    assert parts == {
        "Reader": {"keys_score", "reader_cell"},
        "Heads": {"multi_head_attention", "heads_cell"},
        "Layers": {"layers_cell"},
        "Both": set(),
        "Decode": {"gru_cell", "outer_cell"},
    }


def test_early() -> None:
    """A Keras layer has no parameters of its own before it is called, nor layers whose sizes its inputs tell."""
    unit = elaborate(load_project(SPEC)).unit
    programs = [program for network in unit.networks for program in (network.inference, network.training)]
    blocks = {module.block.name for program in hoist(programs, early=True) for module in program.modules if module.part}
    assert blocks == {"heads_cell", "gru_cell"}


def test_nothing_to_do_changes_nothing() -> None:
    unit = elaborate(load_project(SPEC), Choice("Both")).unit
    assert improved(unit) is unit


@pytest.mark.parametrize("compile", [compile_unit, TensorFlowBackend().compile], ids=["torch", "tensorflow"])
def test_code_has_both_methods(compile: Callable[..., Any]) -> None:
    unit = elaborate(load_project(SPEC), Choice("Heads")).unit
    (text,) = compile(unit, Options()).files.values()
    assert "    def prepare(self, memory: " in text
    assert " = self.y.prepare(memory)\n" in text
