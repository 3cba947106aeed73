"""ONNX's LSTM and GRU for scans over the standard cells: every form of the scan, and where they must not be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dlc.backends.onnx import natives
from dlc.backends.onnx.runner import Runner
from dlc.verify.compare import AGREES, compare
from dlc.verify.inputs import make_inputs
from dlc.verify.oracle import references
from dlc.weights import read
from onnx_models import ops_of
from test_features import prepare

FORMS = {
    "plain": "scan({cell})(x)",
    "reverse": "scan({cell}, reverse=true)(x)",
    "lengths": "scan({cell}, lengths=lengths)(x)",
    "both": "scan({cell}, lengths=lengths, reverse=true)(x)",
    "start": "scan({cell}, lengths=lengths)(x, h=start)",
    "time first": "scan({cell}, axis=0)(transpose(x, [1, 0, 2]))",
    "time last": "scan({cell}, axis=2, lengths=lengths)(transpose(x, [0, 2, 1]))",
}


def spec(cell: str, form: str) -> str:
    carried = "    output c = r.c\n" if cell == "lstm_cell" else ""
    return f"""
network Net:
    input x: float[N, T, 3]
    input lengths: int[N] in 0..T + 1
    input start: float[N, 5]
    r = {FORMS[form].format(cell=f"{cell}(5)")}
    output y = r.output
    output h = r.h
{carried}"""


def wrong(text: str, folder: Path, **options: object) -> tuple[set[str], list]:
    unit, entry, weights = prepare(text, folder, **options)
    (network,) = unit.networks
    runner = Runner()
    runner.load(str(folder), entry, str(weights), "f32")
    bad = []
    for seed, sizes in enumerate([{"N": 3, "T": 6}, {"N": 5, "T": 2}, {"N": 1, "T": 1}]):
        inputs = make_inputs(network.inference, sizes, seed)
        inputs["lengths"][0] = 0  # a row without a valid step keeps its start
        reports = compare(runner.run(inputs, False), references(network.inference, read(weights), inputs))
        bad += [report for report in reports if report.verdict != AGREES]
    return ops_of(folder / entry), bad


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("cell", "op"), [("rnn_cell", "RNN"), ("lstm_cell", "LSTM"), ("gru_cell", "GRU")])
@pytest.mark.parametrize("natives", [True, False], ids=["native", "plain"])
def test_agrees(cell: str, op: str, form: str, natives: bool, tmp_path: Path):
    ops, bad = wrong(spec(cell, form), tmp_path, natives=natives)
    assert not bad
    assert (op in ops) == natives
    assert ("Scan" in ops) != natives


def test_wrong_gates_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key = ("std/recurrence.dl", "lstm_cell")
    swapped = replace(natives.RECURRENT[key], gates=(0, 1, 2, 3))
    monkeypatch.setattr(natives, "RECURRENT", {key: swapped})
    _, bad = wrong(spec("lstm_cell", "plain"), tmp_path)
    assert bad


def test_other_widths_are_scanned(tmp_path: Path):
    """ONNX Runtime has these ops for 32-bit floats only."""
    _, entry, _ = prepare(spec("gru_cell", "plain"), tmp_path, precision="f64")
    assert "Scan" in ops_of(tmp_path / entry)
