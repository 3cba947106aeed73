"""Dynamic sizes that a call gives: an int beside the tensors, wherever no input has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend as tensorflow
from dlc.backends.torch import backend as torch
from dlc.networks import elaborate
from dlc.passes.resolve import load_project

EVERY_USE = Path(__file__).parent.parent / "language" / "size_hyperparameter.dl"
PADDED = """block pad_to(length: size):
    input x: float[N, T, D]
    output pad(x, [[0, 0], [0, length - T], [0, 0]])

block latest(count: size):
    input x: float[N, T, D]
    y = x -> dense(4)
    output y[:, -count:] * count

block ramp(length: size):
    output float(arange(length)) / length

network Net:
    input x: float[N, T, 4]
    input y: float[N, S, 4]
    output a = x -> pad_to(S + T)
    output b = x -> pad_to(2 * T)
    output c = (x -> latest(S)) + 1
    output d = ramp(S + T)
"""


def padded(folder: Path) -> Path:
    path = folder / "padded.dl"
    path.write_text(PADDED, encoding="utf-8")
    return path


def code_of(path: Path, backend: object) -> str:
    (code,) = backend.compile(elaborate(load_project(path)).unit, Options()).files.values()  # type: ignore[attr-defined]
    return str(code)


@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_agrees(backend: str, tmp_path: Path):
    from dlc.cli import main

    assert main(["verify", str(EVERY_USE), str(padded(tmp_path)), "--backends", backend]) == 0


def test_torch_gives_an_int(tmp_path: Path):
    code = code_of(padded(tmp_path), torch)
    assert "def pad_to(x: Tensor, length: int) -> Tensor:\n    return F.pad(x, (0, 0, 0, length - x.shape[1]))" in code
    assert "a = pad_to(x, length=x.shape[1] + y.shape[1])" in code
    assert "def ramp(length: int) -> Tensor:" in code
    assert "self.c(x, count=y.shape[1])" in code


def test_tensorflow_gives_an_int_that_it_casts(tmp_path: Path):
    code = code_of(padded(tmp_path), tensorflow)
    assert "def call(self, x: tf.Tensor, count: int) -> tf.Tensor:" in code
    assert 'ops.cast(count, "float32")' in code
    assert "s = ops.shape(y)[1]" in code
    assert "self.c(x, count=s)" in code


def test_states_come_before_sizes():
    code = code_of(EVERY_USE, torch)
    assert "def forward(self, x: Tensor, h: Tensor, n: int)" in code
    assert "self.counting_cell(s[:, t], h, n=2 * s.shape[1])" in code
