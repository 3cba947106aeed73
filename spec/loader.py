"""Reads a .dl file."""

from __future__ import annotations

import os

from dlc.diagnostics import DlcError, error
from dlc.spec.source import Source, Span

MAX_BYTES = 2_000_000


def load(path: str, *, name: str | None = None) -> Source:
    """The text of the file at `path`, called `name` in diagnostics (the path if not given).

    UTF-8, with or without a byte-order mark; any line ends. Raises DlcError for a file that is missing, unreadable, a
    directory, too large, empty, or not text.
    """
    shown = name or path
    data = _read(path, shown)
    if not data.strip():
        raise empty(Source(shown, ""))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise error("E0122", f"{shown} is UTF-16", expected="UTF-8")
    if (zero := data.find(b"\0")) >= 0:
        raise error(
            "E0122", f"{shown} is not a text file", _at(data, zero, shown), found=f"a zero byte at offset {zero}"
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return Source(shown, data.decode("utf-8"))
    except UnicodeDecodeError as e:
        found = f"byte 0x{data[e.start]:02x} at offset {e.start}"
        raise error(
            "E0122", f"{shown} is not UTF-8", _at(data, e.start, shown), found=found, expected="text encoded as UTF-8"
        ) from None


def empty(source: Source) -> DlcError:
    """E0121: a file that declares nothing."""
    number = next((i for i, line in enumerate(source.lines, start=1) if line.strip()), None)
    span = Span(source.name, number, 1, number, len(source.line(number)) + 1) if number is not None else None
    found = "comments only" if span is not None else None
    return error("E0121", f"{source.name} is empty", span, found=found, expected="at least one block or network")


def _read(path: str, shown: str) -> bytes:
    try:
        if os.path.isdir(path):
            raise error("E0120", f"{shown} is a directory", expected="a .dl file", exit_code=2)
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _missing(path, shown) from None
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise error("E0120", f"cannot read {shown}: {reason}", exit_code=2) from None
    if len(data) > MAX_BYTES:
        raise error("E0120", f"{shown} is too large", expected=f"at most {MAX_BYTES} bytes", exit_code=2)
    return data


def _missing(path: str, shown: str) -> DlcError:
    from dlc.diagnostics import did_you_mean

    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        return error("E0120", f"{shown} does not exist: there is no folder {folder}", exit_code=2)
    files = [n for n in sorted(os.listdir(folder)) if n.endswith((".dl", ".yaml", ".yml"))]
    return error("E0120", f"{shown} does not exist", hint=did_you_mean(os.path.basename(path), files), exit_code=2)


def _at(data: bytes, offset: int, shown: str) -> Span:
    """The place of a byte: its line, and its column in bytes."""
    line = data.count(b"\n", 0, offset) + 1
    column = offset - (data.rfind(b"\n", 0, offset) + 1) + 1
    return Span(shown, line, column, line, column + 1)
