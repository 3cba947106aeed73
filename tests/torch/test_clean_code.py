"""Code that is laid out as `ruff format` would."""

from __future__ import annotations

from pathlib import Path

from dlc.backends.api import Options
from dlc.backends.torch import backend
from torch_models import require_ruff_clean, unit_of, write

LONG = """network Long(
    classes: int = 10,
    settings: list[list[int]] = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1]],
):
    input x: float[N, 8]
    for a, b, c, d in settings:
        x = x -> dense(a + b) -> relu -> dense(c * d) -> tanh
    output y = x -> dense(classes)
"""


def test_a_long_default_is_broken(tmp_path: Path):
    (path,) = write(backend.compile(unit_of(tmp_path, LONG), Options()).files, tmp_path)
    assert "        settings: Sequence[Sequence[int]] = (\n            (1, 16, 1, 1),\n" in path.read_text()
    require_ruff_clean(path)
