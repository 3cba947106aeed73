"""Wrong specs in tests/bad beside the text that a user sees, for all that is found after parsing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.passes.resolve import load_project, standard_library
from dlc.render import render_error
from dlc.spec.source import Source

FOLDER = Path(__file__).parent.parent / "bad"
TOPICS = ("names", "calls", "shapes", "limits", "states")
CASES = sorted(path for topic in TOPICS for path in FOLDER.glob(f"{topic}_*.dl"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_says(path: Path, check_golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    start = time.monotonic()
    with pytest.raises(DlcError) as raised:
        elaborate(load_project(path.name))
    assert time.monotonic() - start < 30  # against hangs; benchmarks/bad_input.py measures
    assert raised.value.diagnostics
    sources = {**standard_library().sources, path.name: Source(path.name, path.read_text(encoding="utf-8"))}
    check_golden(path.with_suffix(".txt"), render_error(raised.value, sources))


def test_every_text_has_its_case() -> None:
    texts = {path.stem for topic in TOPICS for path in FOLDER.glob(f"{topic}_*.txt")}
    assert texts == {path.stem for path in CASES}
