"""Each native just inside and just outside its condition: is the op there, and do the numbers agree either way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from dlc.backends.onnx import natives
from dlc.backends.onnx.natives import in_32_bits
from dlc.diagnostics import DlcError
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError
from onnx_models import ops_of
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
from test_features import disagreements, prepare

MATRIX, SEQUENCE, IMAGE = "float[N, 6]", "float[N, T, 6]", "float[N, 3, H, W]"
SIGNAL, SOLID = "float[N, 4, T]", "float[N, 4, 5, H, W]"
HEADS = "float[N, 2, T, 6]"
#: Masks: rows that may attend to nothing among them; one row for all queries.
EACH, ONE = "x[:, :1] @ transpose(x[:, :1], [0, 1, 3, 2]) > 1", "transpose(x[:, :1, :, :1], [0, 1, 3, 2]) > 0"
F64, PLAIN, TRAINING = {"precision": "f64"}, {"natives": False}, {"training": True}

#: Block, input type, expression, options, whether the op is used.
CASES: list[tuple[str, str, str, dict[str, Any], bool]] = [
    ("leaky_relu", MATRIX, "x -> leaky_relu(slope=0.3)", {}, True),
    ("leaky_relu", MATRIX, "x -> leaky_relu(slope=0.3)", F64, False),
    ("gelu", MATRIX, "x -> gelu", {}, True),
    ("gelu", MATRIX, "x -> gelu(approximate=true)", {}, True),
    ("gelu", MATRIX, "x -> gelu", PLAIN, False),
    ("softplus", MATRIX, "x -> softplus", {}, True),
    ("soft_shrink", MATRIX, "x -> soft_shrink(0.7)", {}, True),
    ("soft_shrink", MATRIX, "x -> soft_shrink", {}, True),
    ("hard_shrink", MATRIX, "x -> hard_shrink(0.3)", {}, True),
    ("scaled_dot_product_attention", HEADS, "scaled_dot_product_attention()(x, x, x)", {}, True),
    (
        "scaled_dot_product_attention",
        HEADS,
        "scaled_dot_product_attention(causal=true)(x, x[:, :, :2], x[:, :, :2])",
        {},
        True,
    ),
    ("scaled_dot_product_attention", HEADS, f"scaled_dot_product_attention()(x, x, x, mask={EACH})", {}, True),
    (
        "scaled_dot_product_attention",
        HEADS,
        f"scaled_dot_product_attention(causal=true)(x, x, x, mask={EACH})",
        {},
        True,
    ),
    ("scaled_dot_product_attention", HEADS, f"scaled_dot_product_attention()(x, x, x, mask={ONE})", {}, False),
    ("scaled_dot_product_attention", HEADS, "scaled_dot_product_attention()(x, x, x)", PLAIN, False),
    ("lp_pool2d", IMAGE, "x -> lp_pool2d(2, 3, stride=2)", {}, True),
    ("lp_pool2d", IMAGE, "x -> lp_pool2d(4, 2)", {}, True),
    ("lp_pool2d", IMAGE, "exp(x) -> lp_pool2d(2.5, 3)", {}, False),
    ("lp_pool2d", IMAGE, "(x - 0.5) -> lp_pool2d(1, 2)", {}, False),
    ("lp_pool1d", SIGNAL, "x -> lp_pool1d(2, 3, stride=1)", {}, True),
    ("lp_pool1d", SIGNAL, "exp(x) -> lp_pool1d(2.5, 3)", {}, False),
    ("instance_norm", IMAGE, "x -> instance_norm(epsilon=0.1, affine=true)", {}, True),
    ("instance_norm", SIGNAL, "x -> instance_norm(affine=true)", TRAINING, True),
    ("instance_norm", IMAGE, "x -> instance_norm", {}, False),
    ("local_response_norm", IMAGE, "x -> local_response_norm(3, alpha=0.5, beta=0.6, k=2.0)", {}, True),
    ("local_response_norm", IMAGE, "x -> local_response_norm", {}, True),
    ("local_response_norm", IMAGE, "x -> local_response_norm(2, alpha=0.5)", {}, False),
    ("dense", MATRIX, "x -> dense(4)", {}, True),
    ("dense", MATRIX, "x -> dense(4, bias=false)", {}, True),
    ("dense", SEQUENCE, "x -> dense(4)", {}, False),
    ("dense", "float[6]", "x -> dense(4)", {}, False),
    ("dense", MATRIX, "x -> dense(4)", F64, False),
    ("conv2d", IMAGE, "x -> conv2d(4, kernel=3, stride=2)", {}, True),
    ("conv2d", IMAGE, "x -> conv2d(3, kernel=3, padding=1, dilation=2, groups=3, bias=false)", {}, True),
    ("conv1d", SIGNAL, "x -> conv1d(4, kernel=3, stride=2, padding=1, groups=2)", {}, True),
    ("conv3d", SOLID, "x -> conv3d(4, kernel=2, dilation=2, bias=false)", {}, True),
    ("conv_transpose1d", SIGNAL, "x -> conv_transpose1d(4, kernel=3, stride=2, output_padding=1)", {}, True),
    ("conv_transpose3d", SOLID, "x -> conv_transpose3d(4, kernel=3, stride=2, padding=1)", {}, True),
    ("avg_pool1d", SIGNAL, "x -> avg_pool1d(3, stride=2, padding=1)", {}, True),
    ("avg_pool3d", SOLID, "x -> avg_pool3d(3, stride=2, padding=1)", {}, True),
    ("flatten", IMAGE, "x -> flatten", {}, True),
    ("flatten", "float[N]", "x -> flatten", {}, True),
    ("mish", MATRIX, "x -> mish", {}, True),
    ("softsign", MATRIX, "x -> softsign", {}, True),
    ("hard_sigmoid", MATRIX, "(x * 3) -> hard_sigmoid", {}, True),
    ("hard_swish", MATRIX, "(x * 3) -> hard_swish", {}, True),
    ("group_norm", "float[N, 6, H, W]", "x -> group_norm(3, epsilon=0.1)", {}, True),
    ("group_norm", "float[N, 6, T]", "x -> group_norm(2)", TRAINING, True),
    ("group_norm", "float[N, 6, H, W]", "x -> group_norm(3, affine=false)", {}, False),
    ("rms_norm", SEQUENCE, "x -> rms_norm(epsilon=0.1)", {}, True),
    ("rms_norm", "float[6]", "x -> rms_norm", {}, True),
    ("conv_transpose2d", IMAGE, "x -> conv_transpose2d(4, kernel=3, stride=2, output_padding=1)", {}, True),
    ("layer_norm", SEQUENCE, "x -> layer_norm", {}, True),
    ("layer_norm", MATRIX, "x -> layer_norm(epsilon=0.5)", {}, True),
    ("layer_norm", MATRIX, "x -> layer_norm", F64, False),
    ("batch_norm", IMAGE, "x -> batch_norm(epsilon=0.1)", {}, True),
    ("batch_norm", MATRIX, "x -> batch_norm", {}, True),
    ("batch_norm", IMAGE, "x -> batch_norm", TRAINING, False),
    ("batch_norm", IMAGE, "x -> batch_norm(affine=false)", {}, False),
    ("batch_norm", IMAGE, "x -> batch_norm(affine=false)", TRAINING, False),
    ("avg_pool2d", IMAGE, "x -> avg_pool2d(3, stride=2, padding=1)", {}, True),
    ("rnn_cell", SEQUENCE, "x -> scan(rnn_cell(4))", {}, True),
    ("rnn_cell", MATRIX, "scan(rnn_cell(4), steps=3, x=x)", {}, False),
    ("rnn_cell", SEQUENCE, "x -> scan(rnn_cell(4))", F64, False),
    ("lstm_cell", SEQUENCE, "x -> scan(lstm_cell(4))", {}, True),
    ("lstm_cell", "float[N, 6, T]", "x -> scan(lstm_cell(4), axis=2)", {}, True),
    ("lstm_cell", MATRIX, "scan(lstm_cell(4), steps=3, x=x)", {}, False),
    ("lstm_cell", SEQUENCE, "x -> scan(lstm_cell(4))", TRAINING, True),
    ("lstm_cell", SEQUENCE, "x -> scan(lstm_cell(4))", PLAIN, False),
    ("gru_cell", "float[T, N, 6]", "x -> scan(gru_cell(4), axis=0)", {}, True),
    ("gru_cell", MATRIX, "scan(gru_cell(4), steps=3, x=x)", {}, False),
]
TABLES: dict[str, Any] = {"NATIVES": natives.NATIVES, "RECURRENT": natives.RECURRENT}
ENTRIES = [(table, key) for table, entries in TABLES.items() for key in entries]
CONJUNCTS = [
    pytest.param(table, key, place, id=f"{key[1]}-{condition.__name__}")
    for table, key in ENTRIES
    for place, condition in enumerate(TABLES[table][key].when)
]


def text_of(kind: str, expression: str) -> str:
    return f"network Net:\n    input x: {kind}\n    output y = {expression}\n"


def used(block: str, kind: str, expression: str, options: dict[str, Any], folder: Path) -> bool:
    """Whether the op stands for the block, and no function of the block's own."""
    _, entry, _ = prepare(text_of(kind, expression), folder, **options)
    (op,) = [TABLES[table][key].op for table, key in ENTRIES if key[1] == block]
    functions = {function.name for function in onnx.load(folder / entry, load_external_data=False).functions}
    return op in ops_of(folder / entry) and block not in functions


