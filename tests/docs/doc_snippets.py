"""Code blocks of the documentation: found, completed to whole files, elaborated.

What a page may hold:

- ```` ```dl ````: a file, or part of a body (no `block`, `network`, `import` or `train` at its margin). A part
  of a body is put into a network with the inputs of `INPUTS` that it names. Blocks of earlier snippets are there.
- ```` ```dl blocks.dl ````: the same, and kept under that name for snippets that import it.
- ```` ```dl-error E0401 ````: a mistake, told with this code and no other.
- In a snippet, `output name = e  # : float[N, 64]` states a type, `# = [0.0, 1.0]` a value, and a line
  `# names: a.weight b.weight` all parameters of the snippet's last network, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dlc.networks import Elaborated, elaborate
from dlc.passes.resolve import load_project
from dlc.spec.source import Source
from dlc.spec.splitter import index

DOCS = Path(__file__).parents[2] / "docs"
INPUTS = {
    "x": "float[N, 64]",
    "image": "float[N, 3, 32, 32]",
    "tokens": "int[N, T] in 0..100",
    "sequence": "float[N, T, 64]",
    "valid": "bool[N, T]",
}
_FENCE = re.compile(r"^```(?P<language>[\w-]+)(?P<arguments>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_DECLARATION = re.compile(r"^(block|network|import|train)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Snippet:
    """One code block of a page: `line` is where its text starts."""

    page: str
    line: int
    language: str
    arguments: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def snippets(page: Path, *languages: str) -> list[Snippet]:
    """The code blocks of a page, in order; of all languages, or of those given."""
    text = page.read_text(encoding="utf-8")
    found = [
        Snippet(
            page.name,
            text.count("\n", 0, match.start("text")) + 1,
            match["language"],
            tuple(match["arguments"].split()),
            match["text"],
        )
        for match in _FENCE.finditer(text)
    ]
    return [snippet for snippet in found if not languages or snippet.language in languages]


def whole_file(snippet: Snippet, earlier: Iterable[Snippet]) -> str:
    """The snippet as a file that can be elaborated."""
    text = snippet.text if _DECLARATION.search(snippet.text) else _in_network(snippet.text)
    own = {chunk.name for chunk in index(Source(str(snippet), text))}
    prelude: dict[str, str] = {}
    for other in earlier:
        if other.language == "dl":
            for chunk in index(Source(str(other), other.text)):
                if chunk.kind == "block" and chunk.name not in own:
                    prelude[chunk.name] = chunk.text
    head, rest = ("", text)
    if text.startswith('"""'):
        end = text.index('"""', 3) + 4
        head, rest = text[:end], text[end:]
    return "\n".join([head, *prelude.values(), rest])


def _in_network(body: str) -> str:
    lines = ["network Snippet:"]
    declared = set(re.findall(r"^input (\w+)", body, re.MULTILINE))
    ends = not re.search(r"^output\b", body, re.MULTILINE)
    code = re.sub(r"#[^\n]*", "", body) + ("\nx" if ends else "")
    lines += [f"    input {n}: {t}" for n, t in INPUTS.items() if n not in declared and re.search(rf"\b{n}\b", code)]
    lines += [f"    {line}" if line.strip() else "" for line in body.splitlines()]
    return "\n".join([*lines, *(["    output x"] if ends else [])]) + "\n"


def elaborated(snippet: Snippet, folder: Path) -> Elaborated:
    """The snippet's networks, elaborated in `folder`. Raises DlcError with its mistakes."""
    page = snippets(DOCS / snippet.page, "dl")
    earlier = [other for other in page if other.line < snippet.line]
    for other in earlier:
        if other.arguments:
            (folder / other.arguments[0]).write_text(other.text, encoding="utf-8")
    (folder / "dlc.toml").touch()
    path = folder / (snippet.arguments[0] if snippet.language == "dl" and snippet.arguments else "snippet.dl")
    path.write_text(whole_file(snippet, earlier), encoding="utf-8")
    return elaborate(load_project(path))
