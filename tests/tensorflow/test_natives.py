"""Natives: used just inside of each condition, not just outside of each of its parts, never with another number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlc.backends.api import Options, Unit
from dlc.backends.tensorflow import backend
from dlc.backends.tensorflow.compile import lower
from dlc.backends.tensorflow.natives import NATIVES, All, KerasNative
from keras_models import check_agrees, compiled, imported, written

NETWORK = "network Net:\n    input x: {kind}\n    output y = {value}\n"
VECTOR, MATRIX, SEQUENCE, LINE = "float[6]", "float[N, 6]", "float[N, T, 6]", "float[N, 4, 5]"
WIDE_IMAGE, SOLID = "float[N, 4, 8, 6]", "float[N, 4, 5, 6, 4]"
OPEN_IMAGE = "float[N, 4, T, S]"
IMAGE, TOKENS = "float[N, 4, 8, 8]", "int[N, T] in 0..5"
WIDE, SPEC_LAYOUT = Options(precision="f64"), Options(spec_layout=True)

#: What each native is printed as, and networks that use it.
INSIDE: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "dense": ("keras.layers.Dense", [(SEQUENCE, "x -> dense(3)"), (MATRIX, "x -> dense(3, bias=false)")]),
    "conv2d": (
        "keras.layers.Conv2D",
        [
            (IMAGE, "x -> conv2d(3, 3)"),
            (IMAGE, "x -> conv2d(3, 3, stride=2, padding=1, bias=false)"),
            (IMAGE, "x -> conv2d(3, 4, stride=3, padding=2)"),
            (IMAGE, "x -> conv2d(3, [1, 4], stride=[2, 1])"),
            ("float[N, 4, 1, 1]", "x -> conv2d(3, 1)"),
            ("float[N, 1, 8, 8]", "x -> conv2d(3, 2, padding=1)"),
            ("float[N, T, 4, 8, 8]", "scan(conv2d(3, 3, padding=1))(x)"),
        ],
    ),
    "conv_transpose2d": (
        "keras.layers.Conv2DTranspose",
        [
            (IMAGE, "x -> conv_transpose2d(3, 4, stride=2, padding=1)"),
            (IMAGE, "x -> conv_transpose2d(3, 3, stride=2, bias=false)"),
            (IMAGE, "x -> conv_transpose2d(3, 2, stride=2)"),
            (IMAGE, "x -> conv_transpose2d(3, 3, padding=1)"),
            (IMAGE, "x -> conv_transpose2d(3, 7, stride=3, padding=2)"),
        ],
    ),
    "conv1d": (
        "keras.layers.Conv1D",
        [
            (LINE, "x -> conv1d(3, 3)"),
            (LINE, "x -> conv1d(3, 3, stride=2, padding=1, bias=false)"),
            (LINE, "x -> conv1d(3, 2, padding=2, dilation=3)"),
        ],
    ),
    "conv3d": (
        "keras.layers.Conv3D",
        [
            (SOLID, "x -> conv3d(3, 3)"),
            (SOLID, "x -> conv3d(3, 3, stride=2, padding=1, bias=false)"),
            (SOLID, "x -> conv3d(3, 2, padding=1, dilation=2)"),
        ],
    ),
    "conv_transpose1d": (
        "keras.layers.Conv1DTranspose",
        [
            (LINE, "x -> conv_transpose1d(3, 4, stride=2, padding=1)"),
            (LINE, "x -> conv_transpose1d(3, 3, stride=2, bias=false)"),
            (LINE, "x -> conv_transpose1d(3, 7, stride=3, padding=2)"),
        ],
    ),
    "conv_transpose3d": (
        "keras.layers.Conv3DTranspose",
        [
            (SOLID, "x -> conv_transpose3d(3, 4, stride=2, padding=1)"),
            (SOLID, "x -> conv_transpose3d(3, 3, stride=2, bias=false)"),
        ],
    ),
    "embedding": (
        "keras.layers.Embedding",
        [(TOKENS, "x -> embedding(5, 3)"), ("int[] in 0..5", "embedding(5, 3)(x)")],
    ),
    "layer_norm": (
        "keras.layers.LayerNormalization",
        [(SEQUENCE, "x -> layer_norm"), (MATRIX, "x -> layer_norm(epsilon=0.1)"), (IMAGE, "x -> layer_norm")],
    ),
    "batch_norm": (
        "keras.layers.BatchNormalization",
        [
            (MATRIX, "x -> batch_norm"),
            (MATRIX, "x -> batch_norm(epsilon=0.1, momentum=0.3)"),
            (MATRIX, "x -> batch_norm(affine=false)"),
            (IMAGE, "x -> conv2d(3, 1) -> batch_norm -> conv2d(2, 1)"),
        ],
    ),
    "rms_norm": (
        "keras.layers.RMSNormalization",
        [(SEQUENCE, "x -> rms_norm"), (MATRIX, "x -> rms_norm(epsilon=0.1)"), (IMAGE, "x -> rms_norm")],
    ),
    "dropout": ("keras.layers.Dropout", []),
    "global_avg_pool1d": ("keras.layers.GlobalAveragePooling1D", [(LINE, "x -> conv1d(3, 1) -> global_avg_pool")]),
    "global_avg_pool3d": ("keras.layers.GlobalAveragePooling3D", [(SOLID, "x -> conv3d(3, 1) -> global_avg_pool")]),
    "global_max_pool": ("keras.layers.GlobalMaxPooling2D", [(IMAGE, "x -> conv2d(3, 1) -> global_max_pool")]),
    "global_max_pool1d": ("keras.layers.GlobalMaxPooling1D", [(LINE, "x -> conv1d(3, 1) -> global_max_pool")]),
    "global_max_pool3d": ("keras.layers.GlobalMaxPooling3D", [(SOLID, "x -> conv3d(3, 1) -> global_max_pool")]),
    "adaptive_avg_pool1d": (
        "keras.layers.AdaptiveAveragePooling1D",
        [(LINE, "x -> conv1d(3, 1) -> adaptive_avg_pool1d(2) -> conv1d(2, 1)")],
    ),
    "adaptive_avg_pool2d": (
        "keras.layers.AdaptiveAveragePooling2D",
        [(WIDE_IMAGE, "x -> conv2d(3, 1) -> adaptive_avg_pool2d(3, 5) -> conv2d(2, 1)")],
    ),
    "instance_norm": (
        "keras.layers.GroupNormalization",
        [
            (IMAGE, "x -> conv2d(3, 1) -> instance_norm(epsilon=0.1, affine=true)"),
            (OPEN_IMAGE, "x -> conv2d(3, 1) -> instance_norm -> conv2d(2, 1)"),
            (LINE, "x -> conv1d(3, 1) -> instance_norm(affine=true)"),
        ],
    ),
    "max_pool1d": ("keras.layers.MaxPooling1D", [(LINE, "x -> max_pool1d(2)"), (LINE, "x -> max_pool1d(2, stride=3)")]),
    "avg_pool1d": (
        "keras.layers.AveragePooling1D",
        [(LINE, "x -> avg_pool1d(2)"), (LINE, "x -> avg_pool1d(3, stride=1)")],
    ),
    "max_pool3d": (
        "keras.layers.MaxPooling3D",
        [(SOLID, "x -> max_pool3d(2)"), (SOLID, "x -> max_pool3d(3, stride=1)")],
    ),
    "avg_pool3d": (
        "keras.layers.AveragePooling3D",
        [(SOLID, "x -> avg_pool3d(2)"), (SOLID, "x -> avg_pool3d(3, stride=1)")],
    ),
    "leaky_relu": (
        "keras.activations.leaky_relu",
        [(MATRIX, "x -> leaky_relu"), (MATRIX, "x -> leaky_relu(slope=0.2)"), (MATRIX, "x -> leaky_relu(slope=-0.5)")],
    ),
    "gelu": ("keras.activations.gelu", [(MATRIX, "x -> gelu"), (MATRIX, "x -> gelu(approximate=true)")]),
    "soft_shrink": (
        "keras.activations.soft_shrink",
        [(MATRIX, "x -> soft_shrink"), (MATRIX, "x -> soft_shrink(threshold=0.2)")],
    ),
    "hard_shrink": (
        "keras.activations.hard_shrink",
        [(MATRIX, "x -> hard_shrink"), (MATRIX, "x -> hard_shrink(threshold=0.2)")],
    ),
    "hard_tanh": ("keras.activations.hard_tanh", [(MATRIX, "x -> hard_tanh")]),
    "silu": ("keras.activations.silu", [(MATRIX, "x -> silu"), (MATRIX, "(x * 1e-6) -> silu")]),
    "softplus": ("keras.activations.softplus", [(MATRIX, "(x * 30) -> softplus")]),
    "mish": ("keras.activations.mish", [(MATRIX, "(x * 1e-6) -> mish")]),
    "softsign": ("keras.activations.softsign", [(MATRIX, "(x * 1e-6) -> softsign")]),
    "log_sigmoid": ("keras.activations.log_sigmoid", [(MATRIX, "(x * 30) -> log_sigmoid")]),
    "tanh_shrink": ("keras.activations.tanh_shrink", [(MATRIX, "x -> tanh_shrink")]),
    "glu": ("keras.activations.glu", [(SEQUENCE, "x -> glu"), (IMAGE, "x -> glu")]),
    "global_avg_pool": ("keras.layers.GlobalAveragePooling2D", [(IMAGE, "x -> conv2d(3, 1) -> global_avg_pool")]),
    "flatten": (
        "keras.layers.Flatten",
        [(IMAGE, "x -> conv2d(3, 1) -> flatten"), (MATRIX, "x -> flatten"), ("float[2, 3, 4]", "x -> flatten")],
    ),
    "max_pool2d_padded": (
        "tf.nn.max_pool2d",
        [(IMAGE, "x -> max_pool2d(3, stride=2, padding=1)"), (IMAGE, "x -> max_pool2d(4, stride=1, padding=2)")],
    ),
    "max_pool2d": (
        "keras.layers.MaxPooling2D",
        [
            (IMAGE, "x -> max_pool2d(2)"),
            (IMAGE, "x -> max_pool2d(3, stride=2)"),
            (IMAGE, "x -> max_pool2d(2, stride=3)"),
        ],
    ),
    "avg_pool2d": (
        "keras.layers.AveragePooling2D",
        [
            (IMAGE, "x -> avg_pool2d(2)"),
            (IMAGE, "x -> avg_pool2d(3, stride=1)"),
            (IMAGE, "x -> avg_pool2d(2, stride=3)"),
        ],
    ),
}

#: For each part of a condition, a network for which that part alone says no.
OUTSIDE: dict[tuple[str, str], tuple[str, str, Options]] = {
    ("dense", "is_float"): (SEQUENCE, "x -> dense(3)", WIDE),
    ("dense", "has_batch"): (VECTOR, "x -> dense(3)", Options()),
    ("conv2d", "is_float"): (IMAGE, "x -> conv2d(3, 3)", WIDE),
    ("conv2d", "windows_last"): (IMAGE, "x -> conv2d(3, 3)", SPEC_LAYOUT),
    ("conv2d", "one_border"): (IMAGE, "x -> conv2d(4, 3, padding=[0, 1])", Options()),
    ("conv1d", "one_border"): (LINE, "x -> conv1d(4, 3, padding=[[2, 0]])", Options()),
    ("conv3d", "one_border"): (SOLID, 'x -> conv3d(4, 3, padding="same")', Options()),
    ("embedding", "without_padding"): (TOKENS, "x -> embedding(5, 3, padding=0)", Options()),
    ("conv2d", "one_group"): (IMAGE, "x -> conv2d(4, 3, groups=2)", Options()),
    ("conv2d", "undilated"): (IMAGE, "x -> conv2d(3, 3, dilation=2)", Options()),
    ("conv1d", "is_float"): (LINE, "x -> conv1d(3, 3)", WIDE),
    ("conv1d", "windows_last"): (LINE, "x -> conv1d(3, 3)", SPEC_LAYOUT),
    ("conv1d", "one_group"): (LINE, "x -> conv1d(4, 3, groups=2)", Options()),
    ("conv1d", "strides_or_dilates"): (LINE, "x -> conv1d(3, 2, stride=2, dilation=2)", Options()),
    ("conv3d", "is_float"): (SOLID, "x -> conv3d(3, 3)", WIDE),
    ("conv3d", "windows_last"): (SOLID, "x -> conv3d(3, 3)", SPEC_LAYOUT),
    ("conv3d", "one_group"): (SOLID, "x -> conv3d(4, 3, groups=2)", Options()),
    ("conv3d", "strides_or_dilates"): (SOLID, "x -> conv3d(3, 2, stride=2, dilation=2)", Options()),
    ("conv_transpose1d", "is_float"): (LINE, "x -> conv_transpose1d(3, 3)", WIDE),
    ("conv_transpose1d", "windows_last"): (LINE, "x -> conv_transpose1d(3, 3)", SPEC_LAYOUT),
    ("conv_transpose1d", "covers"): (LINE, "x -> conv_transpose1d(3, 1, stride=2)", Options()),
    ("conv_transpose1d", "cuts_evenly"): (LINE, "x -> conv_transpose1d(3, 3, stride=2, padding=1)", Options()),
    ("conv_transpose1d", "without_output_padding"): (
        LINE,
        "x -> conv_transpose1d(3, 4, stride=2, padding=1, output_padding=1)",
        Options(),
    ),
    ("conv_transpose3d", "is_float"): (SOLID, "x -> conv_transpose3d(3, 3)", WIDE),
    ("conv_transpose3d", "windows_last"): (SOLID, "x -> conv_transpose3d(3, 3)", SPEC_LAYOUT),
    ("conv_transpose3d", "covers"): (SOLID, "x -> conv_transpose3d(3, 1, stride=2)", Options()),
    ("conv_transpose3d", "cuts_evenly"): (SOLID, "x -> conv_transpose3d(3, 3, stride=2, padding=1)", Options()),
    ("conv_transpose3d", "without_output_padding"): (
        SOLID,
        "x -> conv_transpose3d(3, 4, stride=2, padding=1, output_padding=1)",
        Options(),
    ),
    ("conv_transpose2d", "is_float"): (IMAGE, "x -> conv_transpose2d(3, 3)", WIDE),
    ("conv_transpose2d", "windows_last"): (IMAGE, "x -> conv_transpose2d(3, 3)", SPEC_LAYOUT),
    ("conv_transpose2d", "covers"): (IMAGE, "x -> conv_transpose2d(3, 1, stride=2)", Options()),
    ("conv_transpose2d", "cuts_evenly"): (IMAGE, "x -> conv_transpose2d(3, 3, stride=2, padding=1)", Options()),
    ("conv_transpose2d", "without_output_padding"): (
        IMAGE,
        "x -> conv_transpose2d(3, 4, stride=2, padding=1, output_padding=1)",
        Options(),
    ),
    ("embedding", "gives_float"): (TOKENS, "x -> embedding(5, 3)", WIDE),
    ("layer_norm", "is_float"): (SEQUENCE, "x -> layer_norm", WIDE),
    ("layer_norm", "has_batch"): (VECTOR, "x -> layer_norm", Options()),
    ("layer_norm", "over_last"): (IMAGE, "x -> conv2d(3, 1) -> layer_norm -> conv2d(2, 1)", Options()),
    ("instance_norm", "is_float"): (IMAGE, "x -> conv2d(3, 1) -> instance_norm", WIDE),
    ("instance_norm", "over_positions"): (IMAGE, "x -> instance_norm(affine=true)", Options()),
    ("adaptive_avg_pool1d", "is_float"): (LINE, "x -> conv1d(3, 1) -> adaptive_avg_pool1d(2) -> conv1d(2, 1)", WIDE),
    ("adaptive_avg_pool1d", "regions_last"): (LINE, "x -> adaptive_avg_pool1d(2) -> conv1d(2, 1)", Options()),
    ("adaptive_avg_pool1d", "has_static_positions"): (
        "float[N, 4, T]",
        "x -> conv1d(3, 1) -> adaptive_avg_pool1d(2) -> conv1d(2, 1)",
        Options(),
    ),
    ("adaptive_avg_pool1d", "gives_last"): (LINE, "x -> conv1d(3, 1) -> adaptive_avg_pool1d(2)", Options()),
    ("adaptive_avg_pool2d", "is_float"): (IMAGE, "x -> conv2d(3, 1) -> adaptive_avg_pool2d(2, 3)", WIDE),
    ("adaptive_avg_pool2d", "regions_last"): (IMAGE, "x -> adaptive_avg_pool2d(2, 3)", Options()),
    ("adaptive_avg_pool2d", "has_static_positions"): (
        OPEN_IMAGE,
        "x -> conv2d(3, 1) -> adaptive_avg_pool2d(2, 3)",
        Options(),
    ),
    ("global_max_pool", "is_float"): (IMAGE, "x -> conv2d(3, 1) -> global_max_pool", WIDE),
    ("global_max_pool", "over_image"): (IMAGE, "x -> conv2d(3, 1) -> global_max_pool", SPEC_LAYOUT),
    ("global_max_pool1d", "is_float"): (LINE, "x -> conv1d(3, 1) -> global_max_pool", WIDE),
    ("global_max_pool1d", "over_line"): (LINE, "x -> conv1d(3, 1) -> global_max_pool", SPEC_LAYOUT),
    ("global_max_pool3d", "is_float"): (SOLID, "x -> conv3d(3, 1) -> global_max_pool", WIDE),
    ("global_max_pool3d", "over_solid"): (SOLID, "x -> conv3d(3, 1) -> global_max_pool", SPEC_LAYOUT),
    ("batch_norm", "is_float"): (MATRIX, "x -> batch_norm", WIDE),
    ("batch_norm", "channels_last"): (LINE, "x -> batch_norm", Options()),
    ("rms_norm", "is_float"): (SEQUENCE, "x -> rms_norm", WIDE),
    ("rms_norm", "has_batch"): (VECTOR, "x -> rms_norm", Options()),
    ("rms_norm", "over_last"): (IMAGE, "x -> conv2d(3, 1) -> rms_norm -> conv2d(2, 1)", Options()),
    ("global_avg_pool1d", "is_float"): (LINE, "x -> conv1d(3, 1) -> global_avg_pool", WIDE),
    ("global_avg_pool1d", "over_line"): (LINE, "x -> conv1d(3, 1) -> global_avg_pool", SPEC_LAYOUT),
    ("global_avg_pool3d", "is_float"): (SOLID, "x -> conv3d(3, 1) -> global_avg_pool", WIDE),
    ("global_avg_pool3d", "over_solid"): (SOLID, "x -> conv3d(3, 1) -> global_avg_pool", SPEC_LAYOUT),
    ("leaky_relu", "is_float"): (MATRIX, "x -> leaky_relu", WIDE),
    ("hard_tanh", "unit_range"): (MATRIX, "x -> hard_tanh(low=-1.5)", Options()),
    ("glu", "halves_last"): (WIDE_IMAGE, "x -> conv2d(4, 1) -> glu -> conv2d(2, 1)", Options()),
    ("glu", "has_known_last"): ("float[N, T]", "concat([x, x], axis=1) -> glu", Options()),
    ("max_pool1d", "is_float"): (LINE, "x -> max_pool1d(2)", WIDE),
    ("max_pool1d", "windows_last"): (LINE, "x -> max_pool1d(2)", SPEC_LAYOUT),
    ("max_pool1d", "unpadded"): (LINE, "x -> max_pool1d(3, padding=1)", Options()),
    ("avg_pool1d", "is_float"): (LINE, "x -> avg_pool1d(2)", WIDE),
    ("avg_pool1d", "windows_last"): (LINE, "x -> avg_pool1d(2)", SPEC_LAYOUT),
    ("avg_pool1d", "unpadded"): (LINE, "x -> avg_pool1d(3, padding=1)", Options()),
    ("max_pool3d", "is_float"): (SOLID, "x -> max_pool3d(2)", WIDE),
    ("max_pool3d", "windows_last"): (SOLID, "x -> max_pool3d(2)", SPEC_LAYOUT),
    ("max_pool3d", "unpadded"): (SOLID, "x -> max_pool3d(3, padding=1)", Options()),
    ("avg_pool3d", "is_float"): (SOLID, "x -> avg_pool3d(2)", WIDE),
    ("avg_pool3d", "windows_last"): (SOLID, "x -> avg_pool3d(2)", SPEC_LAYOUT),
    ("avg_pool3d", "unpadded"): (SOLID, "x -> avg_pool3d(3, padding=1)", Options()),
    ("dropout", "is_float"): (MATRIX, "x -> dropout", WIDE),
    ("global_avg_pool", "is_float"): (IMAGE, "x -> conv2d(3, 1) -> global_avg_pool", WIDE),
    ("global_avg_pool", "over_image"): (IMAGE, "x -> conv2d(3, 1) -> global_avg_pool", SPEC_LAYOUT),
    ("flatten", "is_float"): (IMAGE, "x -> flatten", WIDE),
    ("flatten", "has_batch"): ("float[N]", "x -> flatten", Options()),
    ("flatten", "has_static_tail"): ("float[N, T, S]", "x -> flatten", Options()),
    ("max_pool2d_padded", "is_float"): (IMAGE, "x -> max_pool2d(3, stride=2, padding=1)", WIDE),
    ("max_pool2d_padded", "windows_last"): (IMAGE, "x -> max_pool2d(3, stride=2, padding=1)", SPEC_LAYOUT),
    ("max_pool2d_padded", "padded"): (IMAGE, "x -> max_pool2d(3, stride=2)", Options()),
    ("max_pool2d_padded", "has_stride"): (IMAGE, "x -> max_pool2d(3, padding=1)", Options()),
    ("max_pool2d", "is_float"): (IMAGE, "x -> max_pool2d(2)", WIDE),
    ("max_pool2d", "windows_last"): (IMAGE, "x -> max_pool2d(2)", SPEC_LAYOUT),
    ("max_pool2d", "unpadded"): (IMAGE, "x -> max_pool2d(3, padding=1)", Options()),
    ("avg_pool2d", "is_float"): (IMAGE, "x -> avg_pool2d(2)", WIDE),
    ("avg_pool2d", "windows_last"): (IMAGE, "x -> avg_pool2d(2)", SPEC_LAYOUT),
    ("avg_pool2d", "unpadded"): (IMAGE, "x -> avg_pool2d(3, padding=1)", Options()),
}
SAMPLES = [(block, *sample) for block, (_, samples) in INSIDE.items() for sample in samples]


def network(folder: Path, kind: str, value: str) -> Unit:
    return written(folder, NETWORK.format(kind=kind, value=value))


def layers_of(unit: Unit, options: Options) -> list[str]:
    """What the network's own layers are, in the text: Keras' classes, or `keras.layers.Layer` itself."""
    text = backend.compile(unit, options).files["case_tensorflow.py"]
    assert isinstance(text, str)
    body = text[text.index("class NetBody") : text.index("def load_weights")]
    function = re.findall(r"(tf\.nn\.max_pool2d|keras\.activations\.\w+)\(", body)
    bases = dict(re.findall(r"class (\w+)\(([\w.]+)\)", text))
    return [bases.get(word, word) for word in re.findall(r"self\.\w+ = ([\w.]+)\(", body)] + function


def parts_of(block: str) -> list[Any]:
    condition = NATIVES[block].condition
    assert isinstance(condition, All)
    return list(condition.parts)


def test_every_part_of_every_condition_has_a_network_outside() -> None:
    parts = {(block, part.__name__) for block in NATIVES for part in parts_of(block)}
    assert parts == set(OUTSIDE)
    assert set(INSIDE) == set(NATIVES)


@pytest.mark.parametrize(("block", "kind", "value"), SAMPLES)
def test_inside(block: str, kind: str, value: str, tmp_path: Path) -> None:
    unit = network(tmp_path, kind, value)
    assert INSIDE[block][0] in layers_of(unit, Options())
    assert INSIDE[block][0] not in layers_of(unit, Options(natives=False))
    check_agrees(unit, tmp_path)


@pytest.mark.parametrize(("block", "part"), OUTSIDE)
def test_outside(block: str, part: str, tmp_path: Path) -> None:
    """That part alone says no, in all modules of the block together; the block's own code is used."""
    kind, value, options = OUTSIDE[block, part]
    unit = network(tmp_path, kind, value)
    programs = [p for n in lower(unit, options)[0].networks for p in (n.inference, n.training)]
    modules = [
        module for program in programs for module in program.modules if module.block.name == NATIVES[block].block
    ]
    assert [one.__name__ for one in parts_of(block) if not all(map(one, modules))] == [part]
    assert INSIDE[block][0] not in layers_of(unit, options)
    if options == Options() and block != "dropout":
        check_agrees(unit, tmp_path)


