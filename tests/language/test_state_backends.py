"""What the papers of states need, on every backend: starts from parameters, caches that grow, bundles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlc.backends.api import Options
from dlc.diagnostics import DlcError
from dlc.networks import Choice, elaborate
from dlc.passes.resolve import load_project
from dlc.verify.backends import find_backend
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers

STATES = Path(__file__).parent / "states"


SPECS = ("ntm", "gpt2", "luong", "lifted")
DEPENDENT = """
block cell:
    input x: float[N, D]
    param first: float[D] ~ normal(0, 1)
    state h: float[N, D] = first
    next h = h + x
    output y = h


network A:
    input x: float[N, T, 4]
    output y = x -> scan(cell)
"""


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One process per framework for all specs."""
    with Workers() as found:
        yield found


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("backend", ["torch", "tensorflow", "onnx"])
def test_agrees(spec: str, backend: str, workers: Workers) -> None:
    unit = elaborate(load_project(STATES / f"{spec}.dl"), Choice("Small")).unit
    report = verify(unit, [backend], Settings(sizes=2), workers)
    assert {(case.status, case.message) for case in report.cases} == {("agrees", "")}


def test_keras_needs_the_size_of_a_start(tmp_path: Path) -> None:
    """A layer's weights are read before its first call tells the input's size: a gap of Keras, told as such."""
    path = tmp_path / "spec.dl"
    path.write_text(DEPENDENT, encoding="utf-8")
    unit = elaborate(load_project(path)).unit
    with pytest.raises(DlcError, match="`D` is not known when `cell` is made"):
        find_backend("tensorflow").compile(unit, Options())


def test_torch_code_reads_a_start_as_one_would_write_it() -> None:
    unit = elaborate(load_project(STATES / "ntm.dl"), Choice("Small")).unit
    text = find_backend("torch").compile(unit, Options()).files["ntm_torch.py"]
    assert "reads = torch.tanh(self.r.first_read).expand(sequence.shape[0], 2, 3)\n" in text
    assert "write_weights = softmax(self.r.first_weights, dim=-1)\n" in text


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_ruff_leaves_the_code_alone(spec: str, backend: str, tmp_path: Path) -> None:
    """Long lists of states break as `ruff format` breaks them."""
    unit = elaborate(load_project(STATES / f"{spec}.dl")).unit
    for file, text in find_backend(backend).compile(unit, Options()).files.items():
        (tmp_path / file).write_text(str(text), encoding="utf-8")
    for arguments in (["check", "-q"], ["format", "-q", "--diff"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
