"""Dimensions that only states have: they start at 0 and grow from call to call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from dlc.api import load
from dlc.backends.api import Options
from dlc.backends.reference.interpreter import Interpreter
from dlc.networks import Choice, elaborate
from dlc.output import write_files
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from dlc.verify.backends import find_backend
from dlc.verify.workers import Job, Workers
from dlc.weights import initial, write
from language_runs import close, normal, random_weights, run

STATES = Path(__file__).parent / "states"
MEMORY = """
block memory:
    input x: float[N, T, D]
    state seen: float[N, 2 * P, D]
    state marks: int[N, P]
    next seen = concat([seen, x, -x], axis=1)
    next marks = concat([marks, broadcast_to(arange(T) + P, [N, T])], axis=1)
    output y = sum(next seen ** 2, axis=1) + P
"""


def test_a_state_grows(tmp_path: Path) -> None:
    text = MEMORY + "\nnetwork A:\n    input x: float[N, T, 2]\n    output y = memory(x)\n"
    for old in (0, 3):
        x, seen, marks = normal(2, 4, 2), normal(2, 2 * old, 2, seed=7), np.tile(np.arange(old), (2, 1))
        found = run(tmp_path, text, {"x": x, "memory.seen": seen, "memory.marks": marks})
        after = np.concatenate([seen, x, -x], axis=1)
        close(found["next memory.seen"], after)
        close(found["next memory.marks"], np.tile(np.arange(old + 4), (2, 1)))
        close(found["y"], (after**2).sum(axis=1) + old)


def test_an_instance_called_twice_continues(tmp_path: Path) -> None:
    """The second call of a step sees what the first has kept: its P is P + T of the first."""
    text = (
        MEMORY
        + """
network A:
    input x: float[N, T, 2]
    input z: float[N, S, 2]
    m = memory()
    output first = m(x)
    output second = m(z)
"""
    )
    x, z, seen, marks = normal(2, 4, 2), normal(2, 3, 2, seed=4), normal(2, 2, 2, seed=5), np.zeros((2, 1), np.int64)
    found = run(tmp_path, text, {"x": x, "z": z, "m.seen": seen, "m.marks": marks})
    after = np.concatenate([seen, x, -x, z, -z], axis=1)
    close(found["next m.seen"], after)
    close(found["second"], (after**2).sum(axis=1) + 5)
    close(found["next m.marks"], np.tile([0, 1, 2, 3, 4, 5, 6, 7], (2, 1)) - np.array([0] + [0] * 7))


def test_a_pure_call_takes_any_size(tmp_path: Path) -> None:
    """Given its states a growing cell is a function; their sizes may be numbers."""
    text = (
        MEMORY
        + """
network A:
    input x: float[N, T, 2]
    input seen: float[N, 6, 2]
    r = memory(x, seen=seen, marks=int(seen[:, :3, 0]))
    output after = r.seen
    output marks = r.marks
    output y = r.y
"""
    )
    x, seen = normal(2, 4, 2), np.zeros((2, 6, 2))
    found = run(tmp_path, text, {"x": x, "seen": seen})
    close(found["after"], np.concatenate([seen, x, -x], axis=1))
    close(found["marks"], np.tile([0, 0, 0, 3, 4, 5, 6], (2, 1)))
    close(found["y"], 2 * (x**2).sum(axis=1) + 3)


def test_states_given_to_a_scan_bind_their_dimensions(tmp_path: Path) -> None:
    """A cell without inputs, and one whose only large dimension stands in a captured input and a state."""
    text = """
block oscillator(rate: float):
    state x: float[N, K]
    state v: float[N, K] = 0
    next v = v - rate * x
    next x = x + rate * next v
    output y = x


block matching:
    input x: float[N]
    input memory: float[N, S]
    state fit: float[N, S] = 0
    next fit = fit + memory * expand_dims(x, 1)
    output y = sum(fit, axis=1)


network A:
    input x: float[N, 3]
    input memory: float[N, M]
    r = scan(oscillator(0.1), steps=7, x=x)
    named = scan(oscillator(0.1), steps=2, x=memory)
    s = scan(matching(), r.y[:, :, 0], memory=memory)
    output y = r.y
    output x_end = named.x
    output fit = s.fit
