"""What the code calls what the spec does not name."""

from __future__ import annotations

from pathlib import Path

from dlc import networks
from dlc.backends.api import Options, Unit
from dlc.backends.torch import backend
from dlc.passes.resolve import load_project
from torch_models import unit_of

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

EXPERTS = """block expert(hidden: int):
    input x: float[N, D]
    output x -> dense(hidden) -> gelu -> dense(D)

network Mixture(experts: int = 3):
    input x: float[N, 8]
    parts = [expert(12)(x) for _ in range(experts)]
    output y = mean(stack(parts, axis=0), axis=0)
"""


def _text(unit: Unit) -> str:
    (text,) = backend.compile(unit, Options()).files.values()
    return str(text)


def test_one_of_several_is_called_after_its_block(tmp_path: Path):
    text = _text(unit_of(tmp_path, EXPERTS))
    assert "        for expert in self.parts:\n            parts.append(expert(x))\n" in text


def test_parts_of_a_tuple_are_called_after_it(tmp_path: Path):
    text = _text(networks.elaborate(load_project(Path(__file__).parent / "programs" / "windows.dl")).unit)
    assert "qkv = self.dense(w).unflatten(2, (3, self.heads, -1))" in text


def test_sizes_that_a_loop_carries_are_called_after_dimensions():
    text = _text(networks.elaborate(load_project(EXAMPLES / "vgg.yaml")).unit)
    assert "            height = (height - 2) // 2 + 1\n            width = (width - 2) // 2 + 1\n" in text
    assert "nn.Linear(channels * height * width, 4096)" in text
