"""Natives: used just inside of each condition, not just outside, and never a different number."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend
from keras_models import check_agrees, written

IMAGE = "network Net:\n    input x: float[N, 4, 8, 8]\n    output y = {value}\n"
SEQUENCE = "network Net:\n    input x: float[N, T, 6]\n    output y = {value}\n"
VECTOR = "network Net:\n    input x: float[6]\n    output y = {value}\n"
#: The spec, and the native that its code names (None: the block's own code).
CASES = {
    "dense": (SEQUENCE, "x -> dense(3, bias=false)", "keras.layers.Dense("),
    "dense with a bias": (SEQUENCE, "x -> dense(3)", None),
    "layer_norm": (SEQUENCE, "x -> layer_norm", "keras.layers.LayerNormalization("),
    "layer_norm, epsilon": (SEQUENCE, "x -> layer_norm(epsilon=0.1)", "keras.layers.LayerNormalization("),
    "layer_norm of an image": (IMAGE, "x -> layer_norm", "keras.layers.LayerNormalization("),
    "layer_norm of channels-last": (IMAGE, "x -> conv2d(3, 1, bias=true) -> layer_norm -> conv2d(2, 1)", None),
    "conv2d": (IMAGE, "x -> conv2d(3, 3, bias=false)", "keras.layers.Conv2D("),
    "conv2d, padded and strided": (IMAGE, "x -> conv2d(3, 3, stride=2, padding=1, bias=false)", "keras.layers.Conv2D("),
    "conv2d with a bias": (IMAGE, "x -> conv2d(3, 3)", None),
    "conv2d in groups": (IMAGE, "x -> conv2d(4, 3, groups=2, bias=false)", None),
    "conv2d, depthwise": (IMAGE, "x -> conv2d(8, 3, groups=4, bias=false)", None),
    "conv2d, dilated": (IMAGE, "x -> conv2d(3, 3, dilation=2, bias=false)", None),
    "conv2d, dilated and strided": (IMAGE, "x -> conv2d(3, 3, dilation=2, stride=2, padding=2, bias=false)", None),
}


@pytest.mark.parametrize("name", CASES)
def test_native(name: str, tmp_path: Path) -> None:
    frame, value, native = CASES[name]
    unit = written(tmp_path, frame.format(value=value))
    text = backend.compile(unit, Options()).files["case_tensorflow.py"]
    assert isinstance(text, str)
    body = text[: text.index("def load_weights")]
    used = [word for word in ("Dense(", "LayerNormalization(", "Conv2D(") if f"keras.layers.{word}" in body]
    assert used == ([] if native is None else [native.removeprefix("keras.layers.")])
    check_agrees(unit, tmp_path, natives=True)
    check_agrees(unit, tmp_path, natives=False)


def test_a_layer_whose_weight_is_read_by_name_is_no_native(tmp_path: Path) -> None:
    text = SEQUENCE.format(value="w(x) @ w.weight").replace("    output", "    w = dense(3, bias=false)\n    output")
    unit = written(tmp_path, text)
    code = backend.compile(unit, Options()).files["case_tensorflow.py"]
    assert isinstance(code, str)
    assert "keras.layers.Dense(" not in code[: code.index("def load_weights")]
    check_agrees(unit, tmp_path)
