"""A class of a spec's default sizes, made with other arguments, computes what the spec means with these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from dlc import networks
from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.passes.resolve import load_project
from torch_models import imported

PROGRAMS = Path(__file__).parent / "programs"

#: (spec, network, arguments, shape of the input)
CASES = [
    ("windows", "Swin", {"depths": [1, 2, 1], "heads": [2, 2, 4], "window": 2}, (2, 3, 32, 32)),
    ("windows", "Swin", {"width": 16, "window": 8}, (1, 3, 32, 32)),
    ("coupling", "Flow", {"layers": 3, "hidden": 5}, (4, 6)),
]


def _code(path: Path, folder: Path, choice: networks.Choice | None = None) -> str:
    artifact = backend.compile(networks.elaborate(load_project(path), choice).unit, Options())
    text = str(artifact.files[f"{path.stem}_torch.py"])
    folder.mkdir()
    (folder / "code.py").write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize(("spec", "network", "arguments", "shape"), CASES)
def test_other_arguments(spec: str, network: str, arguments: dict[str, Any], shape: tuple[int, ...], tmp_path: Path):
    path = PROGRAMS / f"{spec}.dl"
    settings = {word: str(value) for word, value in arguments.items()}
    _code(path, tmp_path / "default")
    _code(path, tmp_path / "chosen", networks.Choice(network, settings, {}))
    torch.manual_seed(0)
    given = getattr(imported(tmp_path / "default" / "code.py"), network)(**arguments).eval()
    wanted = getattr(imported(tmp_path / "chosen" / "code.py"), network)().eval()
    wanted.load_state_dict(given.state_dict())
    x = torch.rand(shape)
    torch.testing.assert_close(given(x), wanted(x), rtol=0.0, atol=0.0)


def test_windows_are_one_class(tmp_path: Path):
    text = _code(PROGRAMS / "windows.dl", tmp_path / "default")
    assert "height = x.shape[1]" in text
    assert "height // self.window," in text
    assert "x.reshape(-1, x.shape[1] // 2, 2, x.shape[2] // 2, 2, x.shape[3])" in text
    assert "WindowAttention_2" not in text
    assert "SwinBlock_2" not in text


def test_a_choice_of_lists_is_one_class(tmp_path: Path):
    text = _code(PROGRAMS / "coupling.dl", tmp_path / "default")
    assert "        if self.flip:\n            parts = [z, a]\n        else:\n            parts = [a, z]\n" in text
    assert "self.dense = nn.Linear(dim // 2, hidden)" in text
    assert "nn.ModuleList(Coupling(6, hidden, i % 2 == 1) for i in range(layers))" in text
    assert "Coupling_2" not in text
