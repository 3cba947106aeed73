"""Programs that come from real specs: checked, printed and read back, run, compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dlc.backends.api import Unit
from dlc.check_ir import check_program
from dlc.ir_text import read, show
from dlc.networks import Choice, elaborate
from dlc.parameters import network_parameters, parameters
from dlc.passes.draws import explicit_network
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES
from dlc.verify.run import Settings, verify

EXAMPLES = Path(__file__).parents[2] / "examples"

NOISY = '''"""Dropout in a scan: draws in training only."""

block noisy(p: float):
    input x: float[N, D]
    if training:
        sample u: float[N, D] ~ uniform(0, 1)
        y = where(u < p, 0, x / (1 - p))
    else:
        y = x
    output y


block cell(n: int):
    input x: float[N, I]
    state h: float[N, n] = 0
    next h = tanh((x -> dense(n)) + (h -> dense(n))) -> noisy(0.3)
    output next h


network Noisy(width: int = 6):
    input x: float[N, T, 4]
    input lengths: int[N] in 1..T + 1
    h = x -> scan(cell(width), axis=1, lengths=lengths)
    g = x -> scan(cell(width), axis=1, lengths=lengths, reverse=true)
    y = (h.h + g.h) -> noisy(0.5) -> dense(5)
    output best = argmax(y, axis=-1)
    output y
'''


def unit(path: Path, network: str | None = None) -> Unit:
    return elaborate(load_project(path), Choice(network, {}, {})).unit


@pytest.mark.parametrize(
    ("file", "network", "count"),
    [("lenet", "LeNet5", 10), ("resnet", "ResNet18", 102), ("graph", "GCN", 2), ("seq2seq", "Seq2Seq", 22)],
)
def test_examples_check_and_read_back(file: str, network: str, count: int) -> None:
    (found,) = unit(EXAMPLES / f"{file}.dl", network).networks
    for program in (found.inference, found.training):
        check_program(program)
        assert read(show(program)) == program
    assert parameters(found.inference) == parameters(found.training)
    assert len(network_parameters(found.inference, found.training)) == count


@pytest.mark.parametrize(("file", "network"), [("lenet", "LeNet5"), ("graph", "GCN"), ("char_lstm", "CharLSTM")])
def test_examples_agree_with_themselves(file: str, network: str) -> None:
    report = verify(unit(EXAMPLES / f"{file}.dl", network), ["reference"])
    assert {case.status for case in report.cases} == {AGREES}
    assert {case.mode for case in report.cases} == {"inference", "training"}


def test_draws_of_training_are_fed_in_both_modes(tmp_path: Path) -> None:
    file = tmp_path / "noisy.dl"
    file.write_text(NOISY)
    noisy = unit(file)
    (network,) = noisy.networks
    explicit = explicit_network(network.inference, network.training)
    check_program(explicit.inference)
    check_program(explicit.training)
    assert tuple(explicit.training_draws) == ("h_noisy_u", "g_noisy_u", "noisy_u")
    report = verify(noisy, ["reference"], replace(Settings(), seed=5))
    assert [case.status for case in report.cases] == [AGREES] * 4
