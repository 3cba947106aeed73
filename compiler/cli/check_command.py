"""`dlc check FILE...`."""

from __future__ import annotations

from typing import Any

from dlc.api import load
from dlc.cli.choice import choice_of
from dlc.cli.show import print_json, show_all
from dlc.diagnostics import Diagnostic, DlcError
from dlc.networks import Elaborated
from dlc.render import to_json


def run(options: Any) -> int:
    """Reads every file; all mistakes and warnings of all files are shown in one run. Warnings are no mistakes, but
    with --strict."""
    choice = choice_of(options)
    problems: list[Diagnostic] = []
    code = 0
    for path in options.files:
        try:
            file = load(path)
            found = file.elaborate(choice)
            warnings = [*file.warnings, *found.warnings]
        except DlcError as problem:
            problems += problem.diagnostics
            code = max(code, problem.exit_code)
            continue
        problems += warnings
        code = max(code, 1 if warnings and options.strict else 0)
        if not options.json:
            print(f"{path}: {_words(found, len(warnings))}")
    if options.json:
        print_json({"exit_code": code, "diagnostics": [to_json(d) for d in problems]})
    else:
        show_all(problems)
    return code


def _words(found: Elaborated, warnings: int) -> str:
    parts = [
        _count(len(found.unit.networks), "network"),
        _count(len(found.templates), "template"),
        _count(len(found.trains), "train section"),
    ]
    what = ", ".join(part for part in parts if part) if any(parts) else "no networks"
    return f"{what}: {_count(warnings, 'warning') or 'all right'}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
