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


CONV = """block conv_by_hand(filters: int, kernel: int = 3):
    input x: float[N, C, L]
    fan_in = C * kernel
    param weight: float[filters, C, kernel] ~ uniform(-1 / sqrt(fan_in), 1 / sqrt(fan_in))
    param bias: float[filters] ~ uniform(-1 / sqrt(fan_in), 1 / sqrt(fan_in))
    output conv(x, weight) + reshape(bias, [filters, 1])

network Hand(filters: int = 6):
    input x: float[N, 4, 10]
    output y = x -> conv_by_hand(filters) -> relu -> conv_by_hand(8, kernel=5)
"""


def test_bounds_are_named_and_axes_of_one_are_added(tmp_path: Path):
    (path,) = write(backend.compile(unit_of(tmp_path, CONV), Options()).files, tmp_path)
    text = path.read_text()
    lines = (
        "bound = 1 / math.sqrt(in_channels * kernel)",
        "nn.init.uniform_(self.weight, -bound, bound)",
        "nn.init.uniform_(self.bias, -bound, bound)",
    )
    assert "".join(f"        {line}\n" for line in lines) in text
    assert "return F.conv1d(x, self.weight) + self.bias.unsqueeze(1)" in text
    require_ruff_clean(path)
