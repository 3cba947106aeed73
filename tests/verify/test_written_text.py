"""What is compared at inference is the code that a user gets, not the one whose draws are fed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from dlc.backends.api import Artifact, Options, Unit
from dlc.backends.torch import TorchBackend
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, DISAGREES
from dlc.verify.run import Settings, verify

pytest.importorskip("torch")

SPEC = """
block part(p: float in 0..1):
    input x: float[N, D]
    y = x -> dense(D)
    if p > 0:
        y = y -> dropout(p)
    output x + y

network Net:
    input x: float[N, 6]
    output y = x -> part(0.0) -> part(0.3)
"""


@dataclass(frozen=True)
class LosesResidual(TorchBackend):
    """The torch backend, wrong where a program draws: its code for users, not that for `verify`, which feeds draws."""

    def compile(self, unit: Unit, options: Options) -> Artifact:
        artifact = super().compile(unit, options)
        if not any(module.draws for network in unit.networks for module in network.training.modules):
            return artifact
        wrong = {name: str(text).replace("return x + y", "return y") for name, text in artifact.files.items()}
        assert wrong != artifact.files
        return replace(artifact, files=wrong)


def test_a_fault_of_the_code_that_draws_is_seen() -> None:
    unit = elaborate(load_project("net.dl", SPEC)).unit
    right, wrong = verify(unit, [TorchBackend()]), verify(unit, [LosesResidual()], Settings(modes=("inference",)))
    assert {case.status for case in right.cases} == {AGREES}
    assert {case.status for case in wrong.cases} == {DISAGREES}
