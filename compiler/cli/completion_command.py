"""`dlc completion SHELL`: what a shell has to run to complete `dlc`."""

from __future__ import annotations

from typing import Any

from dlc.cli.completion import script


def run(options: Any) -> int:
    print(script(options.shell))
    return 0
