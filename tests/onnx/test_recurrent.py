"""Scans, nested cells, lengths, draws and shared modules: the IR's own example program, in both modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.backends.reference.interpreter import Interpreter
from dlc.ir import Program
from dlc.ir_read import read
from dlc.parameters import parameters
from dlc.passes.draws import explicit_draws
from dlc.weights import randomised, write
from dlc.weights import read as read_weights
from onnx_models import compile_to, require_close, run

PROGRAM = Path(__file__).parent.parent / "ir" / "programs" / "recurrent.ir"


def recurrent() -> Program:
    program, _ = explicit_draws(read(PROGRAM.read_text()))
    return program


def inputs_of(program: Program, sizes: dict[str, int], seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    entry = program.module(program.entry)
    found = {}
    for port in entry.inputs:
        type_ = entry.types[port.value]
        shape = tuple(size if isinstance(size, int) else sizes[str(size)] for size in type_.shape)
        if type_.dtype == "int":
            found[port.name] = generator.integers(1, sizes["T"] + 1, shape)
        else:
            found[port.name] = generator.normal(size=shape).astype(np.float32)
    return found


@pytest.mark.parametrize("sizes", [{"N": 2, "T": 5}, {"N": 3, "T": 1}], ids=str)
def test_agrees_with_the_reference(sizes: dict[str, int], tmp_path: Path):
    program = recurrent()
    weights = tmp_path / "Recurrent.safetensors"
    write(weights, parameters(program), randomised(1))
    inputs = inputs_of(program, sizes, 3)
    expected = Interpreter(program, read_weights(weights), exact=True).run(inputs)
    path = compile_to(tmp_path, program, training=True)
    found = run(path, inputs, weights, training=True)
    assert list(found) == list(expected)
    for name, value in expected.items():
        require_close(found[name], value, 1e-6)


def test_lengths_matter(tmp_path: Path):
    """The masking is seen: other lengths, other results; past a row's end the output is 0."""
    program = recurrent()
    weights = tmp_path / "Recurrent.safetensors"
    write(weights, parameters(program), randomised(1))
    inputs = inputs_of(program, {"N": 2, "T": 4}, 3) | {"lengths": np.array([4, 2])}
    path = compile_to(tmp_path, program, training=True)
    found = run(path, inputs, weights, training=True)
    assert np.all(found["sequence"][1, 2:] == 0)
    assert np.all(found["sequence"][:, :2] != 0)
    longer = run(path, inputs | {"lengths": np.array([4, 4])}, weights, training=True)
    assert np.abs(longer["final"][1] - found["final"][1]).max() > 1e-3
    np.testing.assert_array_equal(longer["final"][0], found["final"][0])
