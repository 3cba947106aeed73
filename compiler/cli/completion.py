"""Shell completion, through argcomplete: commands, options, files, and names out of the spec.

    eval "$(dlc completion bash)"

The shell runs `dlc` with `_ARGCOMPLETE` set, and `main` comes here. Nothing of this is imported otherwise.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

SHELLS = ("bash", "zsh", "fish")

#: Where options with a word for a value get it from.
_Completer = Callable[..., list[str]]


def complete(parser: argparse.ArgumentParser) -> None:
    """Answers the shell and ends the process, if it is the shell that asks."""
    import argcomplete

    attach(parser)
    argcomplete.autocomplete(parser, always_complete_options="long")


def attach(parser: argparse.ArgumentParser) -> None:
    """Says where the words for each option come from."""
    for action in _actions(parser):
        completer = _COMPLETERS.get(action.option_strings[-1] if action.option_strings else action.dest)
        if completer is not None:
            action.completer = completer


def script(shell: str) -> str:
    """What the shell has to run."""
    from argcomplete.shell_integration import shellcode

    return shellcode(["dlc"], shell=shell)


def _actions(parser: argparse.ArgumentParser) -> list[Any]:
    found: list[Any] = []
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):  # pyright: ignore[reportPrivateUsage]
            for name in dict.fromkeys(action.choices):
                found += _actions(action.choices[name])
    return found


def _specs(prefix: str, **_: Any) -> list[str]:
    from argcomplete.completers import FilesCompleter

    return list(FilesCompleter(("dl", "yaml", "yml"))(prefix))


def _networks(parsed_args: Any, **_: Any) -> list[str]:
    """Of the file that the line names already; none if it can't be read."""
    from dlc.api import load
    from dlc.diagnostics import DlcError

    files = getattr(parsed_args, "files", None) or [getattr(parsed_args, "file", None)]
    try:
        return [name for file in files if file for name in load(file).names]
    except (DlcError, OSError):
        return []


def _backends(prefix: str, **_: Any) -> list[str]:
    """Installed ones, and all; a list goes on after its last comma."""
    from importlib.metadata import entry_points

    before = prefix[: prefix.rfind(",") + 1]
    names = sorted(point.name for point in entry_points(group="dlc.backends"))
    return [before + name for name in (*names, "all")]


def _blocks(parsed_args: Any, **_: Any) -> list[str]:
    """Blocks of the file, and those of the standard library."""
    from dlc.api import load
    from dlc.diagnostics import DlcError
    from dlc.passes.resolve import standard_library

    try:
        own = list(load(parsed_args.file).project.scope.blocks) if parsed_args.file else []
    except (DlcError, OSError):
        own = []
    return ["all", *own, *standard_library().names()]


def _ops(**_: Any) -> list[str]:
    from dlc.ops import OPS

    return list(OPS)


_COMPLETERS: dict[str, _Completer] = {
    "file": _specs,
    "files": _specs,
    "name": _ops,
    "--network": _networks,
    "--backend": _backends,
    "--backends": _backends,
    "--expand": _blocks,
}
