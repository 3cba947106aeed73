"""The pages of all codes: what each means, an example that gives it, and how to mend it.

The texts are the Markdown files beside this one, a file for each group, a section for each code. `dlc explain E0204`
shows a section; `python -m dlc.explain` writes docs/errors.md, which is all of them.
"""

from __future__ import annotations

import re
from pathlib import Path

from dlc.spec.record import record

FOLDER = Path(__file__).parent
GROUPS = ("text", "names", "calls", "shapes", "values", "blocks", "backends", "runs", "command_line", "warnings")

_SECTION = re.compile(r"^## (?P<code>[EW]\d{4}): (?P<title>.*)$", re.MULTILINE)


@record
class Page:
    """One code's section; `text` is Markdown, without the heading."""

    code: str
    title: str
    text: str


def pages(group: str) -> list[Page]:
    """The sections of one group, in order."""
    text = (FOLDER / f"{group}.md").read_text(encoding="utf-8")
    found = list(_SECTION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        Page(match["code"], match["title"], text[match.end() : end].strip())
        for match, end in zip(found, ends, strict=True)
    ]


def all_pages() -> list[Page]:
    return [page for group in GROUPS for page in pages(group)]


def plain(page: Page) -> str:
    """A section for the terminal: examples indented, no marks."""
    lines = [f"{page.code}: {page.title}", ""]
    inside = False
    for line in page.text.split("\n"):
        if line.startswith("```"):
            inside = not inside
        else:
            lines.append(f"    {line}".rstrip() if inside else line.replace("**Mend:**", "How to mend it:"))
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", "\n".join(lines)) + "\n"


def document() -> str:
    """All of it as one Markdown page."""
    parts = [(FOLDER / "intro.md").read_text(encoding="utf-8").rstrip()]
    for group in GROUPS:
        head = _SECTION.split((FOLDER / f"{group}.md").read_text(encoding="utf-8"), maxsplit=1)[0].strip()
        rows = [f"| [{page.code}](#{_anchor(page)}) | {page.title} |" for page in pages(group)]
        parts.append("\n".join([f"#{head}", "", "| code | what is wrong |", "|---|---|", *rows]))
        parts += [f"### {page.code}: {page.title}\n\n{page.text}" for page in pages(group)]
    return "\n\n".join(parts) + "\n"


def _anchor(page: Page) -> str:
    """As GitHub and most generators of sites make it of the heading."""
    return re.sub(r"[^\w\- ]", "", f"{page.code}: {page.title}".lower()).replace(" ", "-")
