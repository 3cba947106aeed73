"""Runs what the reference backend wrote, in the precision asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from dlc.backends.reference.interpreter import Interpreter
from dlc.diagnostics import error
from dlc.distributions import draw
from dlc.ir import Distribution, Program
from dlc.ir_text import read
from dlc.parameters import network_parameters
from dlc.weights import read as read_weights

Array = np.ndarray[Any, np.dtype[Any]]


class Runner:
    """One network at a time, both modes ready."""

    def __init__(self) -> None:
        self._modes: dict[bool, Interpreter] = {}

    def load(self, folder: str, entry: str, weights: str | None, precision: str) -> None:
        """`entry` is `<file>:<network>`. Without weights, each parameter starts as the spec says, with seed 0."""
        file, _, network = entry.rpartition(":")
        programs = read_programs((Path(folder) / file).read_text(encoding="utf-8"))
        modes = {program.training: program for program in programs if program.network == network}
        if set(modes) != {False, True}:
            raise error("E0810", f"{file} holds no network `{network}`", exit_code=2)
        wanted = network_parameters(modes[False], modes[True])
        if weights is None:
            arrays = {p.path: draw(p.initial, p.shape, p.path, 0) for p in wanted}
        else:
            arrays = read_weights(weights, wanted)
        self._modes = {
            mode: Interpreter(program, arrays, precision=precision, drawing=Drawing())
            for mode, program in modes.items()
        }

    def run(self, inputs: Mapping[str, Array], training: bool) -> dict[str, Array]:
        """Outputs by name; each call starts from the weights that `load` read."""
        return self._modes[training].run(inputs)


class Drawing:
    """Answers random draws: the n-th draw of one path is the same in every process."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def __call__(self, path: str, shape: tuple[int, ...], distribution: Distribution) -> Array:
        count = self._count[path] = self._count.get(path, 0) + 1
        return draw(distribution, shape, path, count)


def read_programs(text: str) -> list[Program]:
    """The programs of a file, each from its `program` line to the next."""
    parts = re.split(r"^(?=program )", text, flags=re.MULTILINE)
    return [read(part) for part in parts if part.strip()]
