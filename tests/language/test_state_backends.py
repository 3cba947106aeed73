"""What the papers of states need, on every backend: starts from parameters, caches that grow, bundles."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.networks import Choice, elaborate
from dlc.passes.resolve import load_project
from dlc.verify.run import Settings, verify

STATES = Path(__file__).parent / "states"


GAPS = {("ntm", "tensorflow"): "a layer's weights are read before its first call builds them"}
CASES = [
    pytest.param(
        spec,
        backend,
        marks=[pytest.mark.xfail(reason=GAPS[spec, backend], strict=True)] if (spec, backend) in GAPS else [],
    )
    for spec in ("ntm", "gpt2", "luong")
    for backend in ("torch", "tensorflow", "onnx")
]


@pytest.mark.parametrize(("spec", "backend"), CASES)
def test_agrees(spec: str, backend: str) -> None:
    unit = elaborate(load_project(STATES / f"{spec}.dl"), Choice("Small")).unit
    report = verify(unit, [backend], Settings(sizes=2))
    assert {(case.status, case.message) for case in report.cases} == {("agrees", "")}
