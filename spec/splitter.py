"""Splits a file at its top-level declarations without parsing it.

Each declaration is lexed and parsed by itself: a mistake in one leaves the others readable, and a standard-library file
parses only the blocks that are used.
"""

from __future__ import annotations

import re

from dlc.spec.record import record
from dlc.spec.source import Source


@record
class Chunk:
    """One declaration's text, from its first word to the next declaration.

    `kind`: head (what stands before the first declaration: the file's docstring), import, block, network or train.
    `name`: the declared name; empty for head and import. `start_line` counts from 1.
    """

    kind: str
    name: str
    file: str
    start_line: int
    text: str


_SKIP_OR_START = re.compile(
    r"""
      \"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z) | '''(?:\\.|[^\\])*?(?:'''|\Z)
    | "(?:\\[^\n]|[^"\\\n])*"? | '(?:\\[^\n]|[^'\\\n])*'?
    | \#[^\n]*
    | ^(?P<kind>block|network|train|import)\b(?![ ]*[=,])(?:[ \t]+(?P<name>[^\W\d]\w*))?
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def index(source: Source) -> list[Chunk]:
    """The chunks of a file in order; the first is its head."""
    text = source.text
    starts = [(m.start(), str(m["kind"]), m["name"] or "") for m in _SKIP_OR_START.finditer(text) if m["kind"]]
    chunks: list[Chunk] = []
    previous, kind, name, line = 0, "head", "", 1
    for position, next_kind, next_name in [*starts, (len(text), "", "")]:
        chunks.append(Chunk(kind, "" if kind == "import" else name, source.name, line, text[previous:position]))
        line += text.count("\n", previous, position)
        previous, kind, name = position, next_kind, next_name
    return chunks
