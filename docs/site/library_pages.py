"""A page for each file of the standard library: every block with its meaning, its text, and what an example becomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dlc.passes.resolve import standard_library
from dlc.spec import syntax
from dlc.spec.parser import parse
from dlc.spec.print_statements import declaration_lines
from dlc.spec.source import Source
from side_by_side import compiled, fenced, tabs

DOCS = Path(__file__).parent.parent
EXAMPLES = DOCS / "library"


def pages() -> dict[str, str]:
    """Markdown by file name."""
    return {f"{Path(name).stem}.md": _page(source) for name, source in standard_library().sources.items()}


def network_of(block: str) -> str:
    """The name of a block's example: `conv2d` -> `Conv2dExample`."""
    return "".join(part[:1].upper() + part[1:] for part in block.split("_")) + "Example"


def example(file: str, block: str) -> str:
    """The text of a block's example. Raises KeyError where it has none."""
    source = Source(file, (EXAMPLES / file).read_text(encoding="utf-8"))
    networks = {d.name: d for d in parse(source).declarations}
    return "\n".join(declaration_lines(networks[network_of(block)])) + "\n"


def _page(source: Source) -> str:
    spec = parse(source)
    parts = [f"# `{source.name}`\n\n{spec.doc or ''}\n"]
    file = Path(source.name).name
    parts += [_section(file, one) for one in spec.declarations if isinstance(one, syntax.Block)]
    return "\n".join(parts)


def _section(file: str, block: syntax.Block) -> str:
    text = example(file, block.name)
    source = "\n".join(declaration_lines(block))
    return (
        f"## {block.name}\n\n{fenced(_signature(block), 'python')}\n{block.doc or ''}\n\n"
        f"{fenced(text, 'python')}\n{tabs(compiled(text))}\n"
        f'??? note "Its text"\n\n' + "".join(f"    {line}\n" for line in fenced(source, "python").splitlines()) + "\n"
    )


def _signature(block: syntax.Block) -> str:
    """The header, and what goes in and out."""
    shown = (syntax.Input, syntax.State, syntax.Output)
    only = replace(block, doc=None, body=tuple(s for s in block.body if isinstance(s, shown)))
    return "\n".join(declaration_lines(only))
