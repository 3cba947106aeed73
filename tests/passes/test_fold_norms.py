"""Batch norms folded into the weights before them: the programs as text, their meaning, and how they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlc.api import compile_unit
from dlc.backends.api import Network, Options
from dlc.backends.reference.interpreter import Interpreter
from dlc.check_ir import check_program
from dlc.diagnostics import DlcError
from dlc.ir import Call, Program
from dlc.ir_text import show, show_module
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.fold_norms import fold_norms
from dlc.passes.resolve import load_project
from dlc.verify.inputs import choose_sizes, make_inputs

HERE = Path(__file__).parent / "fold_norms"
UNIT = elaborate(load_project(HERE / "norms.dl")).unit
NETWORKS = {network.name: network for network in UNIT.networks}


@pytest.mark.parametrize("name", ["Convolved", "Multiplied"])
def test_text(name: str, check_golden: Callable[[Path, str], None]) -> None:
    """The entry before and after, without documentation."""
    before = NETWORKS[name].inference
    after = fold_norms(before)
    lines = ["before", *show_module(before.table[before.entry]), "", "after", *show_module(after.table[after.entry])]
    check_golden(HERE / f"{name}.ir", "\n".join(line for line in lines if not line.startswith("  instance")) + "\n")


@pytest.mark.parametrize("name", ["Convolved", "Multiplied"])
def test_means_the_same(name: str) -> None:
    network = NETWORKS[name]
    folded = fold_norms(network.inference)
    check_program(folded)
    parameters = network_parameters(network.inference, network.training)
    assert network_parameters(folded, network.training) == parameters
    random = np.random.default_rng(0)
    weights = {p.path: random.uniform(0.5, 1.5, p.shape) for p in parameters}
    one, other = (_results(program, weights) for program in (network.inference, folded))
    for output, value in one.items():
        np.testing.assert_allclose(other[output], value, rtol=1e-12, atol=1e-12)


def _results(program: Program, weights: Mapping[str, Any]) -> Mapping[str, Any]:
    return Interpreter(program, weights, exact=True).run(make_inputs(program, choose_sizes(program, 0), 0, ()))


@pytest.mark.parametrize(("name", "norms"), [("Convolved", 0), ("Multiplied", 0), ("Kept", 3)])
def test_what_folds(name: str, norms: int) -> None:
    folded = fold_norms(NETWORKS[name].inference)
    entry = folded.table[folded.entry]
    called = [equation.target.module for equation in entry.body if isinstance(equation.target, Call)]
    assert sum(key.startswith("batch_norm") for key in called) == norms


def test_nothing_to_fold_changes_nothing() -> None:
    program = NETWORKS["Kept"].inference
    assert show(fold_norms(program)) == show(program)


def test_training_keeps_its_norms() -> None:
    network = NETWORKS["Multiplied"]
    plain, asked = (_onnx(network, Options(training=True, optimize=optimize)) for optimize in (False, True))
    assert plain == asked
    assert _onnx(network, Options()) != _onnx(network, Options(optimize=True))


def _onnx(network: Network, options: Options) -> str | bytes:
    from dlc.spec.record import replace

    (content,) = compile_unit(replace(UNIT, networks=(network,)), "onnx", options).files.values()
    return content


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "reference"])
def test_others_say_that_they_do_not(backend: str) -> None:
    with pytest.raises(DlcError) as found:
        compile_unit(UNIT, backend, Options(optimize=True))
    assert [(d.code, found.value.exit_code) for d in found.value.diagnostics] == [("E0710", 3)]


def test_what_is_added_to_itself_is_no_constant() -> None:
    """A vector without a batch has the shape of its channels' constants."""
    text = """
block gated_twice:
    input x: float[D]
    param g: float[D] ~ normal(0, 1)
    output x * g + x

network Vector:
    input x: float[8]
    output y = x -> dense(4, bias=false) -> gated_twice
"""
    program = elaborate(load_project("vector.dl", text)).unit.networks[0].inference
    assert fold_norms(program) == program