def test_dropout(tmp_path: Path) -> None:
    """The share that is dropped, and the scale of the rest; nothing at inference."""
    unit = network(tmp_path, MATRIX, "x -> dropout(0.25)")
    assert layers_of(unit, Options()) == ["keras.layers.Dropout"]
    compiled(unit, tmp_path)
    model = imported(tmp_path / "case_tensorflow.py").Net()
    x = np.ones((4000, 6), "float32")
    np.testing.assert_array_equal(model(x), x)
    y = model(x, training=True).numpy()
    assert abs((y == 0).mean() - 0.25) < 0.02
    np.testing.assert_allclose(y[y != 0], 1 / 0.75, rtol=1e-6)


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize(
    ("kind", "value", "fan"),
    [
        ("float[N, 400]", "x -> dense(300)", 400),
        ("float[N, 8, 9, 9]", "x -> conv2d(200, 5, padding=1)", 200),
        ("float[N, 8, 9, 9]", "x -> conv_transpose2d(50, 4, stride=2, padding=1)", 800),
        ("float[N, 80, 9]", "x -> conv1d(200, 5, padding=1)", 400),
        ("float[N, 8, 5, 5, 5]", "x -> conv3d(200, 3, padding=1)", 216),
        ("float[N, 8, 9]", "x -> conv_transpose1d(100, 4, stride=2, padding=1)", 400),
        ("float[N, 8, 3, 3, 3]", "x -> conv_transpose3d(100, 2, stride=2)", 800),
    ],
)
def test_weights_start_as_the_block_says(kind: str, value: str, fan: int, natives: bool, tmp_path: Path) -> None:
    """Uniform within 1 / sqrt(fan-in), weight and bias apart."""
    unit = network(tmp_path, kind, value)
    compiled(unit, tmp_path, natives)
    module = imported(tmp_path / "case_tensorflow.py")
    bound = fan**-0.5
    found = {name: variable.numpy().ravel() for name, variable in module.named_weights(module.Net().layers[-1]).items()}
    for array in found.values():
        assert np.abs(array).max() <= bound
        assert abs(array.std() / (bound / 3**0.5) - 1) < 0.2
    weight, bias = (next(a for name, a in found.items() if name.endswith(word)) for word in ("weight", "bias"))
    assert not np.array_equal(weight[: len(bias)], bias)


