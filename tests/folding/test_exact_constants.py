"""Constants that Python takes for equal are different arguments of one class."""

from __future__ import annotations

from pathlib import Path

import pytest
from agreement import require_agreement, written

SPEC = """block inverse(c: float):
    input x: float[N, D]
    output 1 / (c * x * x)

block scaled(c: float, more: bool):
    input x: float[N, D]
    y = x * c
    if more:
        y = y + 1
    output y

network Case:
    input x: float[N, 3]
    output a = inverse(0.0)(x)
    output b = inverse(-0.0)(x)
    output c = scaled(1.0, true)(x) + scaled(0.0, false)(x)
"""


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_zeros_keep_their_signs(tmp_path: Path):
    code = require_agreement(written(tmp_path, SPEC), tmp_path)
    assert code.count("def inverse") == 1
    assert "inverse(x, c=0.0)" in code
    assert "inverse(x, c=-0.0)" in code
    assert "scaled(x, c=1.0, more=True)" in code
