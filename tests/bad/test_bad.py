"""Wrong specs, each beside what a user is told: `case.dl` (or `.yaml`), `case.txt`, and its codes in `codes.txt`.

`slips_*` are what people write who come from PyTorch, Keras or a paper. Places in the standard library are shown
without lines: they move.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from dlc.render import render_error
from dlc.spec.loader import load

FOLDER = Path(__file__).parent
CASES = sorted([*FOLDER.glob("*.dl"), *FOLDER.glob("*.yaml")])
CODES = {
    name: codes.split()
    for name, codes in (line.split(":") for line in (FOLDER / "codes.txt").read_text(encoding="utf-8").splitlines())
}


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_says(path: Path, check_golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    start = time.monotonic()
    with pytest.raises(DlcError) as raised:
        elaborate(load_project(path.name))
    assert time.monotonic() - start < 30  # against hangs; benchmarks/bad_input.py measures
    shown = render_error(raised.value, {path.name: load(path.name)})
    check_golden(path.with_suffix(".txt"), re.sub(r"(std/\w+\.dl):\d+:\d+", r"\1", shown))
    assert [d.code for d in raised.value.diagnostics] == CODES[path.stem]


def test_there_are_enough_and_each_file_belongs_to_one() -> None:
    assert len(CASES) >= 120
    names = [path.stem for path in CASES]
    assert len(names) == len(set(names))
    assert {path.stem for path in FOLDER.glob("*.txt")} - {"codes"} == set(names)
    assert sorted(CODES) == list(CODES) == sorted(names)


def test_golden_files_are_not_updated_in_ci() -> None:
    command = [sys.executable, "-m", "pytest", "--update-golden", "--collect-only", "-q", __file__]
    done = subprocess.run(command, env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "not updated in CI" in done.stderr
