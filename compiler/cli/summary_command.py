"""`dlc summary FILE`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Any

from dlc.api import deep_recursion, load
from dlc.backends.api import Network
from dlc.cli.choice import choice_of
from dlc.cli.show import print_json, wants_color
from dlc.diagnostics import error
from dlc.summary import Summary, batch_symbol, summarise
from dlc.summary.table import Line, lines

_WIDTH = 100  # columns where the output is no terminal
_STYLES = {"title": "\x1b[1m", "dim": "\x1b[2m", "rule": "\x1b[2m"}


def run(options: Any) -> int:
    found = load(options.file).elaborate(choice_of(options))
    with deep_recursion():
        summaries = [summarise(network, _sizes(network, options.batch)) for network in found.unit.networks]
    if options.json:
        print_json(
            {
                "file": options.file,
                "networks": [summary.to_json() for summary in summaries],
                "templates": [{"network": t.name, "missing": list(t.missing)} for t in found.templates],
                "trains": list(found.trains),
            }
        )
        return 0
    parts = [_text(summary, options) for summary in summaries]
    parts += [f"{t.name} is a template: it needs {', '.join(t.missing)}" for t in found.templates]
    print("\n\n".join(parts))
    return 0


def _sizes(network: Network, batch: int | None) -> dict[str, int]:
    if batch is None:
        return {}
    symbol = batch_symbol(network.inference.module(network.inference.entry))
    if symbol is not None:
        return {symbol: batch}
    raise error(
        "E0901",
        f"`{network.name}` has no dimension that is a batch",
        expected="one that leads every input and output",
        hint="--dim gives dimensions their sizes",
        exit_code=2,
    )


def _text(summary: Summary, options: Any) -> str:
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    shown = lines(summary, options.depth, options.expand, width)
    return "\n".join(_colored(shown) if wants_color(sys.stdout) else [line.plain for line in shown])


def _colored(shown: Sequence[Line]) -> list[str]:
    """Control characters are those of the terminal's, never the spec's: names hold none."""
    return [
        "".join(f"{_STYLES[style]}{text}\x1b[0m" if style else text for text, style in line.pieces).rstrip()
        for line in shown
    ]
