"""What a class is written for alone is no argument of it: an arm that nobody took, turns with states of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc import networks
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend as tensorflow
from dlc.backends.torch import backend as torch
from dlc.passes.resolve import load_project

SPEC = """block grown(k: int):
    input x: float[N, D]
    if k > 2:
        x = x + 1
    output x -> dense(k)

network One(k: int = 3):
    input x: float[N, 6]
    output x -> grown(k)

network Both(k: int = 3):
    input x: float[N, 6]
    output x -> grown(2) -> grown(k)
"""


@pytest.mark.parametrize(("network", "test"), [("One", False), ("Both", True)])
@pytest.mark.parametrize("backend", [torch, tensorflow], ids=["torch", "tensorflow"])
def test_no_argument_decides_on_an_arm_that_nobody_took(
    backend: object, network: str, test: bool, tmp_path: Path
) -> None:
    path = tmp_path / "case.dl"
    path.write_text(SPEC, encoding="utf-8")
    unit = networks.elaborate(load_project(path), networks.Choice(network)).unit
    (code,) = backend.compile(unit, Options()).files.values()  # type: ignore[attr-defined]
    assert ("k > 2" in code) == test
    assert ("k: int" in code) == test


STATES = """block step(units: int):
    input x: float[N, D]
    state h: float[N, units] = 0
    next h = tanh(dense(units)(x) + h)
    output next h

network Stack(depth: int = 1, units: int = 3):
    input x: float[N, 3]
    for _ in range(depth):
        x = x -> step(units)
    output x
"""


@pytest.mark.parametrize("backend", [torch, tensorflow], ids=["torch", "tensorflow"])
def test_turns_with_states_of_their_own_are_as_many_as_they_are(backend: object, tmp_path: Path) -> None:
    path = tmp_path / "case.dl"
    path.write_text(STATES, encoding="utf-8")
    (code,) = backend.compile(networks.elaborate(load_project(path)).unit, Options()).files.values()  # type: ignore[attr-defined]
    assert "units: int" in code
    assert "depth: int" not in code
