"""Backends by name, from the entry-point group `dlc.backends`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from dlc.diagnostics import did_you_mean, error

GROUP = "dlc.backends"


@cache
def backend_names() -> tuple[str, ...]:
    """The names of all installed backends, in order."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def find_backend(name: str) -> Any:
    """The backend called `name`. Raises DlcError (E0701) where there is none, or where its package does not load."""
    for point in entry_points(group=GROUP):
        if point.name == name:
            try:
                return point.load()
            except (ImportError, AttributeError) as problem:
                raise error("E0701", f"the backend `{name}` does not load: {problem}", exit_code=3) from problem
    known = backend_names()
    raise error(
        "E0701",
        f"there is no backend `{name}`",
        expected=", ".join(known),
        hint=did_you_mean(name, known),
        exit_code=2,
    )


def missing_needs(backend: Any) -> str | None:
    """How to install what a backend's runner needs, None where all of it is there."""
    from importlib.util import find_spec

    # By module, not by distribution: `tensorflow-cpu` gives `tensorflow` too.
    return str(backend.install) if any(find_spec(need) is None for need in backend.needs) else None