@pytest.mark.parametrize("block", [key[1] for _, key in ENTRIES])
def test_every_native_has_a_case(block: str):
    assert any(case[0] == block and case[4] for case in CASES)


def agrees(kind: str, expression: str, options: dict[str, Any], folder: Path) -> bool:
    unit, entry, weights = prepare(text_of(kind, expression), folder, **options)
    sizes = {"N": 3, "T": 5, "H": 9, "W": 6}
    return not disagreements(unit, folder, entry, weights, sizes, options.get("training", False))


@pytest.mark.parametrize(("block", "kind", "expression", "options", "expected"), CASES)
def test_condition(block: str, kind: str, expression: str, options: dict[str, Any], expected: bool, tmp_path: Path):
    assert used(block, kind, expression, options, tmp_path) == expected
    assert "precision" in options or agrees(kind, expression, options, tmp_path)


@pytest.mark.parametrize(("table", "key", "place"), CONJUNCTS)
def test_a_conjunct_negated_is_seen(
    table: str, key: tuple[str, str], place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    native = TABLES[table][key]
    when = list(native.when)
    when[place] = lambda given: not native.when[place](given)
    monkeypatch.setitem(TABLES[table], key, replace(native, when=tuple(when)))
    cases = [case for case in CASES if case[0] == key[1] and case[4]]
    assert not any(used(*case[:4], tmp_path) for case in cases)


@pytest.mark.parametrize(("table", "key", "place"), CONJUNCTS)
def test_a_conjunct_left_out_is_seen(
    table: str, key: tuple[str, str], place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In a case just outside, where the op then gives other numbers or no model at all.

    What does not depend on the step stays in its cell here, which is else split, and then has no native.
    """
    monkeypatch.setattr("dlc.backends.onnx.compile.improved", lambda unit: unit)
    native = TABLES[table][key]
    when = (*native.when[:place], *native.when[place + 1 :])
    monkeypatch.setitem(TABLES[table], key, replace(native, when=when))
    outside = [case for case in CASES if case[0] == key[1] and not case[4] and not case[3].keys() - {"training"}]
    assert any(goes_wrong(case, tmp_path) for case in outside)


def goes_wrong(case: tuple[str, str, str, dict[str, Any], bool], folder: Path) -> bool:
    _, kind, expression, options, _ = case
    try:
        return not agrees(kind, expression, options, folder)
    except (DlcError, ValueError, ValidationError, InferenceError, Fail):
        return True


@pytest.mark.parametrize("block", [key[1] for _, key in ENTRIES])
def test_other_widths(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The condition that all share: ONNX Runtime has most of these ops for 32-bit floats only."""
    _, kind, expression, options, _ = next(case for case in CASES if case[0] == block and case[4] and not case[3])
    assert not used(block, kind, expression, F64, tmp_path)
    monkeypatch.setattr(natives, "in_32_bits", lambda module, precision: not in_32_bits(module, precision))
    assert not used(block, kind, expression, options, tmp_path)


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
