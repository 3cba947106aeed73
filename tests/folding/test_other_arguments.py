"""Examples at other sizes than their defaults: constructors of the code take them, and mean what the spec means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import ROOT, imported, require_agreement, unit_of
from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.parameters import parameters

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "unet": ("unet", "UNet", {"width": 8, "levels": 2}),
    "densenet": ("densenet", "DenseNet121", {"growth": 16}),
    "densenet, other depths": ("densenet", "DenseNet", {"depths": [2, 3], "growth": 8}),
    "a size that grows in some turns": ("carried", "Doubling", {"widths": [5, 3]}),
    "a size that a loop of any length grows": ("carried", "Tripling", {"turns": 3}),
    "lists of lists": ("branches", "Inception", {"branches": [[2, 3], [4]]}),
    "numbers that loops carry": ("counted", "Counted", {"depths": [1, 3, 2]}),
    "two sizes": ("carried", "Ladder", {"depth": 2, "growth": 5}),
    "a loop in a loop": ("carried", "Halving", {"depths": [1, 3], "growth": 6}),
    "resnet": ("resnet", "ResNet50", {"classes": 7}),
    "char_lstm": ("char_lstm", "CharLSTM", {"hidden": 128}),
    "seq2seq": ("seq2seq", "Seq2Seq", {"hidden": 64}),
    "transformer": ("transformer", "Transformer", {"width": 32, "heads": 4, "inner": 48, "layers": 3}),
}


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_the_constructor_takes_other_arguments(case: str, natives: bool, tmp_path: Path):
    """The parameters are those of the spec elaborated with the same settings."""
    name, network, arguments = CASES[case]
    folder = "tests/folding/cases" if name in ("branches", "carried", "counted") else "examples"
    path = ROOT / folder / f"{name}.dl"
    text = backend.compile(unit_of(path), Options(natives=natives)).files[f"{name}_torch.py"]
    (tmp_path / "code.py").write_text(str(text), encoding="utf-8")
    with torch.device("meta"):
        model = getattr(imported(tmp_path / "code.py"), network)(**arguments)
    shapes = {key.replace("forward_", "forward"): tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: shape for key, shape in shapes.items() if "num_batches" not in key}
    spec = unit_of(path, network, {word: str(value) for word, value in arguments.items()})
    assert found == {p.path: tuple(p.shape) for p in parameters(spec.networks[0].training)}


SMALL = {
    "unet": ("UNet", {"width": "2", "levels": "2"}),
    "densenet": ("DenseNet", {"depths": "[2, 1, 3]", "growth": "4", "classes": "5"}),
}


@pytest.mark.parametrize("name", SMALL)
def test_agrees_with_the_reference(name: str, tmp_path: Path):
    network, settings = SMALL[name]
    unit = unit_of(ROOT / "examples" / f"{name}.dl", network, settings)
    require_agreement(unit, tmp_path)


def test_a_network_with_skips_is_loops():
    text = str(backend.compile(unit_of(ROOT / "examples" / "unet.dl"), Options()).files["unet_torch.py"])
    assert "for up, skip in zip(self.up, reversed(skips)):\n            x = up(x, skip)" in text
    assert "self.up.append(Up(channels, width * 2**level, width * 2**level))" in text


def test_a_dense_block_is_one_class_with_its_depth():
    text = str(backend.compile(unit_of(ROOT / "examples" / "densenet.dl"), Options()).files["densenet_torch.py"])
    assert "DenseLayer(in_channels + i * growth, growth) for i in range(depth)" in text
    assert "features.append(dense_layer(torch.cat(features, dim=1)))" in text
    assert "DenseBlock_2" not in text


FIXED = """network Fixed(heads: int = 2):
    input x: float[N, T, D = 8]
    k = reshape(x, [N, T, heads, 8 // heads]) * (8 // heads)
    output scaled = mean(k, axis=-1) * sqrt(D / heads)
    output slope = x -> leaky_relu(slope=0.01 * heads / 2)
"""


def test_a_constant_keeps_the_argument_that_it_comes_from(tmp_path: Path):
    """What the network's own width decides on beside an argument; a constant that the default makes torch's own."""
    path = tmp_path / "fixed.dl"
    path.write_text(FIXED, encoding="utf-8")
    models: list[Any] = []
    for settings in ({}, {"heads": "4"}):
        (tmp_path / "code.py").write_text(
            str(backend.compile(unit_of(path, "Fixed", settings), Options()).files["fixed_torch.py"]), encoding="utf-8"
        )
        models.append(imported(tmp_path / "code.py").Fixed)
    x = torch.rand(2, 3, 8) - 0.5
    assert all(map(torch.equal, models[0](heads=4)(x), models[1]()(x)))
    assert not torch.equal(models[0](heads=2)(x)[1], models[0](heads=4)(x)[1])
