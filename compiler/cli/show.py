"""Diagnostics on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dlc.diagnostics import Diagnostic, DlcError
from dlc.render import render_all, to_json
from dlc.spec.source import Source


def show_error(problem: DlcError, given: Sequence[str]) -> None:
    """All diagnostics of one run, with the source lines that they are about."""
    if "--json" in given:
        print_json({"exit_code": problem.exit_code, "diagnostics": [to_json(d) for d in problem.diagnostics]})
        sys.stdout.flush()
        return
    sys.stdout.flush()
    _write(problem.diagnostics, sources_of(problem.diagnostics, given))


def show_all(diagnostics: Sequence[Diagnostic]) -> None:
    """Diagnostics on standard error, mistakes before warnings."""
    if diagnostics:
        ordered = sorted(diagnostics, key=lambda d: d.severity != "error")
        sys.stdout.flush()
        _write(ordered, sources_of(ordered))


def _write(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source]) -> None:
    """As the terminal has it: in its colours and width, with a word on where to read more."""
    terminal = sys.stderr.isatty()
    columns = _columns() if terminal else None
    sys.stderr.write(render_all(diagnostics, sources, color=wants_color(sys.stderr), columns=columns))
    codes = list(dict.fromkeys(d.code for d in diagnostics))
    if terminal and codes:
        sys.stderr.write(f"\n`dlc explain {' '.join(codes[:3])}` tells more\n")


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


class Told:
    """What a command says of its work: lines as they come or, with --json, one document at the end."""

    def __init__(self, *, json: bool) -> None:
        self.json, self.lines = json, list[str]()

    def say(self, line: str) -> None:
        if self.json:
            self.lines.append(line)
        else:
            print(line)

    def end(self, warnings: Sequence[Diagnostic] = (), code: int = 0) -> int:
        """Shows the warnings; gives the exit code."""
        if self.json:
            print_json({"exit_code": code, "diagnostics": [to_json(d) for d in warnings], "lines": self.lines})
        else:
            show_all(warnings)
        return code


def print_json(data: Any) -> None:
    import json

    print(json.dumps(data, indent=2, ensure_ascii=False))


def wants_color(stream: Any) -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def sources_of(diagnostics: Sequence[Diagnostic], given: Sequence[str] = ()) -> dict[str, Source]:
    """The texts that the spans name: files (read again, so that a file with a mistake has one too), --set values."""
    spans = [s for d in diagnostics for s in (d.span, *(n.span for n in d.notes)) if s is not None]
    found: dict[str, Source] = {}
    for name in {span.file for span in spans}:
        source = _source(name, given)
        if source is not None:
            found[name] = source
    return found


def _source(name: str, given: Sequence[str]) -> Source | None:
    from pathlib import Path

    from dlc.spec.loader import load

    if name.startswith("--set "):
        prefix = name.removeprefix("--set ") + "="
        values = [text.removeprefix("--set=").removeprefix(prefix) for text in given if prefix in text]
        return Source(name, values[-1]) if values else None
    if name.startswith("std/") and not Path(name).exists():
        from dlc.passes.resolve import standard_library

        return standard_library().sources.get(name)
    try:
        return load(name)
    except DlcError:
        return None
