"""The helpers of generated files as code, read as text: importing them would import TensorFlow."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: Files beside this one: functions that rules call, classes that natives make, functions that load weights.
FUNCTIONS, CLASSES, LOADING = "helpers.py", "layers.py", "loading.py"


@dataclass(frozen=True, slots=True)
class Helper:
    """A helper's text as it stands in its file; `names`: all that it reads."""

    name: str
    text: str
    names: frozenset[str]


@lru_cache(maxsize=3)
def helpers(file: str) -> Mapping[str, Helper]:
    """All helpers of a file by name, in the file's order."""
    source = Path(__file__).with_name(file).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    found: dict[str, Helper] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            text = "".join(lines[node.lineno - 1 : node.end_lineno])
            found[node.name] = Helper(node.name, text, _names(node))
    return found


def _names(node: ast.AST) -> frozenset[str]:
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def functions_for(names: set[str]) -> list[Helper]:
    """The helper functions among `names`, and those that they call, in the file's order."""
    known = helpers(FUNCTIONS)
    needed: set[str] = set()
    waiting = sorted(names & known.keys())
    while waiting:
        word = waiting.pop()
        if word not in needed:
            needed.add(word)
            waiting.extend(sorted(known[word].names & known.keys()))
    return [helper for word, helper in known.items() if word in needed]


def class_text(helper: Helper, package: str) -> str:
    """The class as a file registers it."""
    return f'@keras.saving.register_keras_serializable(package="{package}")\n{helper.text}'
