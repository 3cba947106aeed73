"""Where a loop happens to have one turn, the code is what it would be for two: a class never ignores its arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
from agreement import require_agreement, unit_of
from dlc.backends.api import Options
from dlc.backends.torch import backend

READS = """
block reader(width: int):
    input h: float[N, C]
    input memory: float[N, R, W]
    scores = einsum("n w, n r w -> n r", h -> dense(W), memory)
    output einsum("n r, n r w -> n w", softmax(scores, axis=-1), memory) -> dense(width)

network Case(count: int = 1, width: int = 3):
    input h: float[N, 4]
    input memory: float[N, 5, 6]
    reads = stack([reader(width)(h, memory) for _ in range(count)], axis=1)
    output concat([h, rearrange(reads, "n k w -> n (k w)")], axis=-1) -> dense(2)
"""
JOINED = """
network Case(count: int = 1):
    input x: float[N, 4]
    output concat([x -> dense(3) -> tanh for _ in range(count)], axis=-1)
"""
TOTAL = """
network Case(count: int = 1):
    input x: float[N, 4]
    total = 0
    for i in range(count):
        x = x -> dense(4) -> tanh
        total = total + x * (i + 1)
    output total
"""
LISTED = """
network Case(count: int = 1):
    input x: float[N, 4]
    seen = []
    for _ in range(count):
        x = x -> dense(4) -> tanh
        seen = seen + [x]
    output stack(seen, axis=0)
"""
CELLS = """
network Case(count: int = 1):
    input x: float[N, T, 4]
    output rnn(4, layers=count)(x).h
"""
CASES = {"reads": READS, "joined": JOINED, "total": TOTAL, "listed": LISTED, "cells": CELLS}


@pytest.mark.parametrize("case", CASES)
def test_one_turn_is_written_as_two(case: str, tmp_path: Path):
    codes: list[str] = []
    for count in (1, 2):
        path = tmp_path / "case.dl"
        path.write_text(CASES[case].replace("count: int = 1", f"count: int = {count}"), encoding="utf-8")
        unit = unit_of(path)
        codes.append(str(backend.compile(unit, Options()).files["case_torch.py"]))
        require_agreement(unit, tmp_path)
    assert codes[0].replace("count: int = 1", "count: int = 2") == codes[1]