def test_shapes_are_known_without_a_run(tmp_path: Path) -> None:
    """`compute_output_shape` counts the border too."""
    for rank, kind in ((1, LINE), (2, IMAGE), (3, SOLID)):
        compiled(network(tmp_path, kind, f"x -> conv{rank}d(3, 3, stride=2, padding=2)"), tmp_path)
        module = imported(tmp_path / "case_tensorflow.py", f"case_{rank}")
        layer = getattr(module, f"Conv{rank}D")(3, 3, strides=2, border=2)
        sizes, rest = (8, 9, 10)[:rank], (None,) * (rank - 1)
        assert layer.compute_output_shape((None, 8, *rest, 4)) == (None, 5, *rest, 3)
        assert layer(np.zeros((2, *sizes, 4), "float32")).shape == (2, *(5, 6, 6)[:rank], 3)
        assert type(layer).from_config(layer.get_config()).border == 2


@pytest.mark.parametrize("block", [block for block, native in NATIVES.items() if isinstance(native, KerasNative)])
def test_the_weights_table_has_each_parameter(block: str, tmp_path: Path) -> None:
    """Names as the standard block has them."""
    if not INSIDE[block][1]:
        return
    unit = network(tmp_path, *INSIDE[block][1][0])
    modules = [module for n in unit.networks for p in (n.inference, n.training) for module in p.modules]
    named = {p.name for module in modules if module.block.name == NATIVES[block].block for p in module.parameters}
    native = NATIVES[block]
    assert isinstance(native, KerasNative)
    assert named == set(native.weights)


def test_a_layer_whose_weight_is_read_by_name_is_no_native(tmp_path: Path) -> None:
    text = NETWORK.format(kind=SEQUENCE, value="w(x) @ w.weight")
    unit = written(tmp_path, text.replace("    output", "    w = dense(3, bias=false)\n    output"))
    assert layers_of(unit, Options()) == ["keras.layers.Layer"]
    code = backend.compile(unit, Options()).files["case_tensorflow.py"]
    assert isinstance(code, str)
    assert "keras.layers.Dense" not in code
    check_agrees(unit, tmp_path)


def test_a_block_of_the_spec_beside_a_native_of_its_name(tmp_path: Path) -> None:
    """Both are classes of the file."""
    text = "block dense_:\n    input x: float[N, D]\n    output x -> dense(4)\n\n\n"
    text += "block Dense:\n    input x: float[N, D]\n    param w: float[D] = 2\n    output x * w\n\n\n"
    unit = written(tmp_path, text + NETWORK.format(kind=MATRIX, value="x -> dense_ -> Dense"))
    check_agrees(unit, tmp_path)
