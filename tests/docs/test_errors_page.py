"""The pages of diagnostics: every code that the source raises has one, each with an example that gives the code."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dlc as library
import numpy as np
import pytest
from command_line import EXAMPLES, dlc
from dlc.explain import Page, all_pages, document
from doc_snippets import DOCS, Snippet, snippets, whole_file

ROOT = DOCS.parent
CODE = re.compile(r"[EW]\d{4}")
COMMAND = re.compile(r"```shell (?P<code>[EW]\d{4})\n\$ (?P<command>.*)\n```")
#: Codes without an example: what no small spec shows, or only a fault of a framework or of dlc does.
WITHOUT = {
    "E0107", "E0512", "E0590", "E0591", "E0702", "E0703", "E0704", "E0705", "E0706", "E0708", "E0709", "E0710",
    "E0804", "E0805", "E0806", "E0808", "E0811", "E0815", "E0903",
}  # fmt: skip
PAGES = all_pages()
COMMANDS = [(page.code, match["command"]) for page in PAGES for match in COMMAND.finditer(page.text)]


@cache
def raised() -> dict[str, list[Path]]:
    """Codes that stand as a whole string in the source (docstrings only mention them), and where."""
    found: dict[str, list[Path]] = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(node.value, []).append(path.relative_to(ROOT))
    return found


def _sources() -> Iterator[Path]:
    for folder in ("spec", "compiler", "backends"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_every_code_has_one_page_and_none_else() -> None:
    listed = [page.code for page in PAGES]
    source = raised()
    assert {code: source[code] for code in source.keys() - set(listed)} == {}, "has no page in compiler/explain"
    assert set(listed) - source.keys() == set(), "has a page, but is never raised"
    assert len(listed) == len(set(listed))


def test_docs_errors_is_made_of_the_pages() -> None:
    made = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert made == document(), "run `python -m dlc.explain` at the project's root"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.code)
def test_a_page_has_an_example_and_says_how_to_mend_it(page: Page) -> None:
    assert "**Mend:** " in page.text
    examples = re.findall(r"```(?:dl-error|dl-warning|shell) (\w+)", page.text)
    assert examples == ([] if page.code in WITHOUT else [page.code])


def test_codes_that_pages_mention_exist() -> None:
    known = raised().keys()
    for page in DOCS.glob("*.md"):
        mentioned = set(CODE.findall(page.read_text(encoding="utf-8")))
        assert mentioned <= known, page.name
        for snippet in snippets(page, "dl-error"):
            assert snippet.arguments, f"{snippet}: which code?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples on the command line name."""
    root = tmp_path_factory.mktemp("examples")
    shutil.copy(EXAMPLES / "lenet.dl", root / "lenet.dl")
    block = "block twice:\n    input x: float[N]\n    output 2 * x\n"
    network = "network A:\n    input x: float[N]\n    output x -> twice\n"
    files: dict[str, str | bytes] = {
        "dlc.toml": "",
        "empty.dl": "# to be done\n",
        "latin1.dl": "# Größe\n".encode("latin-1"),
        "broken.yaml": "networks:\n  A:\n    inputs: {x: float[N, 64]}\n",
        "layers.yaml": "networks:\n  A:\n    layers:\n      - dense\n",
        "one.dl": block,
        "other.dl": block,
        "two_imports.dl": f'import "one.dl"\nimport "other.dl"\n\n{network}',
        "circle.dl": f'import "back.dl"\n\n{network}',
        "back.dl": f'import "circle.dl"\n\n{block}',
        "unused_import.dl": f'import "one.dl"\n\n{network.replace("twice", "relu")}',
        "hidden_import.dl": f'import "one.dl"\n\n{block}\n{network}',
        "comments.yaml": "# twice\nnetworks:\n  A:\n    inputs: {x: 'float[N]'}\n    body:\n      - output: 2 * x\n",
        "nothing.dl": "network A:\n    input k: int[N] in 5..5\n    output k + 1\n",
        "unbounded.dl": (
            "network A:\n    input h: float[V, 8]\n    input edges: int[2, E]\n    output gcn_layer(8)(h, edges)\n"
        ),
    }
    for name, text in files.items():
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    np.savez(root / "wrong.npz", image=np.zeros((1, 3, 32, 32)))
    (root / "sub").mkdir()
    (root / "sub" / "lenet.dl").write_text((root / "lenet.dl").read_text().replace("10", "11"))
    assert dlc("compile", root / "sub" / "lenet.dl", "--backend", "torch", "-o", root / "taken").code == 0
    assert dlc("weights", root / "sub" / "lenet.dl", "-o", root / "other.safetensors").code == 0
    return root


@pytest.mark.parametrize(("code", "command"), COMMANDS, ids=[code for code, _ in COMMANDS])
def test_a_command_gives_its_code(code: str, command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = dlc(*command.removeprefix("dlc ").split())
    assert done.code != 0
    assert set(re.findall(r"^(?:error|warning)\[(\w+)\]", done.err, re.MULTILINE)) == {code}, done.err


@pytest.mark.parametrize("snippet", snippets(DOCS / "errors.md", "dl-warning"), ids=str)
def test_a_warning_is_told(snippet: Snippet, tmp_path: Path) -> None:
    path = tmp_path / "snippet.dl"
    path.write_text(whole_file(snippet, ()), encoding="utf-8")
    file = library.load(path)
    assert [w.code for w in (*file.warnings, *file.elaborate().warnings)] == list(snippet.arguments)
