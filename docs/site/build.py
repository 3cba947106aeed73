"""Builds the documentation site: `python docs/site/build.py [FOLDER]` (default `build/site`). Needs `dlc[docs]`.

The pages of `docs/*.md` as they stand, and generated ones for each family of ops and each file of the standard library.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
from pathlib import Path

import library_pages
import op_pages
from dlc.ops import FAMILIES

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent
#: `[text](../compiler/api.py)`, `[examples](examples)`: what is no page.
_FENCE = re.compile(r"^```dl\b.*\n", re.MULTILINE)
_SOURCE_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#|[\w-]+\.md)[^)]*\)")


def write_pages(folder: Path) -> None:
    """All pages as Markdown, as mkdocs wants them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for page in DOCS.glob("*.md"):
        _copy(page, folder / page.name)
    shutil.copytree(DOCS / "pictures", folder / "pictures")
    _copy(ROOT / "README.md", folder / "index.md")
    _copy(ROOT / "CHANGELOG.md", folder / "changelog.md")
    for name, pages in (("ops", op_pages.pages()), ("library", library_pages.pages())):
        (folder / name).mkdir()
        for file, text in pages.items():
            (folder / name / file).write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    """Links of the root's pages into `docs/` become links between pages, those to sources words."""
    text = source.read_text(encoding="utf-8").replace("](docs/", "](")
    # Highlighted as Python, which .dl resembles; the words behind a fence are for the tests of the page.
    text = _FENCE.sub("```python\n", text)
    target.write_text(_SOURCE_LINK.sub(r"\1", text), encoding="utf-8")


def navigation(folder: Path) -> list[object]:
    """The pages in the order in which they are read."""
    tutorials = ["first-network", "own-cell", "own-graph-layer", "from-paper-to-spec"]
    return [
        {"dlc": "index.md"},
        {"Tutorials": [f"tutorial-{name}.md" for name in tutorials]},
        {"Language": ["language.md", "yaml.md", "errors.md"]},
        {"Standard library": [f"library/{page.name}" for page in sorted((folder / "library").glob("*.md"))]},
        {"Operations": [f"ops/{family}.md" for family in FAMILIES]},
        {"Tools": ["verify.md", "summary.md", "graph.md"]},
        {"Making dlc": ["design.md", "adding-a-layer.md", "adding-an-op.md", "adding-a-backend.md", "changelog.md"]},
    ]


def main(arguments: list[str]) -> None:
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    site = Path(arguments[0] if arguments else ROOT / "build" / "site").resolve()
    pages = site.with_name(site.name + "_pages")
    write_pages(pages)
    settings = str(Path(__file__).parent / "mkdocs.yml")
    nav = navigation(pages)
    build(load_config(settings, docs_dir=str(pages), site_dir=str(site), nav=nav, strict=True))
    print(f"the site is in {site}/index.html")


if __name__ == "__main__":
    main(sys.argv[1:])
