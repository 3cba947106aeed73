"""The interpreter against plain NumPy, and what it makes of inputs that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlc import weights
from dlc.backends.api import Network, Options, Unit
from dlc.backends.reference import backend
from dlc.backends.reference.interpreter import Interpreter, Perturbation
from dlc.backends.reference.plan import MOVES
from dlc.backends.reference.runner import Runner
from dlc.diagnostics import DlcError
from dlc.distributions import draw
from dlc.ir import Program
from dlc.ir_text import read
from dlc.ops import OPS
from dlc.ops.api import OpError
from dlc.ops.samples import draw as draw_sample
from dlc.parameters import parameters
from dlc.passes.draws import explicit_draws

PROGRAMS = Path(__file__).parents[1] / "ir" / "programs"
RECURRENT, _ = explicit_draws(read((PROGRAMS / "recurrent.ir").read_text()))
NORMED = read((PROGRAMS / "normed.ir").read_text())


def starting(program: Program) -> dict[str, np.ndarray]:
    return {p.path: draw(p.initial, p.shape, p.path, 1).astype(np.float32) for p in parameters(program)}


def recurrent_inputs(steps: int = 5) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    shapes = {
        "x": (3, steps, 4),
        "shift": (3, 3),
        "scan_forward_noise_u": (3, steps, 3),
        "scan_backward_noise_u": (3, steps, 3),
    }
    return {n: generator.normal(size=s) for n, s in shapes.items()} | {"lengths": np.array([steps, 2, 3])}


def recurrence(w: dict[str, np.ndarray], inputs: dict[str, np.ndarray], side: str, row: int) -> list[np.ndarray]:
    """The states of one row, step by step, written without masks."""
    h = w["start"].astype(np.float64)
    length = int(inputs["lengths"][row])
    states = [np.zeros(3)] * inputs["x"].shape[1]
    p = f"scan.{side}."
    for t in range(length) if side == "forward" else reversed(range(length)):
        total = w[p + "dense.weight"] @ inputs["x"][row, t] + w[p + "dense.bias"]
        total = total + w[p + "dense_2.weight"] @ h + w[p + "dense_2.bias"] + inputs["shift"][row]
        h = np.tanh(total + inputs[f"scan_{side}_noise_u"][row, t])
        states[t] = h
    return [*states, h]


def test_scan_in_both_directions_with_lengths() -> None:
    w, inputs = starting(RECURRENT), recurrent_inputs()
    found = Interpreter(RECURRENT, w, exact=True).run(inputs)
    assert found["sequence"].shape == (3, 5, 12)
    for row in range(3):
        for index, side in enumerate(("forward", "backward")):
            *states, final = recurrence(w, inputs, side, row)
            at = 6 * index
            np.testing.assert_allclose(found["sequence"][row, :, at : at + 3], states, atol=1e-12)
            np.testing.assert_allclose(found["final"][row, 3 * index : 3 * index + 3], final, atol=1e-12)
            captured = found["sequence"][row, :, at + 3 : at + 6]
            valid = np.arange(5) < inputs["lengths"][row]
            np.testing.assert_array_equal(captured, np.where(valid[:, None], inputs["shift"][row], 0.0))


def test_a_scan_of_no_steps() -> None:
    w, inputs = starting(RECURRENT), recurrent_inputs(0) | {"lengths": np.zeros(3, np.int64)}
    found = Interpreter(RECURRENT, w, precision="f32").run(inputs)
    assert found["sequence"].shape == (3, 0, 12)
    assert found["sequence"].dtype == np.float32
    np.testing.assert_array_equal(found["final"], np.tile(w["start"], (3, 2)))


def test_precisions() -> None:
    w, inputs = starting(RECURRENT), recurrent_inputs()
    exact = Interpreter(RECURRENT, w, exact=True).run(inputs)["final"]
    single = Interpreter(RECURRENT, w, precision="f32").run(inputs)["final"]
    assert (exact.dtype, single.dtype) == (np.float64, np.float32)
    assert 0 < np.abs(exact - single).max() < 1e-6


def test_perturbation_is_seeded_and_of_the_size_of_rounding() -> None:
    w, inputs = starting(RECURRENT), recurrent_inputs()
    exact = Interpreter(RECURRENT, w, exact=True).run(inputs)["final"]

    def error(seed: int, unit: float = 2.0**-24) -> float:
        run = Interpreter(RECURRENT, w, exact=True, perturbation=Perturbation(seed, unit)).run(inputs)
        return float(np.abs(run["final"] - exact).max())

    assert error(1) == error(1) != error(2)
    assert 1e-8 < error(1) < 1e-6
    assert 50 < error(1, 2.0**-17) / error(1) < 250


@pytest.mark.parametrize("name", sorted(MOVES))
def test_moves_never_round(name: str) -> None:
    op = OPS[name]
    for sample in op.samples:
        case = draw_sample(op, sample, "f32")
        wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in case.operands]
        exact = op.evaluate(wide, {**case.attributes, "precision": "f64"})
        for found, expected in zip(case.evaluate(), exact, strict=True):
            np.testing.assert_array_equal(found, expected.astype(found.dtype))
            if found.dtype == np.float32 and "value" not in case.attributes:
                np.testing.assert_array_equal(found, expected)


def test_training_updates_buffers_call_by_call() -> None:
    w = starting(NORMED) | {"norm.running_mean": np.arange(4, dtype=np.float32)}
    x = np.random.default_rng(0).normal(size=(5, 4)) + 3
    run = Interpreter(NORMED, w, exact=True)
    found = run.run({"x": x, "ids": np.zeros((5, 3), np.int64)})
    mean = np.arange(4.0)
    mean = 0.9 * mean + x.mean(axis=0)
    mean = 0.9 * (0.9 * mean)  # the second and third call see normalised rows, of mean 0
    np.testing.assert_allclose(found["buffer norm.running_mean"], mean, rtol=1e-6)
    np.testing.assert_array_equal(found["buffer norm.running_var"], np.ones(4))
    again = run.run({"x": x, "ids": np.zeros((5, 3), np.int64)})
    for name, value in found.items():
        np.testing.assert_array_equal(again[name], value)
    assert w["norm.running_mean"][3] == 3


def test_given_instances_reads_and_integer_outputs() -> None:
    w = starting(NORMED)
    x, ids = np.random.default_rng(0).normal(size=(5, 4)), np.arange(15).reshape(5, 3) % 6
    found = Interpreter(NORMED, w, precision="f32").run({"x": x, "ids": ids})
    np.testing.assert_array_equal(found["rows"], w["table.weight"][ids])
    np.testing.assert_array_equal(found["best"], found["output"].argmax(axis=1))
    np.testing.assert_allclose(found["scores"], found["output"] @ w["table.weight"].T, rtol=1e-5)
    assert found["best"].dtype == np.int64
    assert found["larger"].dtype == np.bool_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wobble": np.zeros(3)}, "no input `wobble`"),
        ({"x": np.zeros((5, 3))}, "`x` has the wrong shape"),
        ({"x": np.zeros(5)}, "`x` has 1 axes"),
        ({"ids": np.zeros((4, 3), np.int64)}, "`ids` has the wrong shape"),
        ({"ids": np.zeros((5, 3))}, "`ids` has the wrong type"),
    ],
)
def test_inputs_that_do_not_fit(change: dict[str, np.ndarray], message: str) -> None:
    inputs = {"x": np.zeros((5, 4)), "ids": np.zeros((5, 3), np.int64)} | change
    with pytest.raises(DlcError, match=message):
        Interpreter(NORMED, starting(NORMED)).run(inputs)
    del inputs["x"]


def test_a_missing_input_and_an_index_out_of_range() -> None:
    run = Interpreter(NORMED, starting(NORMED))
    with pytest.raises(DlcError, match="needs the input `ids`"):
        run.run({"x": np.zeros((5, 4))})
    with pytest.raises(OpError):
        run.run({"x": np.zeros((5, 4)), "ids": np.full((5, 3), 6)})


def test_a_draw_that_nobody_answers() -> None:
    program = read((PROGRAMS / "recurrent.ir").read_text())
    inputs = {k: v for k, v in recurrent_inputs().items() if not k.startswith("scan")}
    with pytest.raises(DlcError, match=r"draw `scan.forward.noise.u`"):
        Interpreter(program, starting(program)).run(inputs)


CACHE = """program Cache inference entry Cache#0
module Cache#0 = "c.dl":Cache values 7
  dims N=N, T=T, P=P
  home N = x axis 0: N
  home T = x axis 1: 2*T
  home P = keys axis 1: P
  input %0 x: float[N, 2*T]
  state %1 keys: float[N, P] = 0
  state %2 count: int[] = 0
  %3: float[N, P + 2*T] = concat(%1, %0; axis=1)
  %4: int[] = dimension(; size=T)
  %5: int[] = add(%2, %4)
  %6: float[N] = sum(%3; axis=[1], keepdims=False)
  output %6 total
  next %3 keys
  next %5 count