"""
    x, memory = normal(2, 3), normal(2, 5, seed=9)
    found = run(tmp_path, text, {"x": x, "memory": memory})
    position, speed, seen = x, 0 * x, []
    for _ in range(7):
        seen.append(position)
        speed = speed - 0.1 * position
        position = position + 0.1 * speed
    close(found["y"], np.stack(seen, axis=1))
    close(found["fit"], memory * np.stack(seen, axis=1)[:, :, 0].sum(axis=1)[:, None])
    end = memory - 0.01 * memory
    close(found["x_end"], end + 0.1 * (-0.1 * memory - 0.1 * end))


def test_a_size_in_a_state_is_fixed(tmp_path: Path) -> None:
    """`P = 3` in the state of a nested cell is no dimension that grows, given or not."""
    text = """
block cell:
    input x: float[N]
    state h: float[N, P = 3] = 0.5
    next h = h + expand_dims(x, 1) * P
    output y = sum(next h, axis=1)


network A:
    input x: float[N, T]
    input start: float[N, 3]
    output y = x -> scan(cell)
    output z = cell(x[:, 0], h=start).y
    output w = cell(x[:, 1])
"""
    x, start = normal(2, 4), normal(2, 3, seed=8)
    found = run(tmp_path, text, {"x": x, "start": start})
    close(found["y"], 1.5 + 9 * np.cumsum(x, axis=1))
    close(found["z"], start.sum(axis=1) + 9 * x[:, 0])
    close(found["w"], 1.5 + 9 * x[:, 1])


# --- a prompt at once, and token by token ----------------------------------------------------------------------

KEPT = ("keys", "values")
PROMPT = np.array([[3, 7, 1, 10, 4], [0, 2, 2, 9, 5]])


def test_token_by_token_on_the_reference() -> None:
    (network,) = elaborate(load_project(STATES / "gpt2.dl"), Choice("Small")).unit.networks
    program = network.inference
    weights = random_weights(network_parameters(network.inference, network.training))
    machine = Interpreter(program, weights, exact=True)
    entry = program.module(program.entry)
    names = [state.name for state in entry.states if state.name != "offset"]
    empty = {"offset": np.array(0), **{name: np.zeros((2, 2, 0, 4)) for name in names}}
    whole = machine.run({"tokens": PROMPT, **empty})
    states, logits = dict(empty), []
    for step in range(PROMPT.shape[1]):
        found = machine.run({"tokens": PROMPT[:, step : step + 1], **states})
        states = {name: found[f"next {name}"] for name in states}
        logits.append(found["logits"])
    np.testing.assert_allclose(np.concatenate(logits, axis=1), whole["logits"], rtol=1e-9, atol=1e-12)
    for name in names:
        assert states[name].shape == (2, 2, 5, 4)
        np.testing.assert_allclose(states[name], whole[f"next {name}"], rtol=1e-9, atol=1e-12)
    assert states["offset"] == 5


def test_token_by_token_on_torch() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = load(STATES / "gpt2.dl")["Small"].build("torch").eval()
    empty = [torch.tensor(0), *(torch.zeros(2, 2, 0, 4) for _ in range(4))]
    prompt = torch.tensor(PROMPT)
    with torch.no_grad():
        whole, *after = model(prompt, *empty)
        states, logits = list(empty), []
        for step in range(5):
            found, *states = model(prompt[:, step : step + 1], *states)
            logits.append(found)
    torch.testing.assert_close(torch.cat(logits, dim=1), whole, rtol=1e-4, atol=1e-5)
    assert whole.std() > 1e-3
    for one, other in zip(states, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["torch", "tensorflow", "onnx", "reference"])
def test_a_growing_state_may_be_left_out_where_it_is_empty(name: str, tmp_path: Path) -> None:
    """A prompt alone gives what it gives with empty states, on each backend's runner."""
    unit = elaborate(load_project(STATES / "gpt2.dl"), Choice("Small")).unit
    (network,) = unit.networks
    backend = find_backend(name)
    artifact = backend.compile(unit, Options())
    write_files(tmp_path, artifact.files)
    wanted = network_parameters(network.inference, network.training)
    write(tmp_path / "Small.safetensors", wanted, initial(0))
    job = Job(str(tmp_path), artifact.entries["Small"], str(tmp_path / "Small.safetensors"))
    empty = {f"gpt_block.{i}.cached_attention.{what}": np.zeros((2, 2, 0, 4)) for i in (0, 1) for what in KEPT}
    with Workers() as workers:
        left_out = workers.evaluate(backend.runner, job, {"tokens": PROMPT}, False)
        all_given = {"tokens": PROMPT, "offset": np.array(0), **empty}
        given = workers.evaluate(backend.runner, job, all_given, False)
    assert left_out.keys() == given.keys()
    for key, value in given.items():
        np.testing.assert_array_equal(left_out[key], value)
    assert np.std(given["logits"]) > 1e-3
