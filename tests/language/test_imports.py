"""Imports: paths, circles, names that several files offer, files that can't be read; all told with their lines."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from dlc.cli import main
from dlc.diagnostics import Diagnostic, DlcError
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from language_runs import close, run

TWICE = "block scaled:\n    input x: float[*B]\n    output 2 * x\n"
THRICE = "block scaled:\n    input x: float[*B]\n    output 3 * x\n"
USE = "network A:\n    input x: float[N]\n    output x -> scaled\n"
X = np.array([1.0, -2.0])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's root: imports may reach all of it, and nothing else."""
    (tmp_path / "dlc.toml").touch()
    return tmp_path


def written(root: Path, files: Mapping[str, str]) -> Path:
    """Writes the files; the first one's path."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root / next(iter(files))


def mistakes(path: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(DlcError) as raised:
        elaborate(load_project(path))
    return raised.value.diagnostics


@pytest.mark.parametrize(
    ("main_file", "path", "place"),
    [
        ("main.dl", "lib.dl", "lib.dl"),
        ("main.dl", "./lib.dl", "lib.dl"),
        ("main.dl", "deep/er/lib.dl", "deep/er/lib.dl"),
        ("nets/main.dl", "../lib.dl", "lib.dl"),
        ("nets/main.dl", "../nets/lib.dl", "nets/lib.dl"),
        ("main.dl", "a name with blanks.dl", "a name with blanks.dl"),
    ],
)
def test_path_is_relative_to_the_importing_file(project: Path, main_file: str, path: str, place: str) -> None:
    written(project, {place: TWICE, main_file: f'import "{path}"\n{USE}'})
    close(run((project / main_file).parent, f'import "{path}"\n{USE}', {"x": X}).output, 2 * X)


def test_imports_of_imports_keep_to_themselves(project: Path) -> None:
    """A block sees what its own file imports, not what the file that uses it imports."""
    inner = 'import "two.dl"\nblock both:\n    input x: float[*B]\n    output x -> scaled\n'
    text = 'import "inner.dl"\nimport "three.dl"\n'
    text += "network A:\n    input x: float[N]\n    output a = x -> both\n    output b = x -> scaled\n"
    written(project, {"inner.dl": inner, "two.dl": TWICE, "three.dl": THRICE})
    found = run(project, text, {"x": X})
    close(found["a"], 2 * X)
    close(found["b"], 3 * X)


def test_own_blocks_come_before_imports_and_imports_before_the_library(project: Path) -> None:
    silu = "block silu:\n    input x: float[*B]\n    output x + 1\n"
    written(project, {"lib.dl": THRICE + "\n\n" + silu})
    text = f'import "lib.dl"\n{TWICE}\n\nnetwork A:\n    input x: float[N]\n    output x -> scaled -> silu\n'
    close(run(project, text, {"x": X}).output, 2 * X + 1)


def test_a_configuration_may_have_a_standard_blocks_name(project: Path) -> None:
    text = TWICE + "\nnetwork dense = scaled\nnetwork A:\n    input x: float[N]\n    output x -> dense\n"
    with pytest.raises(DlcError, match="E0408"):  # `dense` is a network now, and takes any number of axes
        elaborate(load_project(written(project, {"main.dl": text})))


def test_one_file_imported_by_two_ways_is_one_file(project: Path) -> None:
    written(project, {"lib.dl": TWICE, "sub/other.dl": 'import "../lib.dl"\n' + USE.replace("A", "Other")})
    text = 'import "lib.dl"\nimport "lib.dl"\nimport "sub/../lib.dl"\nimport "sub/other.dl"\n' + USE
    close(run(project, text, {"x": X}).output, 2 * X)


def test_a_name_in_two_imports_may_stand_unused(project: Path) -> None:
    more = "\n\nblock more:\n    input x: float[*B]\n    output x + 1\n"
    written(project, {"two.dl": TWICE, "three.dl": THRICE + more})
    text = 'import "two.dl"\nimport "three.dl"\n' + USE.replace("scaled", "more")
    close(run(project, text, {"x": X}).output, X + 1)


@pytest.mark.parametrize(
    "use",
    [
        USE,
        USE.replace("x -> scaled", "scaled(x)"),
        "network A = scaled\n",
        "block wrap(f: block = scaled):\n    input x: float[*B]\n    output x -> f\n" + USE.replace("scaled", "wrap"),
    ],
)
def test_a_name_in_two_imports_is_told_where_it_is_used(project: Path, use: str) -> None:
    text = 'import "two.dl"\nimport "three.dl"\n' + use
    (problem, *_) = mistakes(written(project, {"main.dl": text, "two.dl": TWICE, "three.dl": THRICE}))
    assert problem.code == "E0204"
    assert problem.span is not None
    line = text.splitlines()[problem.span.line - 1]
    assert line[problem.span.column - 1 :].startswith("scaled")
    assert [Path(note.span.file).name for note in problem.notes if note.span] == ["two.dl", "three.dl"]


def test_configurations_of_one_name_in_two_imports(project: Path) -> None:
    base = "network Base(k: int):\n    input x: float[N]\n    output k * x\nnetwork Small = Base({})\n"
    files = {"main.dl": 'import "a.dl"\nimport "b.dl"\nnetwork A = Small\n'}
    (problem,) = mistakes(written(project, {**files, "a.dl": base.format(1), "b.dl": base.format(2)}))
    assert (problem.code, problem.span and problem.span.line) == ("E0204", 3)


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({"main.dl": 'import "lib.dl"\n' + USE, "lib.dl": 'import "main.dl"\n' + TWICE}, "E0207", "main.dl -> lib.dl"),
        ({"main.dl": 'import "main.dl"\n' + USE}, "E0207", "main.dl -> main.dl"),
        ({"main.dl": 'import "../up.dl"\n' + USE}, "E0206", "leaves the project"),
        ({"main.dl": 'import "/etc/hosts"\n' + USE}, "E0206", "leaves the project"),
        ({"main.dl": 'import "link.dl"\n' + USE}, "E0206", "leaves the project"),
        ({"main.dl": 'import "gone.dl"\n' + USE}, "E0120", "does not exist"),
        ({"main.dl": 'import "folder"\n' + USE, "folder/lib.dl": TWICE}, "E0120", "is a directory"),
        ({"main.dl": 'import "a\\x00b.dl"\n' + USE}, "E0120", "no file has such a name"),
        ({"main.dl": 'import "lib.dl"\n' + USE, "lib.dl": ""}, "E0121", "is empty"),
        ({"main.dl": 'import "lib.dl"\n' + USE, "lib.dl": " \n\n"}, "E0121", "is empty"),
        ({"main.dl": 'import "lib.dl"\n' + USE, "lib.dl": "block b:\n    input x: float[N\n"}, "E0106", "never closed"),
        ({"main.dl": "import std.conv\n" + TWICE + USE}, "E0205", "no module"),
        ({"main.dl": "import numpy\n" + TWICE + USE}, "E0205", "no module"),
    ],
)
def test_mistakes_show_their_line(project: Path, files: Mapping[str, str], code: str, words: str) -> None:
    """What goes wrong while loading is shown with its place and the line of text there."""
    (project / "link.dl").symlink_to("/etc/hosts")
    path = written(project, files)
    (problem,) = mistakes(path)
    assert problem.code == code
    assert problem.span is not None
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        assert main(["check", str(path)]) in (1, 2)
    shown = err.getvalue()
    line = Path(problem.span.file).read_text(encoding="utf-8").splitlines()[problem.span.line - 1]
    assert words in shown
    assert f"{problem.span.line} | {line}" in shown


def test_all_files_mistakes_are_told_at_once(project: Path) -> None:
    text = 'import "gone.dl"\nimport "/etc/hosts"\nimport "bad.dl"\n' + TWICE + USE
    found = mistakes(written(project, {"main.dl": text, "bad.dl": "block b:\n    input x float[N]\n"}))
    assert [d.code for d in found][:2] == ["E0120", "E0206"]
    assert found[2].span is not None
    assert found[2].span.file.endswith("bad.dl")


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "# nothing\n"])
def test_an_empty_file(project: Path, text: str) -> None:
    (problem,) = mistakes(written(project, {"main.dl": text}))
    assert problem.code == "E0121"


@pytest.mark.parametrize("text", ['"""Only words."""\n', TWICE, "import std.linear\n"])
def test_a_file_without_networks(project: Path, text: str) -> None:
    path = written(project, {"main.dl": text})
    assert elaborate(load_project(path)).unit.networks == ()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["check", str(path)]) == 0
    assert "no networks" in out.getvalue()
