"""What a Python backend can't print is a diagnostic with the way out, not a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend as tensorflow
from dlc.backends.torch import backend as torch
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


@pytest.mark.parametrize("backend", [torch, tensorflow], ids=["torch", "tensorflow"])
def test_a_choice_that_both_construction_and_a_call_decide(tmp_path: Path, backend: object) -> None:
    path = tmp_path / "choose.dl"
    path.write_text(SPEC, encoding="utf-8")
    unit = elaborate(load_project(path)).unit
    with pytest.raises(DlcError) as told:
        backend.compile(unit, Options())  # type: ignore[attr-defined]
    assert [d.code for d in told.value.diagnostics] == ["E0701"]
