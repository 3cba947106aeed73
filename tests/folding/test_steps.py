"""The number of steps of a scan is a constant like any other: calls with different numbers share a class only by it."""

from __future__ import annotations

from pathlib import Path

from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.networks import elaborate
from dlc.passes.resolve import load_project

SPEC = """block counter:
    input a: float[N, D]
    state h: float[N, D] = 0
    next h = h * 0.5 + a
    output y = next h

block rolled(k: int):
    input a: float[N, D]
    r = scan(counter(), axis=1, steps=k, a=a)
    output r.h

network Net:
    input x: float[N, 4]
    a = x -> rolled(3)
    output a -> rolled(5)
"""


def test_steps_are_an_argument(tmp_path: Path) -> None:
    path = tmp_path / "steps.dl"
    path.write_text(SPEC, encoding="utf-8")
    (code,) = backend.compile(elaborate(load_project(path)).unit, Options()).files.values()
    assert isinstance(code, str)
    assert "range(self.k)" in code
    assert "Rolled(3)" in code
    assert "Rolled(5)" in code
