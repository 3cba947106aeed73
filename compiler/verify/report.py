"""What `verify` found: data, with two renderings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.verify.compare import OutputReport
    from rich.table import Table

AGREES, DISAGREES, INCONCLUSIVE, SKIPPED, FAILED = "agrees", "disagrees", "inconclusive", "skipped", "failed"
_STYLE = {AGREES: "green", DISAGREES: "bold red", INCONCLUSIVE: "yellow", SKIPPED: "dim", FAILED: "bold red"}


@dataclass(frozen=True, slots=True)
class Cause:
    """The first equation whose result differs: its module and number, its op, its source, and what led there.

    `path` holds the instances from the network to the equation; `message` what is different.
    """

    module: str
    equation: int
    op: str
    span: Span
    path: tuple[str, ...]
    message: str
    #: Where the user's own file leads there, for an equation of the standard library.
    caller: Span | None = None
    #: The stage of the backend that is at fault (`dlc.verify.stage`).
    stage: str = ""

    def __str__(self) -> str:
        where = f"{self.span}: " if self.span.line else ""
        where = f"{self.caller}: in {where}" if self.caller is not None else where
        inside = f" in {'.'.join(self.path)}" if self.path else ""
        return f"{where}`{self.op}`{inside} ({self.module}, equation {self.equation}) differs first: {self.message}"


@dataclass(frozen=True, slots=True)
class Case:
    """One network on one backend, in one mode and size. `outputs` is empty where nothing ran."""

    network: str
    backend: str
    mode: str
    natives: bool
    sizes: tuple[tuple[str, int], ...]
    status: str
    outputs: tuple[OutputReport, ...] = ()
    message: str = ""
    detail: str = ""
    cause: Cause | None = None
    seconds: float = 0.0
    #: What this case means for the exit code of the command.
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All cases of one `verify`."""

    cases: tuple[Case, ...]

    @property
    def agreed(self) -> bool:
        return all(case.status in (AGREES, SKIPPED) for case in self.cases)

    @property
    def exit_code(self) -> int:
        """0: all agree; 1: something disagrees or is inconclusive; 3: a backend is missing or crashed."""
        return max((case.exit_code for case in self.cases), default=0)

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers that JSON lacks become text ("inf")."""
        return {"agreed": self.agreed, "exit_code": self.exit_code, "cases": [_case(case) for case in self.cases]}

    def table(self) -> Table:
        """One row per case, for a terminal."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for title in ("network", "backend", "mode", "sizes", "output", "error", "tolerance", ""):
            table.add_column(title, justify="right" if title in ("error", "tolerance") else "left")
        for case in self.cases:
            sizes = " ".join(f"{name}={size}" for name, size in case.sizes)
            backend = case.backend if case.natives else f"{case.backend} (no natives)"
            worst = worst_output(case)
            shown = (worst.name, f"{worst.error:.1e}", f"{worst.tolerance:.1e}") if worst is not None else ("", "", "")
            status = f"[{_STYLE[case.status]}]{case.status}[/]"
            table.add_row(case.network, backend, case.mode, sizes, *map(escape, shown), status)
        return table

    def problems(self) -> list[str]:
        """One text per case that does not agree: what is wrong, output by output, and its cause."""
        return [problem_text(case) for case in self.cases if case.status != AGREES]


def worst_output(case: Case) -> OutputReport | None:
    """The output that is farthest beyond (or nearest to) its tolerance."""
    order = {DISAGREES: 2, INCONCLUSIVE: 1}
    return max(
        case.outputs,
        key=lambda output: (order.get(output.verdict, 0), output.error / (output.tolerance or 1.0)),
        default=None,
    )


def problem_text(case: Case) -> str:
    """A case that does not agree, in words."""
    head = f"{case.network} on {case.backend} ({case.mode}): {case.status}"
    lines = [f"{head}: {case.message}" if case.message else head]
    for output in case.outputs:
        if output.verdict != AGREES:
            numbers = f"error {output.error:.1e}, tolerance {output.tolerance:.1e}"
            lines.append(f"  {output.name}: {output.verdict}: {output.message} ({numbers})")
    if case.cause is not None:
        lines.append(f"  {case.cause}")
    if case.detail:
        lines += [f"  | {line}" for line in case.detail.splitlines()]
    return "\n".join(lines)


def _case(case: Case) -> dict[str, Any]:
    return {
        "network": case.network,
        "backend": case.backend,
        "mode": case.mode,
        "natives": case.natives,
        "sizes": dict(case.sizes),
        "status": case.status,
        "message": case.message,
        "detail": case.detail,
        "seconds": round(case.seconds, 3),
        "outputs": [
            {
                "name": output.name,
                "verdict": output.verdict,
                "error": _number(output.error),
                "noise": _number(output.noise),
                "tolerance": _number(output.tolerance),
                "message": output.message,
                "where": None if output.where is None else list(output.where),
            }
            for output in case.outputs
        ],
        "cause": None if case.cause is None else _cause(case.cause),
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "module": cause.module,
        "equation": cause.equation,
        "op": cause.op,
        "file": cause.span.file,
        "line": cause.span.line,
        "column": cause.span.column,
        "path": list(cause.path),
        "caller": None if cause.caller is None else str(cause.caller),
        "stage": cause.stage,
        "message": cause.message,
    }


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
