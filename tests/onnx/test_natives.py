"""Each native just inside and just outside its condition: is the op there, and do the numbers agree either way."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.onnx import natives
from test_features import disagreements, prepare
from test_recurrence import ops_of

MATRIX, SEQUENCE, IMAGE = "float[N, 6]", "float[N, T, 6]", "float[N, 3, H, W]"

#: Op, input type, expression, options, whether the op is used.
CASES = [
    ("LeakyRelu", MATRIX, "leaky_relu(slope=0.3)", {}, True),
    ("LeakyRelu", MATRIX, "leaky_relu(slope=0.3)", {"precision": "f64"}, False),
    ("Gelu", MATRIX, "gelu", {}, True),
    ("Gelu", MATRIX, "gelu(approximate=true)", {}, True),
    ("Gelu", MATRIX, "gelu", {"natives": False}, False),
    ("Softplus", MATRIX, "softplus", {}, True),
    ("Elu", MATRIX, "elu", {}, False),
    ("Gemm", MATRIX, "dense(4)", {}, True),
    ("Gemm", MATRIX, "dense(4, bias=false)", {}, True),
    ("Gemm", SEQUENCE, "dense(4)", {}, False),
    ("LayerNormalization", SEQUENCE, "layer_norm", {}, True),
    ("LayerNormalization", MATRIX, "layer_norm(epsilon=0.5)", {}, True),
    ("BatchNormalization", IMAGE, "batch_norm(epsilon=0.1)", {}, True),
    ("BatchNormalization", MATRIX, "batch_norm", {}, True),
    ("BatchNormalization", IMAGE, "batch_norm", {"training": True}, False),
    ("BatchNormalization", IMAGE, "batch_norm(affine=false)", {}, False),
    ("AveragePool", IMAGE, "avg_pool2d(3, stride=2, padding=1)", {}, True),
]


@pytest.mark.parametrize(("op", "kind", "expression", "options", "used"), CASES)
def test_condition(op: str, kind: str, expression: str, options: dict, used: bool, tmp_path: Path):
    text = f"network Net:\n    input x: {kind}\n    output y = x -> {expression}\n"
    unit, entry, weights = prepare(text, tmp_path, **options)
    assert (op in ops_of(tmp_path / entry)) == used
    if "precision" not in options:
        training = options.get("training", False)
        sizes = {"N": 3, "T": 5, "H": 9, "W": 6}
        assert not disagreements(unit, tmp_path, entry, weights, sizes, training)


def test_a_bias_becomes_the_third_input(tmp_path: Path):
    """One node per convolution: no reshape and no addition beside it."""
    text = "network Net:\n    input x: float[N, 3, H, W]\n    output y = x -> conv2d(4, kernel=3)\n"
    _, entry, _ = prepare(text, tmp_path)
    assert ops_of(tmp_path / entry) == {"Conv"}


def test_a_wrong_native_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A table that forgets epsilon: the numbers must not agree."""
    key = ("std/normalisation.dl", "layer_norm")
    monkeypatch.setattr(natives, "NATIVES", {key: natives.Native("LayerNormalization", ("weight", "bias"))})
    text = "network Net:\n    input x: float[N, 6]\n    output y = x -> layer_norm(epsilon=0.5)\n"
    unit, entry, weights = prepare(text, tmp_path)
    assert disagreements(unit, tmp_path, entry, weights, {"N": 3}, False)
