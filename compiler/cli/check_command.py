"""`dlc check FILE...`."""

from __future__ import annotations

from typing import Any

from dlc.api import load
from dlc.cli.choice import choice_of
from dlc.cli.show import print_json
from dlc.diagnostics import Diagnostic, DlcError
from dlc.networks import Elaborated


def run(options: Any) -> int:
    """Reads every file; all mistakes of all files are shown in one run."""
    choice = choice_of(options)
    problems: list[Diagnostic] = []
    code = 0
    for path in options.files:
        try:
            found = load(path).elaborate(choice)
        except DlcError as problem:
            problems += problem.diagnostics
            code = max(code, problem.exit_code)
            continue
        if not options.json:
            print(f"{path}: {_words(found)}")
    if problems:
        raise DlcError(tuple(problems), code)
    if options.json:
        print_json({"exit_code": 0, "diagnostics": []})
    return 0


def _words(found: Elaborated) -> str:
    parts = [
        _count(len(found.unit.networks), "network"),
        _count(len(found.templates), "template"),
        _count(len(found.trains), "train section"),
    ]
    return ", ".join(part for part in parts if part) + ": all right" if any(parts) else "no networks: all right"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
