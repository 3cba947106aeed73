"""Every example on torch against the oracle, both modes, natives on and off; images of full size are slow.

All of them on all backends, as they stand: `make verify-full`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from dlc import networks
from dlc.networks import Choice
from dlc.passes.resolve import load_project
from dlc.verify.run import Settings, verify

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SMALL: Mapping[str, Mapping[str, str]] = {
    "Transformer": {"vocab": "50", "width": "32", "heads": "4", "inner": "40", "layers": "2"},
    "CharLSTM": {"vocab": "20", "hidden": "8"},
    "Seq2Seq": {"source_vocab": "20", "target_vocab": "20"},
    "DenseNet": {"depths": "[2, 3, 1]", "growth": "8"},
    "UNet": {"width": "8"},
}
CASES = [
    ("transformer", "Transformer"),
    ("char_lstm", "CharLSTM"),
    ("seq2seq", "Seq2Seq"),
    ("lenet", None),
    ("graph", None),
    ("gat", None),
]
FULL = [("resnet", "ResNet18"), ("dcgan", None), ("densenet", "DenseNet"), ("unet", "UNet")]


@pytest.mark.parametrize(
    ("stem", "network"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in FULL)],
)
def test_agrees(stem: str, network: str | None):
    choice = Choice(network, SMALL.get(network or "", {}), {})
    unit = networks.elaborate(load_project(EXAMPLES / f"{stem}.dl"), choice).unit
    report = verify(unit, ["torch"], Settings(sizes=1, natives=(True, False)))
    assert {(case.status, case.message) for case in report.cases} == {("agrees", "")}
    assert len(report.cases) == 4 * len(unit.networks)
