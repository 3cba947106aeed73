"""Each family of layers on each backend in each precision: right, or told to be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, INCONCLUSIVE, SKIPPED, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from precision_gaps import BACKENDS, GAPS, PRECISIONS, lacking, require_right

HERE = Path(__file__).parent
#: Networks of specs as users write them; they reach every layer of the standard library.
WIDE = [
    HERE.parent / "user" / f"{name}.dl"
    for name in (
        *("autoencoder", "buffers", "gpt", "mixer", "norms", "tensors", "windows"),
        *("std_attention", "std_graphs", "std_images", "std_losses", "std_sequences"),
    )
]


def unit_of(path: Path) -> Unit:
    return networks.elaborate(load_project(path)).unit


def cases_of(path: Path, precision: str, workers: Workers, **settings_: Any) -> tuple[Case, ...]:
    settings = Settings(precision=precision, sizes=1, **settings_)
    return verify(unit_of(path), BACKENDS, settings, workers).cases


@pytest.mark.parametrize("precision", PRECISIONS)
def test_families(precision: str, workers: Workers) -> None:
    """None of these small networks is inconclusive, and what is missing is missing."""
    cases = cases_of(HERE / "families.dl", precision, workers, modes=("training",))
    for case in cases:
        require_right(case, precision)
        assert case.status != INCONCLUSIVE, case
    missing = {(case.network, case.backend) for case in cases if case.status == SKIPPED}
    networks_ = {case.network for case in cases}
    assert len(networks_) == 6
    assert missing == {"f64": {("Images", "onnx")}, "bf16": {(n, "onnx") for n in networks_}, "f16": set()}[precision]


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("path", WIDE, ids=[path.stem for path in WIDE])
def test_user_specs(path: Path, precision: str, workers: Workers) -> None:
    for case in cases_of(path, precision, workers):
        require_right(case, precision)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_inference(precision: str, workers: Workers) -> None:
    for case in cases_of(HERE / "families.dl", precision, workers, modes=("inference",)):
        require_right(case, precision)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_own_bodies(precision: str, workers: Workers) -> None:
    for case in cases_of(HERE / "families.dl", precision, workers, natives=(False,)):
        require_right(case, precision)


@pytest.mark.slow
def test_a_gap_is_told_and_is_no_failure(workers: Workers) -> None:
    """A backend asked for by name counts as missing; one of all is left out."""
    unit, settings = unit_of(HERE.parent.parent / "examples" / "lenet.dl"), Settings(precision="f64", sizes=1)
    named = verify(unit, ["onnx"], settings, workers)
    assert [(case.status, lacking(case, "f64")) for case in named.cases] == [(SKIPPED, "Conv")]
    assert named.exit_code == 3
    every = verify(unit, None, settings, workers)
    assert {case.status for case in every.cases if case.backend != "onnx"} == {AGREES}
    assert every.exit_code == 0


def test_gaps_are_of_known_backends() -> None:
    assert set(GAPS) == {(b, p) for b in BACKENDS for p in PRECISIONS} - {("onnx", "bf16")}