"""


def test_states_start_as_said_and_grow() -> None:
    run = Interpreter(read(CACHE), {})
    first = run.run({"x": np.ones((2, 6))})
    assert (first["next keys"].shape, first["next count"]) == ((2, 6), 3)
    second = run.run({"x": np.ones((2, 2)), "keys": first["next keys"], "count": first["next count"]})
    assert (second["next keys"].shape, second["next count"]) == ((2, 8), 4)
    np.testing.assert_array_equal(second["total"], [8, 8])
    with pytest.raises(DlcError, match=r"axis 1 of `x` is 5, which no T gives"):
        run.run({"x": np.ones((2, 5))})
    left_out = Interpreter(read(CACHE.replace("float[N, P] = 0", "float[N, P]")), {}).run({"x": np.ones((2, 6))})
    assert left_out["next keys"].shape == (2, 6)  # nothing is to be known of an empty state
    with pytest.raises(DlcError, match="needs the state `count`"):
        Interpreter(read(CACHE.replace("int[] = 0", "int[]")), {}).run({"x": np.ones((2, 6))})


def test_planning_is_done_once() -> None:
    run = Interpreter(RECURRENT, starting(RECURRENT))
    run.run(recurrent_inputs())
    count = len(run._plans)
    run.run(recurrent_inputs())
    assert len(run._plans) == count == 1 + 2 * 4  # the entry; a cell, two dense and a noise in each direction


def test_the_backend_writes_text_that_its_runner_runs(tmp_path: Path) -> None:
    inference = replace(NORMED, training=False, modules=tuple(replace(m, training=False) for m in NORMED.modules))
    unit = Unit(
        "two",
        "0",
        None,
        (
            Network("Normed", inference, NORMED),
            Network("Other", replace(inference, network="Other"), replace(NORMED, network="Other")),
        ),
    )
    artifact = backend.compile(unit, Options())
    for name, text in artifact.files.items():
        (tmp_path / name).write_text(str(text))
    assert artifact.entries == {"Normed": "two_reference.ir:Normed", "Other": "two_reference.ir:Other"}
    file = tmp_path / "w.safetensors"
    weights.write(file, parameters(NORMED), weights.initial(3))
    runner = Runner()
    inputs = {"x": np.ones((2, 4)), "ids": np.zeros((2, 3), np.int64)}
    for network in artifact.entries:
        runner.load(str(tmp_path), artifact.entries[network], str(file), "f64")
        assert "buffer norm.running_mean" not in runner.run(inputs, False)
        np.testing.assert_array_equal(runner.run(inputs, True)["buffer norm.running_mean"], [0.81] * 4)
    with pytest.raises(DlcError, match="no network `Third`"):
        runner.load(str(tmp_path), "two_reference.ir:Third", None, "f32")


@pytest.mark.parametrize("precision", ["f16", "bf16", "f64"])
def test_inputs_are_taken_in_any_width(precision: str) -> None:
    """A half type is no number of NumPy's own kind, but a float all the same."""
    interpreter = Interpreter(RECURRENT, starting(RECURRENT), precision=precision)
    inputs = {n: a.astype(np.float32) if a.dtype.kind == "f" else a for n, a in recurrent_inputs().items()}
    for result in interpreter.run(inputs).values():
        assert result.dtype == interpreter.dtype("float")
    with pytest.raises(DlcError, match="E0810"):
        interpreter.run({**inputs, "lengths": inputs["x"][:, 0, 0]})
