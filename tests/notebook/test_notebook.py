"""What notebooks show, `%%dl`, and the notebook of the documentation, whose outputs are those of its cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dlc
import pytest
from dlc.notebook import CellError
from IPython.core.interactiveshell import InteractiveShell
from notebooks import outputs, read, run, shell

ROOT = Path(__file__).parent.parent.parent
NOTEBOOK = ROOT / "docs" / "first_network.ipynb"
TINY = "network Tiny:\n    input x: float[N, 4]\n    output y = x -> dense(2)\n"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    monkeypatch.chdir(tmp_path)
    found = shell(tmp_path)
    run(found, "%load_ext dlc")
    return found


def test_a_cell_defines_its_networks(made: InteractiveShell) -> None:
    printed, shown = run(made, f"%%dl nets\n{TINY}\nnetwork Other = Tiny()\n")
    assert printed == ""
    assert shown["text/plain"] == "SpecFile('cell.dl': Tiny, Other)"
    assert shown["text/html"].count("<svg ") == 2
    assert run(made, "Tiny.summary().parameters")[1]["text/plain"] == "10"
    assert run(made, "nets.names")[1]["text/plain"] == "['Tiny', 'Other']"
    assert run(made, "Tiny")[1]["text/plain"] == "Network('Tiny' of 'cell.dl')"


def test_a_cell_imports_what_stands_beside_the_notebook(made: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "blocks.dl").write_text("block twice:\n    input x: float[N, D]\n    output 2 * x\n")
    text = 'import "blocks.dl"\nnetwork A:\n    input x: float[N, 4]\n    output y = x -> twice\n'
    assert "twice" in run(made, f"%%dl\n{text}")[1]["text/html"]
    assert sorted(path.name for path in tmp_path.glob("*.dl")) == ["blocks.dl"]


def test_a_mistake_is_shown_as_on_the_command_line(made: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    done = made.run_cell(f"%%dl\n{TINY.replace('dense', 'dens')}")
    assert isinstance(done.error_in_exec, CellError)
    shown = capsys.readouterr().out
    assert "cell.dl:3:21" in shown
    assert "did you mean `dense`?" in shown
    assert "Traceback" not in shown
    assert "Tiny" not in made.user_ns


@pytest.mark.parametrize("cell", ["", "# nothing\n"])
def test_an_empty_cell(made: InteractiveShell, cell: str) -> None:
    assert isinstance(made.run_cell(f"%%dl\n{cell}\n").error_in_exec, CellError)


def test_a_name_that_is_none(made: InteractiveShell) -> None:
    assert isinstance(made.run_cell(f"%%dl 2x\n{TINY}").error_in_exec, ValueError)


def test_what_a_file_shows() -> None:
    html = dlc.load(ROOT / "examples" / "gat.dl")._repr_html_()
    assert html.count("<svg ") == 1
    assert "92,302" in html
    wrong = dlc.loads("network A:\n    input x: float[N, 4]\n    output y = x @ x\n")
    assert "E04" in wrong._repr_html_()
    assert "E04" in wrong["A"]._repr_html_()
    template = dlc.loads("network A(n: int):\n    input x: float[N, 4]\n    output y = x -> dense(n)\n")
    assert template._repr_html_() == "<div>A is a template: it needs n</div>"


def test_names_are_escaped() -> None:
    text = 'network A(mode: str = "<b>"):\n    input x: float[N, 4]\n    output y = x\n'
    html = dlc.loads(text)["A"]._repr_html_()
    assert "<b>&" not in html
    assert "&lt;b&gt;" in html


def test_without_the_picture_libraries_there_is_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy.optimize", None)
    html = dlc.loads(TINY)["Tiny"]._repr_html_()
    assert "<table" in html
    assert "dlc[graph]" in html


def notebook(made: InteractiveShell, *, slow: bool) -> str:
    """The file with the outputs of its cells; slow cells keep theirs unless asked for."""
    data = read(NOTEBOOK)
    for cell in data["cells"]:
        if cell["cell_type"] == "code" and (slow or "slow" not in cell["metadata"].get("tags", ())):
            cell["outputs"] = outputs(*run(made, "".join(cell["source"])))
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def test_the_documentation(tmp_path: Path, check_golden: Callable[[Path, str], None]) -> None:
    check_golden(NOTEBOOK, notebook(shell(tmp_path), slow=False))


@pytest.mark.slow
def test_the_documentation_with_all_cells(tmp_path: Path) -> None:
    done = json.loads(notebook(shell(tmp_path), slow=True))
    assert any("True" in json.dumps(cell.get("outputs")) for cell in done["cells"] if cell["metadata"].get("tags"))
