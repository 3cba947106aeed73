"""The command line. `main` is the rim: nothing that goes wrong below it reaches the user as a traceback.

Exit codes: 0 done and agreed; 1 the spec is wrong or backends disagree; 2 wrong usage; 3 a backend is missing or
crashed; 70 a fault in dlc; 130 interrupted; 141 the reader of the output is gone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

INTERNAL, INTERRUPTED, PIPE = 70, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code."""
    from dlc.cli.options import parse
    from dlc.diagnostics import DlcError

    given = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parse(given)
        if options is None:
            return 0
        code = _run(options.command, options)
        sys.stdout.flush()
        return code
    except DlcError as problem:
        return _guarded(problem, given)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at exit; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return PIPE
    except Exception as problem:
        return _internal(problem)


def _run(command: str, options: object) -> int:
    from importlib import import_module

    return import_module(f"dlc.cli.{command}_command").run(options)


def _guarded(problem: object, given: Sequence[str]) -> int:
    """Shows diagnostics: as JSON on standard output with --json, else as text on standard error."""
    from dlc.cli.show import show_error
    from dlc.diagnostics import DlcError

    assert isinstance(problem, DlcError)
    try:
        show_error(problem, given)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return problem.exit_code


def _internal(problem: Exception) -> int:
    if os.environ.get("DLC_DEBUG"):
        import traceback

        traceback.print_exc()
        return INTERNAL
    text = " ".join(str(problem).split())[:200]
    print(f"dlc: a fault in dlc itself: {type(problem).__name__}: {text}", file=sys.stderr)
    print("Please report it with the spec; DLC_DEBUG=1 shows where it happened.", file=sys.stderr)
    return INTERNAL
