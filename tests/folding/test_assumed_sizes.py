"""A value's sizes told by what comes before it alone are those that the whole module tells."""

from __future__ import annotations

from pathlib import Path

from dlc.backends.api import Options
from dlc.backends.torch.file import TorchFile
from dlc.networks import elaborate
from dlc.passes.resolve import load_project

#: `v` and `u` are made in each turn, and read outside of their loop: what they are there is told by all turns.
LEFT = """network Left(widths: list[int] = [6, 4], depth: int = 3):
    input x: float[N, C = 5]
    input w: float[N, D = 6]
    for width in widths:
        z = x -> dense(width)
    output y = tanh(z)
    for i in range(depth):
        v = w -> dense(C + 1)
        u = x -> dense(7)
    output s = v + w
    output t = concat([u, x], axis=-1)
"""


def test_other_turns_count(tmp_path: Path) -> None:
    path = tmp_path / "left.dl"
    path.write_text(LEFT, encoding="utf-8")
    folding = TorchFile(elaborate(load_project(path)).unit, Options()).folding
    module = folding.programs[0].modules[-1]
    assert module.block.name == "Left"
    whole = folding.sizes.of(0, module)
    for value in sorted({value for equation in module.body for value in equation.outputs}):
        assert folding.sizes.assuming(0, module, {}, value) == whole[value]
