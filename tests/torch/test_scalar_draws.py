"""A draw without axes, run as a user runs it: `verify` feeds the draws and so never calls torch.rand."""

from __future__ import annotations

from pathlib import Path

import dlc
import torch

SPEC = """\
network Jitter:
    input x: float[N, 3]
    sample u: float[] ~ uniform(2, 3)
    sample v: float[] ~ normal(0, 1)
    sample w: float[] ~ truncated_normal(5, 1)
    output y = u + 0 * x
    output drawn = stack([u, v, w], axis=0)
"""


def test_draws_without_axes(tmp_path: Path) -> None:
    (tmp_path / "jitter.dl").write_text(SPEC, encoding="utf-8")
    model = dlc.load(tmp_path / "jitter.dl")["Jitter"].build("torch")
    torch.manual_seed(0)
    _, drawn = model(torch.zeros(2, 3))
    assert drawn.shape == (3,)
    assert 2 <= drawn[0] <= 3
    assert 3 <= drawn[2] <= 7
