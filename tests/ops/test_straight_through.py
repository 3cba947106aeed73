"""`straight_through` passes its gradient as it is, by our own gradients and in generated torch and TensorFlow code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlc
import numpy as np
import pytest
import torch
from dlc.networks import Choice, elaborate
from dlc.passes.resolve import load_project
from gradient_programs import backwards
from inlined import inlined

X = np.asarray([[-1.7, -0.5, 0.0], [0.3, 1.5, 2.5]])
G = np.asarray([[1.0, 2.0, 3.0], [-4.0, 5.0, 6.0]])


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("straight") / "straight.dl"
    path.write_text(
        "network Net:\n    input x: float[N, 3]\n"
        "    output a = x -> straight_through(sign)\n    output b = x -> straight_through(round)\n"
    )
    return path


def test_our_gradient(spec: Path) -> None:
    network = inlined(elaborate(load_project(spec), Choice("Net", {}, {})).unit.networks[0].training, {"N": 2})
    for output, value in zip(network.outputs, (np.sign(X), np.rint(X)), strict=True):
        tape, x = network.tape, network.inputs["x"]
        seed = tape.input(output.type)
        (found,) = backwards(tape, {output.content: seed}, [x])
        assert found is not None
        arrays = [X, *[G] * (len(tape.inputs) - 1)]
        results = tape.run(arrays, [output, found])
        np.testing.assert_array_equal(results[0], value)
        np.testing.assert_array_equal(results[1], G)


def test_torchs_gradient(spec: Path) -> None:
    model: Any = dlc.load(spec)["Net"].build("torch")
    for output, value in enumerate((np.sign(X), np.rint(X))):
        x = torch.tensor(X, dtype=torch.float32, requires_grad=True)
        found = model(x)[output]
        np.testing.assert_array_equal(found.detach().numpy(), value)
        found.backward(torch.tensor(G, dtype=torch.float32))
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), G)


def test_tensorflows_gradient(spec: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    model: Any = dlc.load(spec)["Net"].build("tensorflow")
    for output, value in (("a", np.sign(X)), ("b", np.rint(X))):
        x = tf.constant(X, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = model(x)[output]
        np.testing.assert_array_equal(found.numpy(), value)
        np.testing.assert_array_equal(tape.gradient(found, x, tf.constant(G, tf.float32)).numpy(), G)
