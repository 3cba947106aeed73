"""Every command of the documentation works, and prints what the page shows.

A ```` ```console ```` block holds `$ dlc ...` lines, each with its output below it (none: not compared). Files named by
```` ```dl name.dl ```` on the page are there; so is `examples/`. `verify` runs on ONNX only, unless it says otherwise.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from dlc.cli import main
from dlc.cli.options import COMMANDS, parse
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from dlc.verify.run import Settings, verify
from doc_snippets import DOCS, Snippet, snippets

ROOT = DOCS.parent
CONSOLES = [s for page in sorted(DOCS.glob("*.md")) for s in snippets(page, "console")]
_NUMBER = re.compile(r"-?\d+\.\d+(e[+-]\d+)?|\d+\.\de[+-]\d\d")


def same_shape(text: str) -> list[str]:
    """Lines without trailing spaces, floats as one word: their last digits differ between machines."""
    return [_NUMBER.sub("0.0", line.rstrip()) for line in text.strip().splitlines()]


@pytest.mark.parametrize("console", CONSOLES, ids=str)
def test_console(
    console: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for snippet in snippets(DOCS / console.page):
        if snippet.arguments and snippet.arguments[0].endswith((".dl", ".yaml")):
            (tmp_path / snippet.arguments[0]).write_text(snippet.text, encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for part in re.split(r"^\$ ", console.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        word, *arguments = shlex.split(command)
        assert word == "dlc", command
        if arguments[0] == "verify" and "--backends" not in arguments:
            arguments += ["--backends", "onnx"]
        assert main(arguments) == 0, capsys.readouterr().err
        if shown.strip():
            assert same_shape(capsys.readouterr().out) == same_shape(shown)


OF_PYTEST = {"--update-golden"}


def test_options_that_pages_mention_exist(capsys: pytest.CaptureFixture[str]) -> None:
    helps = ""
    for command in COMMANDS:
        main([command, "--help"])
        helps += capsys.readouterr().out
    for page in DOCS.glob("*.md"):
        mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
        assert mentioned - OF_PYTEST <= set(re.findall(r"--[a-z][a-z-]+", helps)), page.name


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_inline_commands_exist() -> None:
    """`dlc verify net.dl --json` in running text: the command is one, its options parse."""
    for page in DOCS.glob("*.md"):
        for command in re.findall(r"`dlc\s([^`]+)`", prose(page)):
            words = shlex.split(command)
            if words[0] == "--help":
                continue
            assert words[0] in COMMANDS, f"{page.name}: dlc {command}"
            if len(words) > 2:
                parse([*words, "file.dl"] if words[-1].islower() and "." not in words[-1] else words)


def test_failing_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    rules = import_module("dlc.backends.onnx.rules").RULES
    monkeypatch.setitem(rules, "tanh", rules["sigmoid"])
    unit = elaborate(load_project("examples/lenet.dl")).unit
    report = verify(unit, ["onnx"], Settings(modes=("inference",), sizes=1))
    (shown,) = snippets(DOCS / "verify.md", "failing-report")
    assert same_shape("\n".join(report.problems())) == same_shape(shown.text)


def test_compile_imports_no_numpy(tmp_path: Path) -> None:
    """As docs/design.md says of torch and TensorFlow."""
    code = (
        "import sys, dlc.cli; dlc.cli.main(sys.argv[1:]); print(sorted({'numpy', 'torch', 'onnx'} & set(sys.modules)))"
    )
    for backend in ("torch", "tensorflow"):
        arguments = ["compile", str(ROOT / "examples/lenet.dl"), "--backend", backend, "-o", str(tmp_path)]
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


def test_links_lead_somewhere() -> None:
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([\w./-]+)(?:#[^)]*)?\)", prose(page)):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_paths_that_the_design_names_exist() -> None:
    text = (DOCS / "design.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:spec|compiler|backends)/[\w/]+\.?\w*)`", text):
        assert (ROOT / path).exists(), path
    known = {p.name for folder in ("spec", "compiler", "backends") for p in (ROOT / folder).rglob("*.py")}
    assert set(re.findall(r"\b(\w+\.py)\b", text)) <= known
