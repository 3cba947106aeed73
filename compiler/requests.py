"""What the Python API is asked for, checked before anything is done. All raise DlcError (E0903, exit code 2)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dlc.diagnostics import DlcError, did_you_mean, error

PRECISIONS = ("f32", "f16", "bf16", "f64")
MODES = ("inference", "training")
LARGEST_SIZE = 10**9


class NoSuchNetworkError(DlcError, KeyError):
    """`file["Missing"]`: a DlcError, and a KeyError as of any mapping."""


def check_precision(precision: object) -> None:
    _one_of("precision", precision, PRECISIONS)


def check_path(path: object) -> None:
    if not isinstance(path, str | os.PathLike):
        raise _wrong("a spec is given by its path", path, "a text or a `Path`")


def check_backend(backend: object) -> None:
    """Its type: `find_backend` tells an unknown name."""
    if not isinstance(backend, str):
        raise _wrong("a backend is given by its name", backend, "for instance `torch`")


def checked_modes(modes: str | Sequence[str]) -> tuple[str, ...]:
    """A tuple of modes; one may stand by itself."""
    given = (modes,) if isinstance(modes, str) else tuple(modes)
    for mode in given:
        _one_of("mode", mode, MODES)
    return given


def checked_natives(natives: bool | Sequence[bool]) -> tuple[bool, ...]:
    """A tuple of settings; one may stand by itself."""
    return (natives,) if isinstance(natives, bool) else tuple(natives)


def check_seed(seed: object) -> None:
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise _wrong("a seed is a whole number from 0 up", seed, "for instance `seed=0`")


def check_sizes(sizes: Mapping[str, object]) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_SIZE:
            raise _wrong(f"`{name}` is given no size", size, f"a whole number from 0 to {LARGEST_SIZE}")


def setting_text(value: object) -> str:
    """A Python value as an expression of the language; text stands for itself (`unit="bottleneck"`)."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of NumPy's
        value = getattr(value, "item")()  # noqa: B009
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        items: Sequence[object] = value
        return f"[{', '.join(map(setting_text, items))}]"
    if isinstance(value, str):
        return value
    raise _wrong(
        "this is no value of a hyperparameter", value, "a number, a truth value, a list, or text of the language"
    )


def no_such_network(name: object, file: str, known: Sequence[str]) -> NoSuchNetworkError:
    hint = did_you_mean(name, known) if isinstance(name, str) else None
    made = error("E0203", f"there is no network `{name}` in {file}", found=", ".join(known) or "no networks", hint=hint)
    return NoSuchNetworkError(made.diagnostics, 2)


def _one_of(what: str, given: object, known: Sequence[str]) -> None:
    if given not in known:
        hint = did_you_mean(given, known) if isinstance(given, str) else None
        raise _wrong(f"there is no {what} {given!r}", given, ", ".join(known), hint)


def _wrong(message: str, found: Any, expected: str, hint: str | None = None) -> DlcError:
    return error("E0903", message, found=repr(found)[:80], expected=expected, hint=hint, exit_code=2)
