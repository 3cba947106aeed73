"""`dlc verify FILE...`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dlc.api import load, verify
from dlc.cli.choice import choice_of
from dlc.cli.show import print_json, wants_color
from dlc.diagnostics import Diagnostic, DlcError, error

if TYPE_CHECKING:
    from dlc.verify.compare import Array
    from dlc.verify.report import Report


def run(options: Any) -> int:
    """All files with one set of workers. A file with mistakes does not keep the others from being verified."""
    from dlc.verify.workers import Workers

    choice = choice_of(options)
    backends = _backends(options.backends)
    if options.optimize and backends is None:
        backends = ["onnx"]
    inputs = _inputs(options.inputs) if options.inputs else None
    problems: list[Diagnostic] = []
    reports: dict[str, Report] = {}
    code = 0
    with Workers() as workers:
        for path in options.files:
            try:
                reports[path] = verify(
                    load(path),
                    backends=backends,
                    network=choice.network,
                    settings=choice.settings,
                    sizes=choice.sizes,
                    inputs=inputs,
                    natives=(not options.no_natives,),
                    precision=options.precision,
                    seed=options.seed,
                    optimize=options.optimize,
                    workers=workers,
                )
            except DlcError as problem:
                problems += problem.diagnostics
                code = max(code, problem.exit_code)
                continue
            code = max(code, reports[path].exit_code)
            if not options.json:
                _show(path, reports[path])
    if options.json:
        _print_json(reports, problems, code)
        return code
    if problems:
        raise DlcError(tuple(problems), code)
    return code


def _backends(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise error("E0901", "--backends names no backend", found=f"`{text}`", exit_code=2)
    return names


def _inputs(path: str) -> dict[str, Array]:
    """The arrays of an .npz file. Raises DlcError (E0814) where it is none, or holds Python objects."""
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise error(
            "E0814",
            f"cannot read the inputs in {path}: {reason}",
            expected="arrays by name in an .npz file",
            exit_code=2,
        ) from problem


def _show(path: str, report: Report) -> None:
    from rich.console import Console

    console = Console(file=sys.stdout, no_color=not wants_color(sys.stdout), highlight=False)
    width = console.width if console.is_terminal else 160
    console.print(report.table(), width=width)
    for text in report.problems():
        console.print(text, markup=False, soft_wrap=True)
    count = len(report.cases)
    verdict = "all agree" if report.agreed else "NOT all agree"
    console.print(f"{path}: {count} comparison{'s' if count != 1 else ''}: {verdict}", markup=False, soft_wrap=True)


def _print_json(reports: dict[str, Report], problems: list[Diagnostic], code: int) -> None:
    from dlc.render import to_json

    files = [{"file": path, **report.to_json()} for path, report in reports.items()]
    print_json(
        {
            "exit_code": code,
            "agreed": not problems and all(report.agreed for report in reports.values()),
            "files": files,
            "diagnostics": [to_json(problem) for problem in problems],
        }
    )
