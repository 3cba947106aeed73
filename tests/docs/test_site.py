"""The generated pages of the documentation: an example for each block and op, compiled side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_snippets import DOCS

sys.path.insert(0, str(DOCS / "site"))

import library_pages
import op_pages
from dlc.networks import elaborate
from dlc.ops import FAMILIES, OPS
from dlc.passes.resolve import load_project, standard_library
from dlc.verify.compare import AGREES
from dlc.verify.report import problem_text
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from side_by_side import BACKENDS

EXAMPLES = sorted((DOCS / "library").glob("*.dl"))
#: What is written as syntax (`x[0]`, numbers, sizes), or made by the compiler alone.
WITHOUT_CALL = {"slice", "constant", "dimension"}


@pytest.fixture(scope="module")
def library() -> dict[str, str]:
    return library_pages.pages()


def test_each_block_has_its_section(library: dict[str, str]) -> None:
    for name in standard_library().names():
        file, _ = standard_library().chunks[name]
        assert f"\n## {name}\n" in library[f"{Path(file).stem}.md"]


def test_each_file_of_examples_belongs_to_one_of_the_library(library: dict[str, str]) -> None:
    assert {path.stem for path in EXAMPLES} == {Path(page).stem for page in library}


def test_all_backends_stand_side_by_side(library: dict[str, str]) -> None:
    for text in library.values():
        assert {text.count(f'=== "{title}"') for title in BACKENDS} == {text.count("\n## ")}


@pytest.mark.parametrize("name", sorted(OPS.keys() - WITHOUT_CALL))
def test_each_op_has_an_example(name: str) -> None:
    found = op_pages.example(OPS[name])
    assert found is not None
    assert {"PyTorch", "TensorFlow", "ONNX"} == set(found[1])


def test_each_op_has_its_section() -> None:
    assert list(op_pages.pages()) == [f"{family}.md" for family in FAMILIES]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as found:
        yield found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_library_agrees_on_all_backends(path: Path, workers: Workers) -> None:
    check(path, Settings(modes=("inference",), sizes=1), workers)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_library_agrees_in_both_modes_with_natives_and_without(path: Path, workers: Workers) -> None:
    check(path, Settings(natives=(True, False)), workers)


def check(path: Path, settings: Settings, workers: Workers) -> None:
    report = verify(elaborate(load_project(path)).unit, ["torch", "tensorflow", "onnx"], settings, workers)
    wrong = [problem_text(case) for case in report.cases if case.status != AGREES]
    assert report.cases
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    import build

    build.main([str(tmp_path / "site")])
    assert (tmp_path / "site" / "library" / "attention.html").exists()
