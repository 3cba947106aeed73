"""Wrong specs in tests/bad beside the text that a user sees: `case.dl` and `case.txt`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.render import render_error
from dlc.spec.loader import load
from dlc.spec.parser import parse

FOLDER = Path(__file__).parent.parent / "bad"
CASES = sorted(FOLDER.glob("syntax_*.dl"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_says(path: Path, check_golden: Callable[[Path, str], None]) -> None:
    source = load(str(path), name=path.name)
    with pytest.raises(DlcError) as raised:
        parse(source)
    check_golden(path.with_suffix(".txt"), render_error(raised.value, {source.name: source}))


def test_every_case_has_its_text_and_every_text_its_case() -> None:
    assert len(CASES) >= 12
    assert {p.stem for p in FOLDER.glob("syntax_*.txt")} == {p.stem for p in CASES}


def test_golden_files_are_not_updated_in_ci() -> None:
    command = [sys.executable, "-m", "pytest", "--update-golden", "--collect-only", "-q", __file__]
    done = subprocess.run(command, env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "not updated in CI" in done.stderr
