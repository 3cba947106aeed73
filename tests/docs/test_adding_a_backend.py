"""The backend of docs/adding-a-backend.md compiles, agrees, and is caught when it is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from dlc.verify.run import Settings, verify
from doc_snippets import DOCS, snippets

PAGE = DOCS / "adding-a-backend.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's files, importable here and in worker processes."""
    for snippet in snippets(PAGE, "python"):
        (tmp_path / snippet.arguments[0]).write_text(snippet.text, encoding="utf-8")
    (network,) = snippets(PAGE, "dl")
    (tmp_path / "perceptron.dl").write_text(network.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("toy_backend", "toy_runner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_agrees_as_the_page_says(folder: Path) -> None:
    scope: dict[str, object] = {}
    exec((folder / "check").read_text(encoding="utf-8"), scope)
    cases = scope["report"].cases  # type: ignore[attr-defined]
    assert {(case.mode, case.status) for case in cases} == {("inference", "agrees"), ("training", "agrees")}


def test_a_wrong_rule_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import toy_backend

    monkeypatch.setitem(toy_backend.RULES, "relu", "abs({0})")
    unit = elaborate(load_project("perceptron.dl")).unit
    report = verify(unit, [toy_backend.backend], Settings(modes=("inference",), sizes=1))
    assert report.exit_code == 1
    (case,) = report.cases
    assert case.cause is not None
    assert (case.cause.op, case.cause.span.line) == ("relu", 3)


def test_an_op_without_a_rule_is_a_diagnostic(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import toy_backend

    monkeypatch.delitem(toy_backend.RULES, "tanh")
    unit = elaborate(load_project("perceptron.dl")).unit
    with pytest.raises(DlcError) as caught:
        toy_backend.backend.compile(unit, None)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0701"
    assert diagnostic.span is not None
    assert diagnostic.span.line == 3
