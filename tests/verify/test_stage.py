"""What the search for a cause is made of: programs with nothing to fold, makers of results, stages in turn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlc import networks
from dlc.backends.api import Network, Options, Unit
from dlc.backends.reference.interpreter import Interpreter
from dlc.check_ir import check_program
from dlc.distributions import draw
from dlc.ir import Call, Program, Scan
from dlc.ir_text import read
from dlc.parameters import parameters
from dlc.passes.apart import apart
from dlc.passes.resolve import load_project
from dlc.verify.backends import find_backend
from dlc.verify.inputs import choose_sizes, make_inputs
from dlc.verify.makers import maker
from dlc.verify.stage import ASSEMBLY, FOLDING, LAYOUT, NATIVE, RULE, WORDS, Way, stage_of

PROGRAMS = Path(__file__).parents[1] / "ir" / "programs"
RECURRENT = read((PROGRAMS / "recurrent.ir").read_text())
NORMED = read((PROGRAMS / "normed.ir").read_text())
TEXT = """block scaled(scale: float):
    input x: float[N, 6]
    output tanh(x * scale) -> dense(6)

network Net:
    input x: float[N, 6]
    shared = scaled(5.0)
    for scale in [0.5, 2.0, 3.0]:
        x = x -> scaled(scale)
    output shared(x) + shared(x * 2)
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    path = tmp_path_factory.mktemp("stage") / "net.dl"
    path.write_text(TEXT, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def outputs(program: Program) -> dict[str, np.ndarray]:
    sizes = choose_sizes(program, 0)
    weights = {p.path: draw(p.initial, p.shape, p.path, 1) for p in parameters(program)}
    return Interpreter(program, weights, exact=True).run(make_inputs(program, sizes, 0))


def test_apart_keeps_the_meaning_and_the_paths(unit: Unit) -> None:
    (network,) = unit.networks
    changed = apart(network.inference)
    check_program(changed)
    assert [p.path for p in parameters(changed)] == [p.path for p in parameters(network.inference)]
    for name, value in outputs(network.inference).items():
        np.testing.assert_array_equal(outputs(changed)[name], value)


def test_apart_leaves_nothing_to_fold(unit: Unit) -> None:
    (network,) = unit.networks
    changed = apart(network.inference)
    blocks = [module.block for module in changed.modules]
    assert len(set(blocks)) == len(blocks) > len({module.block for module in network.inference.modules})
    assert not any(module.loops for module in changed.modules)
    both = replace(unit, networks=(Network("Net", changed, replace(changed, training=True)),))
    text = str(find_backend("torch").compile(both, Options(natives=False)).files["net_torch.py"])
    assert "for " not in text.split("class Net")[1].split("def load_weights")[0]


@pytest.mark.parametrize("program", [RECURRENT, NORMED])
def test_apart_calls_the_blocks_that_it_names(program: Program) -> None:
    changed = apart(program)
    check_program(changed)
    for module in changed.modules:
        for equation in module.body:
            if isinstance(equation.target, Call | Scan):
                instance = module.instances[equation.target.instance]
                assert instance.block == changed.module(equation.target.module).block


def test_makers_of_results() -> None:
    for result in [port.name for port in RECURRENT.module(RECURRENT.entry).outputs]:
        (*_, (key, index)) = maker(RECURRENT, result)
        assert RECURRENT.module(key).body[index].outputs
    chain = maker(NORMED, "buffer norm.running_mean")
    key, index = chain[-1]
    port = next(port for port in NORMED.module(key).next_buffers if port.name == "running_mean")
    assert port.value in NORMED.module(key).body[index].outputs
    assert len(chain) == 2
    assert maker(NORMED, "no such output") == ()


@pytest.mark.parametrize("primitive", [False, True])
@pytest.mark.parametrize("culprit", [NATIVE, LAYOUT, FOLDING, ""])
def test_the_stage_is_the_one_without_which_it_agrees(unit: Unit, culprit: str, primitive: bool) -> None:
    program = unit.networks[0].inference

    def agrees(changed: Program, way: Way) -> bool:
        left_out = {NATIVE: not way.natives, LAYOUT: way.spec_layout, FOLDING: changed != program}
        return left_out.get(culprit, False)

    others = RULE if primitive else ASSEMBLY
    expected = others if culprit == "" or (primitive and culprit == NATIVE) else culprit
    assert stage_of(program, agrees, primitive) == expected
    assert expected in WORDS
