"""Runs a small spec through the reference interpreter in float64, on weights that leave nothing at its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dlc.backends.reference.interpreter import Interpreter
from dlc.check_ir import check_program
from dlc.networks import Choice, elaborate
from dlc.parameters import network_parameters
from dlc.passes.draws import explicit_network
from dlc.passes.resolve import load_project

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Ran:
    """Outputs by name (next states as `next <state>`), weights by path."""

    outputs: Arrays
    weights: Arrays

    def __getitem__(self, name: str) -> Array:
        return self.outputs[name]

    @property
    def output(self) -> Array:
        """The only output."""
        (array,) = self.outputs.values()
        return array

    def weight(self, path: str) -> Array:
        """The weight whose path ends with `path`, whole segments only."""
        (found,) = (array for name, array in self.weights.items() if f".{name}".endswith(f".{path}"))
        return found


def run(
    folder: Path, text: str, inputs: Mapping[str, Any], *, training: bool = False, choice: Choice | None = None
) -> Ran:
    """The chosen network of a file (its only one, if none is chosen); random draws are inputs, where given."""
    path = folder / "spec.dl"
    path.write_text(text, encoding="utf-8")
    (network,) = elaborate(load_project(path), choice).unit.networks
    for program in (network.inference, network.training):
        check_program(program)
    explicit = explicit_network(network.inference, network.training)
    weights = random_weights(network_parameters(network.inference, network.training))
    drawn = {*explicit.inference_draws, *explicit.training_draws} & set(inputs)
    chosen = explicit if drawn else network
    program = chosen.training if training else chosen.inference
    return Ran(Interpreter(program, weights, exact=True).run(inputs), weights)


def random_weights(wanted: Any) -> dict[str, Array]:
    """Numbers away from 0 of both signs; variances are positive."""
    random = np.random.default_rng(1)
    made = {p.path: random.uniform(0.2, 0.9, p.shape) * random.choice([-1, 1], p.shape) for p in wanted}
    return {path: np.abs(array) if path.endswith("running_var") else array for path, array in made.items()}


def normal(*shape: int, seed: int = 2) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def close(found: Any, expected: Any) -> None:
    """Equal shapes, and equal up to float64 rounding."""
    assert np.shape(found) == np.shape(expected), f"{np.shape(found)}, not {np.shape(expected)}"
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
