"""A block is elaborated again for its caller's relations between dimensions only where a shape did not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.passes.elaborate import Elaborator, Request
from dlc.passes.resolve import load_project

TEXT = """
block pair:
    input a: float[N, S, 3]
    input b: float[N, T, 3]
    output BODY


network A:
    input x: float[N, T, 3]
    input y: float[N, T, 3]
    output pair(x, y)
"""


@pytest.mark.parametrize(
    ("body", "codes", "times"),
    [
        ("a + b", set[str](), 2 + 2),  # inference and training
        ("concat([a, b], axis=1)", set[str](), 1 + 1),
        ("softmax(a, axes=3)", {"E0308"}, 1),
        ("a if S - T == 0 else 2 * a", set[str](), 2 + 2),
        ("len(a)", {"E0302"}, 1),
        ("a + b[:, :, :2]", {"E0401"}, 2),
        ("(a + b) -> softmax(axes=3)", {"E0308"}, 2),  # the shapes fit; what is left is told alone
    ],
)
def test_retries(body: str, codes: set[str], times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    original = Elaborator._elaborate

    def counted(self: Elaborator, request: Request) -> object:
        made.append(request.declaration.id.name)
        return original(self, request)

    monkeypatch.setattr(Elaborator, "_elaborate", counted)
    path = tmp_path / "spec.dl"
    path.write_text(TEXT.replace("BODY", body), encoding="utf-8")
    found: set[str] = set()
    try:
        elaborate(load_project(path))
    except DlcError as problem:
        found = {d.code for d in problem.diagnostics}
    assert found == codes
    assert made.count("pair") == times
