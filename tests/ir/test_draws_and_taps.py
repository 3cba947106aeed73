"""Draws become inputs and chosen values become outputs, through calls and scans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlc.backends.reference.interpreter import Interpreter
from dlc.check_ir import check_program
from dlc.distributions import draw
from dlc.ir import Program
from dlc.ir_text import read
from dlc.parameters import parameters
from dlc.passes.draws import explicit_draws, explicit_network
from dlc.passes.tap import tap

PROGRAM = read((Path(__file__).parent / "programs" / "recurrent.ir").read_text())
DRAWS = ("scan_forward_noise_u", "scan_backward_noise_u")


def as_inference(program: Program) -> Program:
    """The same, without the noise: its equation passes x on."""
    noise, *others = program.modules
    body = (replace(noise.body[0], op="stop_gradient", inputs=(0,)), *noise.body[1:])
    quiet = replace(noise, draws=(), body=body)
    return replace(program, training=False, modules=tuple(replace(m, training=False) for m in (quiet, *others)))


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    return {p.path: draw(p.initial, p.shape, p.path, 0) for p in parameters(PROGRAM)}


@pytest.fixture
def inputs() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "x": generator.normal(size=(3, 5, 4)),
        "lengths": np.array([5, 2, 3]),
        "shift": generator.normal(size=(3, 3)),
        **{name: generator.normal(size=(3, 5, 3)) for name in DRAWS},
    }


def test_draws_become_inputs_with_a_time_axis() -> None:
    program, draws = explicit_draws(PROGRAM)
    check_program(program)
    assert tuple(draws) == DRAWS
    entry = program.module(program.entry)
    assert [str(entry.types[p.value]) for p in entry.inputs if p.name in draws] == ["float[N, T, 3]"] * 2
    assert not any(module.draws for module in program.modules)
    assert {d.name for d in draws.values()} == {"normal"}
    assert program.module("noise#0").block.file == "changed/noise.dl"
    assert program.module("dense#0").block.standard


def test_a_program_without_draws_is_unchanged() -> None:
    quiet = as_inference(PROGRAM)
    assert explicit_draws(quiet) == (quiet, {})


def test_fed_draws_are_what_the_program_draws(weights, inputs) -> None:
    program, _ = explicit_draws(PROGRAM)
    expected = Interpreter(program, weights, exact=True).run(inputs)
    times = {"scan.forward.noise.u": iter(range(5)), "scan.backward.noise.u": iter(reversed(range(5)))}

    def drawing(path: str, shape: tuple[int, ...], _: object) -> np.ndarray:
        name = path.replace(".", "_")
        return inputs[name][:, next(times[path])]

    plain = {name: value for name, value in inputs.items() if name not in DRAWS}
    found = Interpreter(PROGRAM, weights, exact=True, drawing=drawing).run(plain)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_both_modes_get_the_same_inputs() -> None:
    explicit = explicit_network(as_inference(PROGRAM), PROGRAM)
    check_program(explicit.inference)
    check_program(explicit.training)
    assert explicit.inference_draws == explicit.training_draws
    assert tuple(explicit.training_draws) == DRAWS
    for key in ("noise#0", "cell#0", "Recurrent#0"):
        inference, training = explicit.inference.module(key), explicit.training.module(key)
        assert inference.signature == training.signature
        assert [port.name for port in inference.inputs] == [port.name for port in training.inputs]
        assert inference.block == training.block
    assert explicit.inference.module("dense#0").signature == (("x", False),)


def test_a_call_that_one_mode_lacks_has_an_absent_draw_there() -> None:
    quiet = as_inference(PROGRAM)
    noise, *dense, cell, entry = quiet.modules
    body = tuple(replace(e, op="tanh", inputs=(6,), target=None) if e.outputs == (7,) else e for e in cell.body)
    explicit = explicit_network(replace(quiet, modules=(noise, *dense, replace(cell, body=body), entry)), PROGRAM)
    check_program(explicit.inference)
    check_program(explicit.training)
    assert (explicit.inference_draws, tuple(explicit.training_draws)) == ({}, DRAWS)
    for key in ("cell#0", "Recurrent#0"):
        inference, training = explicit.inference.module(key), explicit.training.module(key)
        assert inference.signature == training.signature
        gained = {name for name, optional in inference.signature if optional} - {"missing"}
        assert gained == set(inference.absent) - {"missing"} != set()


def test_taps_show_values_inside_calls_and_scans(weights, inputs) -> None:
    program, _ = explicit_draws(PROGRAM)
    tapped, taps = tap(program, [("cell#0", 2), ("Recurrent#0", 3), ("dense#0", 1)])
    check_program(tapped)
    assert [(t.output, t.point) for t in taps] == [
        ("scan_forward_dense_tap_matmul_1_0", ("dense#0", 1)),
        ("scan_forward_tap_add_2_0", ("cell#0", 2)),
        ("scan_backward_dense_tap_matmul_1_0", ("dense#0", 1)),
        ("scan_backward_tap_add_2_0", ("cell#0", 2)),
        ("tap_concat_3_0", ("Recurrent#0", 3)),
    ]
    assert taps[0].calls == (("Recurrent#0", 1), ("cell#0", 0), ("dense#0", 1))
    plain = Interpreter(program, weights, exact=True).run(inputs)
    found = Interpreter(tapped, weights, exact=True).run(inputs)
    for name, value in plain.items():
        np.testing.assert_array_equal(found[name], value)
    np.testing.assert_array_equal(found["tap_concat_3_0"], plain["final"])
    product = inputs["x"] @ weights["scan.forward.dense.weight"].T
    valid = np.arange(5) < inputs["lengths"][:, None]
    expected = np.swapaxes(product * valid[..., None], 0, 1)  # steps first
    np.testing.assert_allclose(found["scan_forward_dense_tap_matmul_1_0"], expected, atol=1e-12)


def test_tapped_library_blocks_lose_their_identity() -> None:
    tapped, _ = tap(PROGRAM, [("dense#0", 1)])
    assert not tapped.module("dense#0").block.standard
    assert tapped.module("dense#1").block == tapped.module("dense#0").block  # one block, one identity
    assert tapped.module("Recurrent#0").block == PROGRAM.module("Recurrent#0").block
    untouched, _ = tap(PROGRAM, [("Recurrent#0", 3)])
    assert untouched.module("dense#0").block.standard


def test_a_value_without_the_batch_gets_rows_where_lengths_mask(weights, inputs) -> None:
    program, _ = explicit_draws(PROGRAM)
    tapped, taps = tap(program, [("dense#0", 0)])
    check_program(tapped)
    found = Interpreter(tapped, weights, exact=True).run(inputs)[taps[0].output]
    assert found.shape == (5, 3, 4, 3)
    valid = np.arange(5) < inputs["lengths"][:, None]
    expected = np.where(valid.T[..., None, None], weights["scan.forward.dense.weight"].T, 0.0)
    np.testing.assert_array_equal(found, expected)
