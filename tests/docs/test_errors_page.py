"""The table of diagnostic codes is what the source raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from doc_snippets import DOCS, snippets

ROOT = DOCS.parent
CODE = re.compile(r"[EW]\d{4}")
ROW = re.compile(r"^\| ([EW]\d{4}) \| (?P<what>[^|]+) \|", re.MULTILINE)


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


def test_every_code_is_listed_once_and_none_else() -> None:
    listed = [match[1] for match in ROW.finditer((DOCS / "errors.md").read_text(encoding="utf-8"))]
    source = raised()
    assert {code: source[code] for code in source.keys() - set(listed)} == {}, "not in docs/errors.md"
    assert set(listed) - source.keys() == set(), "listed, but never raised"
    assert listed == sorted(set(listed))


def test_codes_that_pages_mention_exist() -> None:
    known = raised().keys()
    for page in DOCS.glob("*.md"):
        mentioned = set(CODE.findall(page.read_text(encoding="utf-8")))
        assert mentioned <= known, page.name
        for snippet in snippets(page, "dl-error"):
            assert snippet.arguments, f"{snippet}: which code?"
