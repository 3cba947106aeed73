"""States of nested cells: `y.h` of the spec is `y_h` in signatures, and starts at its declared number."""

from __future__ import annotations

from pathlib import Path

from dlc import networks
from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.passes.resolve import load_project
from dlc.verify.run import Settings, verify

SPEC = Path(__file__).parent / "programs" / "states.dl"


def test_agrees_and_is_named():
    unit = networks.elaborate(load_project(SPEC)).unit
    text = backend.compile(unit, Options()).files["states_torch.py"]
    assert isinstance(text, str)
    assert "def forward(self, x: Tensor, y_h: Tensor)" in text
    assert "torch.zeros(x.shape[0], 2 * self.width, device=x.device)" in text
    report = verify(unit, ["torch"], Settings(sizes=1, natives=(True, False)))
    assert {(case.status, case.message) for case in report.cases} == {("agrees", "")}
