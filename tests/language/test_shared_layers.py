"""One layer whose calls need different parameters is told at elaboration, on whatever backend it would be printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.passes.resolve import load_project

SPEC = """block choose(mode: str = "a"):
    input x: float[N, D]
    input m: float[N, D] = none
    if mode == "a":
        y = x -> dense(D)
    elif mode == "b" and m is not none:
        y = (x + m) -> dense(D) -> dense(D)
    else:
        y = x
    output y

network Net:
    input x: float[N, 4]
    shared = choose(mode="b")
    a = shared(x, m=x)
    b = shared(a)
    output choose()(b)
"""


def test_a_choice_that_both_construction_and_a_call_decide(tmp_path: Path) -> None:
    path = tmp_path / "choose.dl"
    path.write_text(SPEC, encoding="utf-8")
    with pytest.raises(DlcError) as told:
        elaborate(load_project(path))
    assert [d.code for d in told.value.diagnostics] == ["E0490"]
    assert "shared" in told.value.diagnostics[0].message
