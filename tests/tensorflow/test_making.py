"""What constructors make: lists within lists whose outer loops are written out; initial values of any shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.distributions import draw
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from keras_models import check_agrees, compiled, imported, require_ruff_clean, written

PROGRAMS = Path(__file__).parent / "programs"
LOOPS = ("blocks_around_turns", "blocks_around_blocks", "stages")
WEIGHTS = ("scaled_conv", "canonical_weights")


def unit(name: str) -> Unit:
    return networks.elaborate(load_project(PROGRAMS / f"{name}.dl")).unit


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("name", [*LOOPS, *WEIGHTS])
def test_agrees(name: str, natives: bool, tmp_path: Path) -> None:
    check_agrees(unit(name), tmp_path, natives)
    require_ruff_clean(tmp_path / f"{name}_tensorflow.py")


def test_lists_within_lists(tmp_path: Path) -> None:
    compiled(unit("blocks_around_turns"), tmp_path)
    text = (tmp_path / "blocks_around_turns_tensorflow.py").read_text(encoding="utf-8")
    assert "self.dense = [[Dense(4) for _ in range(3)], [Dense(4) for _ in range(3)]]" in text


@pytest.mark.parametrize("initial", ["kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform"])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("op", ["conv", "conv_transpose"])
def test_weights_start_as_declared(op: str, kept: bool, initial: str, tmp_path: Path) -> None:
    """Also of a weight that is changed before the convolution, which Keras' layout would not fit."""
    shape = "40, 24, 3, 5" if op == "conv" else "24, 40, 3, 5"
    text = f"network Net:\n    input x: float[N, 24, 8, 8]\n    param w: float[{shape}] ~ {initial}()\n"
    text += f"    output y = {op}(x, w{'' if kept else ' * 2'})\n"
    spec = written(tmp_path, text)
    compiled(spec, tmp_path)
    module = imported(tmp_path / "case_tensorflow.py")
    found = module.named_weights(module.Net().layers[-1])["w"].numpy()
    (parameter,) = network_parameters(spec.networks[0].inference, spec.networks[0].training)
    wanted = np.asarray(draw(parameter.initial, parameter.shape, parameter.path, 1))
    assert abs(found.std() / wanted.std() - 1) < 0.03
    assert abs(np.abs(found).max() / np.abs(wanted).max() - 1) < (0.02 if "uniform" in initial else 0.4)
