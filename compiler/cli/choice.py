"""The options that choose what of a file is meant: --network, --set, --dim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlc.diagnostics import DlcError, error
from dlc.networks import Choice

_LARGEST = 10**9


def choice_of(options: Any) -> Choice:
    """Raises DlcError (E0901) for a setting that is no `name=value`, a size that is none, or a name given twice."""
    settings = dict(_pairs("--set", options.settings))
    sizes = {name: _size(name, text) for name, text in _pairs("--dim", options.dims)}
    return Choice(options.network, settings, sizes)


def _pairs(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier() or not value.strip():
            raise _wrong(f"{option} takes a name and a value", f"`{text}`", f"{option} name=value")
        if name in dict(pairs):
            raise _wrong(f"{option} gives `{name}` twice", f"{dict(pairs)[name]} and {value}", "one value")
        pairs.append((name, value))
    return pairs


def _size(name: str, text: str) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.isdigit() or not 0 < len(digits) < 12 or not 0 < int(digits) <= _LARGEST:
        raise _wrong(f"--dim gives `{name}` no size", f"`{text}`", "a whole number from 1 up")
    return int(digits)


def _wrong(message: str, found: str, expected: str) -> DlcError:
    return error("E0901", message, found=found, expected=expected, exit_code=2)
