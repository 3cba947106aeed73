"""Canonical parameter paths are an interface: golden lists for every sample, and for each rule of naming."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
#: The library's layers stand in specs of the user's tests.
SAMPLES = sorted(
    [*(ROOT / "examples").glob("*.dl"), ROOT / "examples/vgg.yaml", *(ROOT / "tests/user").glob("std_*.dl")]
)
RULES = sorted(FOLDER.glob("*.dl"))


@pytest.mark.parametrize("path", [*SAMPLES, *RULES], ids=lambda p: p.stem)
def test_paths(path: Path, check_golden: Callable[[Path, str], None]) -> None:
    lines: list[str] = []
    for network in elaborate(load_project(path)).unit.networks:
        lines.append(f"{network.name}:")
        found = network_parameters(network.inference, network.training)
        lines += [f"  {p.kind} {p.path}: {p.dtype}[{', '.join(map(str, p.shape))}]" for p in found]
        assert len({p.path for p in found}) == len(found)
    check_golden(FOLDER / f"{path.stem}.txt", "\n".join(lines) + "\n")


def test_every_list_has_its_spec() -> None:
    assert {p.stem for p in FOLDER.glob("*.txt")} == {p.stem for p in [*SAMPLES, *RULES]}
