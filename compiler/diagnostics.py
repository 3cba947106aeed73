"""Diagnostics: values with a code, a place, what was found and what was expected.

A diagnostic is data. `dlc.render` turns it into text for people, `--json` into JSON.
Codes are stable: E01xx text and syntax, E02xx names, E03xx calls and arguments, E04xx shapes and types, E05xx
compile-time values and limits, E06xx blocks, states and scans, E07xx backends, E08xx weights and runs, E09xx the
command line and the Python API; W.... warnings, by the same subjects.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlc.spec.record import record
from dlc.spec.source import Span


@record
class Note:
    """A second place that matters, with a word on why."""

    message: str
    span: Span | None = None


@record
class Diagnostic:
    """One mistake in what the user gave us.

    `found` and `expected` are short phrases; `hint` is given only when it is right.
    `notes` hold other places (where a dimension was bound, the chain of calls into a standard block).
    """

    code: str
    message: str
    span: Span | None = None
    found: str | None = None
    expected: str | None = None
    hint: str | None = None
    notes: tuple[Note, ...] = ()

    @property
    def severity(self) -> str:
        return "warning" if self.code.startswith("W") else "error"


class DlcError(Exception):
    """Raised with one or more diagnostics; caught at the rim (`dlc.cli`, `dlc.api`).

    `exit_code`: 1 the spec is wrong or backends disagree, 2 wrong usage, 3 a backend is missing or crashed.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic] = (), exit_code: int = 1) -> None:
        super().__init__(diagnostics, exit_code)
        self.diagnostics, self.exit_code = diagnostics, exit_code

    def __str__(self) -> str:
        return "\n".join(map(_plain_text, self.diagnostics))


def _plain_text(d: Diagnostic) -> str:
    """For a Python traceback, which has no source lines to show."""
    first = f"{d.span}: {d.code}: {d.message}" if d.span else f"{d.code}: {d.message}"
    rest = (("found", d.found), ("expected", d.expected), ("hint", d.hint))
    return "\n".join([first, *(f"  {label}: {text}" for label, text in rest if text)])


def error(
    code: str,
    message: str,
    span: Span | None = None,
    *,
    found: str | None = None,
    expected: str | None = None,
    hint: str | None = None,
    notes: Sequence[Note] = (),
    exit_code: int = 1,
) -> DlcError:
    """A DlcError with one diagnostic, ready to be raised."""
    return DlcError((Diagnostic(code, message, span, found, expected, hint, tuple(notes)),), exit_code)


def did_you_mean(name: str, known: Sequence[str]) -> str | None:
    """A hint that names the closest known word, or None where nothing is close; case and `_` don't count."""
    import difflib

    plain = {_plain(word): word for word in reversed(known)}
    if _plain(name) in plain:
        return f"did you mean `{plain[_plain(name)]}`?"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean `{close[0]}`?" if close else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "")
