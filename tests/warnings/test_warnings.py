"""Warnings: each beside what a user is told; none on what is right; never an exit code but with --strict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dlc as library
import pytest
from command_line import ROOT, dlc
from dlc.passes.resolve import FileScope
from dlc.passes.warnings import file_warnings
from dlc.render import render_all
from dlc.spec.loader import load
from dlc.spec.parser import parse

FOLDER = Path(__file__).parent
CASES = sorted(path for path in FOLDER.glob("*.dl") if path.stem != "right")
RIGHT = [
    FOLDER / "right.dl",
    *sorted((ROOT / "examples").glob("*.dl")),
    ROOT / "examples" / "vgg.yaml",
    *sorted(path for path in (ROOT / "tests" / "user").glob("*.dl") if path.stem != "tensors"),  # `k` is never used
]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_says(path: Path, check_golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    file = library.load(path.name)
    found = [*file.warnings, *file.elaborate().warnings]
    assert found
    assert {warning.severity for warning in found} == {"warning"}
    sources = {name: load(name) for name in (path.name, "lib/blocks.dl")}
    check_golden(path.with_suffix(".txt"), render_all(found, sources))


def test_every_text_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in CASES}


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_what_is_right_is_not_warned_of(path: Path) -> None:
    file = library.load(path)
    assert [*file.warnings, *file.elaborate().warnings] == []


@pytest.mark.parametrize("path", sorted((ROOT / "spec" / "std").glob("*.dl")), ids=lambda path: path.stem)
def test_the_standard_library_is_right(path: Path) -> None:
    source = load(str(path))
    assert file_warnings(FileScope(source, parse(source), {})) == []


def test_warnings_change_no_exit_code_but_with_strict(tmp_path: Path) -> None:
    path = FOLDER / "unused_name.dl"
    done = dlc("check", path)
    assert (done.code, done.out) == (0, f"{path}: 1 network: 1 warning\n")
    assert "warning[W0201]: the name `hidden` of `A` is never used" in done.err
    assert dlc("check", "--strict", path).code == 1
    assert dlc("check", "--strict", FOLDER / "right.dl").code == 0
    told = json.loads(dlc("check", "--json", path).out)
    assert (told["exit_code"], [d["severity"] for d in told["diagnostics"]]) == (0, ["warning"])
    done = dlc("compile", path, "--backend", "reference", "-o", tmp_path)
    assert done.code == 0
    assert "W0201" in done.err
