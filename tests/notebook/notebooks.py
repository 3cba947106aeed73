"""Runs a notebook's cells in this process: IPython without a kernel."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def shell(folder: Path) -> InteractiveShell:
    """An IPython that keeps nothing and prints no results."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.ipython_dir = str(folder)
    made = InteractiveShell(config=config)
    hook = made.displayhook
    hook.write_output_prompt = hook.write_format_data = hook.finish_displayhook = lambda *_, **__: None
    return made


def run(made: InteractiveShell, code: str) -> tuple[str, dict[str, Any]]:
    """What a cell prints, and its result by kind ("text/html", ...). Raises what the cell raises."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        done = made.run_cell(code)
    done.raise_error()
    if done.result is None:
        return printed.getvalue(), {}
    return printed.getvalue(), made.display_formatter.format(done.result)[0]


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def outputs(printed: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    """As a notebook file holds them; pictures and tables as their text, which is what changes are seen in."""
    found: list[dict[str, Any]] = []
    if printed:
        found.append({"name": "stdout", "output_type": "stream", "text": printed.splitlines(keepends=True)})
    if result:
        data = {kind: text.splitlines(keepends=True) for kind, text in result.items()}
        found.append({"data": data, "execution_count": None, "metadata": {}, "output_type": "execute_result"})
    return found
