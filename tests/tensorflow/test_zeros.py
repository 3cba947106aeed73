"""-0.0 is not 0.0: eager TensorFlow takes a constant that it has for one that is equal."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras_models import check_agrees, compiled, imported, written

VALUES = (
    "1 / (-0.0 * abs(x))",
    "1 / where(x > 100, x, -0.0)",
    "1 / where(x > 100, 1.0, -0.0)",
    "1 / pad(x[:, :1] - x[:, :1], [[0, 0], [1, 1]], value=-0.0)",
    "1 / concat([x * 0.0, -0.0 * abs(x)], axis=1)",
)


@pytest.mark.parametrize("value", VALUES)
def test_a_zero_keeps_its_sign(value: str, tmp_path: Path) -> None:
    """Beside a 0.0, which comes first."""
    text = "network Zero:\n    input x: float[N, 3]\n    output plus = 1 / (0.0 * abs(x) + 0.0)\n"
    check_agrees(written(tmp_path, f"{text}    output minus = {value}\n"), tmp_path)


@pytest.mark.parametrize("value", VALUES)
def test_of_a_wide_file_too(value: str, tmp_path: Path) -> None:
    """With an element type of its own, or it could not stand beside the others."""
    text = f"network Zero:\n    input x: float[N, 3]\n    output minus = {value}\n"
    compiled(written(tmp_path, text), tmp_path, precision="f64")
    found = imported(tmp_path / "case_tensorflow.py").Zero()(np.ones((2, 3)))
    assert np.isneginf(keras.tree.flatten(found)[0]).any()
