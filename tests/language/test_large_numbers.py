"""Numbers that no machine integer or float holds are told where they meet a tensor; before that, they are exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.diagnostics import DlcError
from language_runs import close, normal, run

CELL = """
block cell(start: int = 0):
    input x: int[N, D]
    state total: int[N, D] = {start}
    next total = total + x
    output y = next total

block scale(by: float):
    input x: float[*B]
    output x * by

block weighted:
    input x: float[*B, D]
    param weight: float[D] = {weight}
    output x * weight

network A:
    input x: float[N, 4]
    input i: int[N, 4]
    input j: i32[N, 4]
    output y = {expression}
"""
BIG, HUGE = "2 ** 70", "2 ** 2000"


def spec(expression: str, start: str = "0", weight: str = "1") -> str:
    return CELL.format(expression=expression, start=start, weight=weight)


@pytest.mark.parametrize(
    "expression",
    [
        f"i + {BIG}",
        f"i < {BIG}",
        f"where(x > 0, i, {BIG})",
        "j + 2 ** 31",
        "i - 2 ** 63 - 1",
        f"x * {HUGE}",
        f"clip(i, 0, {BIG})",
        f"arange({BIG})",
        f"arange({BIG}, {BIG} + 3)",
        f"reshape(x, [N, {BIG}])",
        f"x[:{BIG}, 1]",
        f"x[-{BIG}:]",
        f"x[{BIG}]",
        f"x * (N * {BIG})",
        f"arange(N * {BIG})",
        f"dense({BIG})(x)",
        f"scale({HUGE})(x)",
        f"scan(cell(), i, axis=1, steps={BIG})",
        f"dropout({HUGE})(x)",
    ],
)
def test_told(tmp_path: Path, expression: str) -> None:
    with pytest.raises(DlcError) as raised:
        run(tmp_path, spec(expression), {})
    (problem,) = raised.value.diagnostics
    assert problem.span is not None
    assert problem.code in ("E0505", "E0613")


@pytest.mark.parametrize(("start", "weight"), [(BIG, "1"), ("0", HUGE)])
def test_starts_are_told(tmp_path: Path, start: str, weight: str) -> None:
    text = spec("weighted(x) + float(cell()(i).y)", start, weight)
    with pytest.raises(DlcError, match="E0505"):
        run(tmp_path, text, {})


X, I = normal(3, 4), np.arange(12).reshape(3, 4)  # noqa: E741


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"i + ({BIG} + 7) % 1000", I + (2**70 + 7) % 1000),
        (f"x * {BIG}", X * 2.0**70),
        (f"clip(x, 0, {BIG})", np.maximum(X, 0)),
        (f"x * ({HUGE} // 2 ** 1999)", X * 2),
        ("i * 0 + (2 ** 63 - 1)", np.full((3, 4), 2**63 - 1)),
        ("j - 2 ** 30", I - 2**30),
    ],
)
def test_exact_at_compile_time(tmp_path: Path, expression: str, expected: np.ndarray) -> None:
    given = {"x": X, "i": I, "j": I.astype(np.int32)}
    close(run(tmp_path, spec(expression), given)["y"], expected)
