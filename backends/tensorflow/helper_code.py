"""The helper functions of `helpers.py` as code, read as text: importing them would import TensorFlow."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def helper_functions() -> dict[str, ast.FunctionDef]:
    """All helpers by name, in the file's order."""
    return {node.name: node for node in ast.parse(_source()).body if isinstance(node, ast.FunctionDef)}


def helper_text(word: str) -> str:
    """A helper as it stands in the file."""
    text = ast.get_source_segment(_source(), helper_functions()[word])
    assert text is not None
    return text + "\n"


@lru_cache(maxsize=1)
def _source() -> str:
    return Path(__file__).with_name("helpers.py").read_text(encoding="utf-8")


def with_needed(names: set[str]) -> list[ast.FunctionDef]:
    """The named helpers and those that they call, callees first as far as the file has them so."""
    functions = helper_functions()
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        word = waiting.pop()
        if word in needed:
            continue
        needed.add(word)
        inside = {node.id for node in ast.walk(functions[word]) if isinstance(node, ast.Name)}
        waiting.extend(sorted(inside & functions.keys()))
    return [functions[word] for word in functions if word in needed]
