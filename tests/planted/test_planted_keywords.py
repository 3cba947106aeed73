"""Native layers made without one of their arguments, or without a weight: `verify` sees it, or it is said why not."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dlc.backends.onnx.natives import Native as OnnxNative
from dlc.verify.report import AGREES, DISAGREES, FAILED
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from native_specs import INSIDE, NOT_RUN, unit_of
from wrong_natives import TABLES, block_of

#: Arguments that `verify` need not miss, by name, and why.
BLIND = {
    "name": "what a layer is called has no meaning",
    "kernel_initializer": "all weights come from the file: initial values are not compared",
    "bias_initializer": "all weights come from the file: initial values are not compared",
    "embeddings_initializer": "all weights come from the file: initial values are not compared",
    "beta_initializer": "all weights come from the file: initial values are not compared",
    "gamma_initializer": "all weights come from the file: initial values are not compared",
    "data_format": "channels-last is Keras' default",
}
#: The same for one block.
BLIND_IN = {
    ("tensorflow", "flatten", "data_format"): "it is channels-last that the layout gives it",
}


class Dropping:
    """Takes away one argument of every call that a native prints; `met` are the names that it saw."""

    def __init__(self, word: str = "") -> None:
        self.word = word
        self.met: set[str] = set()

    def native(self, native: Any) -> Any:
        if isinstance(native, OnnxNative):
            return self._onnx(native)
        changed = {"construct": self._wrap(native.construct), "apply": self._wrap(native.apply)}
        return replace(native, **{name: one for name, one in changed.items() if one is not None})

    def _onnx(self, native: OnnxNative) -> OnnxNative:
        def attributes(module: Any) -> Mapping[str, Any]:
            found = native.attributes(module)
            self.met |= set(found)
            return {name: one for name, one in found.items() if name != self.word}

        self.met |= set(native.weights)
        weights = tuple(one for one in native.weights if one != self.word)
        return replace(native, attributes=attributes, weights=weights)

    def _wrap(self, make: Callable[..., ast.expr] | None) -> Callable[..., ast.expr] | None:
        if make is None:
            return None

        def made(*arguments: Any) -> ast.expr:
            code = make(*arguments)
            for call in [node for node in ast.walk(code) if isinstance(node, ast.Call)]:
                self.met |= {keyword.arg for keyword in call.keywords if keyword.arg}
                call.keywords = [keyword for keyword in call.keywords if keyword.arg != self.word]
            return code

        return made


def seen(backend: str, key: Any, word: str, spec: tuple[str, str], workers: Workers, folder: Path) -> set[str]:
    """The verdicts in both modes where the native lacks `word`."""
    native = Dropping(word).native(TABLES[backend][key])
    with mock.patch.dict(TABLES[backend], {key: native}):
        report = verify(unit_of(folder, *spec), [backend], Settings(sizes=1, find_cause=False), workers)
    return {case.status for case in report.cases}


def words_of(backend: str, key: Any, spec: tuple[str, str], workers: Workers, folder: Path) -> set[str]:
    """The arguments that a native is printed with."""
    dropping = Dropping()
    with mock.patch.dict(TABLES[backend], {key: dropping.native(TABLES[backend][key])}):
        report = verify(unit_of(folder, *spec), [backend], Settings(sizes=1, find_cause=False), workers)
    assert {case.status for case in report.cases} == {AGREES}
    return dropping.met


PAIRS = [
    pytest.param(backend, key, id=f"{backend}-{block_of(key)}", marks=[pytest.mark.slow] if backend != "onnx" else [])
    for backend, table in TABLES.items()
    for key in table
    if block_of(key) in INSIDE and block_of(key) not in NOT_RUN
]


@pytest.mark.parametrize(("backend", "key"), PAIRS)
def test_a_dropped_argument_is_seen(backend: str, key: Any, workers: Workers, tmp_path: Path) -> None:
    missed: dict[str, bool] = {}
    for spec in INSIDE[block_of(key)]:
        for word in words_of(backend, key, spec, workers, tmp_path):
            found = seen(backend, key, word, spec, workers, tmp_path)
            missed[word] = missed.get(word, True) and not found & {DISAGREES, FAILED}
    blind = {word for word in missed if word in BLIND or (backend, block_of(key), word) in BLIND_IN}
    assert {word for word, one in missed.items() if one} <= blind
