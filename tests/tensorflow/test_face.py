"""What generated code looks like where it could look worse: sizes, helpers, names."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend
from dlc.backends.tensorflow.named_sizes import name_sizes
from dlc.backends.tensorflow.tidy import tidy
from keras_models import ROOT, check_agrees, compiled, example, imported, require_ruff_clean, written

TEXTS = ROOT / "backends" / "tensorflow"


@pytest.mark.parametrize("name", ["helpers", "layers", "loading"])
def test_helpers_are_laid_out_as_generated_files(name: str, tmp_path: Path) -> None:
    text = (TEXTS / f"{name}.py").read_text(encoding="utf-8")
    (tmp_path / "text.py").write_text(text.replace("# fmt: off\n", ""), encoding="utf-8")
    require_ruff_clean(tmp_path / "text.py")


def test_a_file_has_the_helpers_that_it_needs_alone(tmp_path: Path) -> None:
    spec = "network Net:\n    input x: float[N, T, 6]\n    output y = softmax(x, axis=-1)\n"
    text = backend.compile(written(tmp_path, spec), Options()).files["case_tensorflow.py"]
    assert isinstance(text, str)
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert functions == ["masked_softmax", "Net", "load_weights", "named_weights"]
    assert "KERAS_LAYERS" not in text


def test_a_name_of_the_spec_gives_way_only_to_a_helper_that_is_used(tmp_path: Path) -> None:
    spec = "network Net:\n    input x: float[N, T, 6]\n    masked_softmax = {value}\n"
    spec += "    output y = masked_softmax * masked_softmax\n"
    plain = backend.compile(written(tmp_path, spec.format(value="x + 1")), Options()).files["case_tensorflow.py"]
    assert isinstance(plain, str)
    assert "masked_softmax = x + 1" in plain
    check_agrees(written(tmp_path, spec.format(value="softmax(x, axis=-1)")), tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = x\nreturn x", "return x"),
        ("a, y = f(x)\nx = y\nreturn a + x", "a, x = f(x)\nreturn a + x"),
        ("a, y = f(x)\nx = y\nreturn y + x", "a, y = f(x)\nx = y\nreturn y + x"),
        ("x, y = f(x)\nx = y\nreturn x", "x, y = f(x)\nreturn y"),
        ("if t:\n    y = f(x)\n    x = y\nreturn x", "if t:\n    x = f(x)\nreturn x"),
        ("y = f(x)\ng(y)\nx = y\nreturn x", "y = f(x)\ng(y)\nreturn y"),
        ("y = f(x)\nreturn y", "return f(x)"),
        ("y = f(x)\nreturn z", "y = f(x)\nreturn z"),
        ("y, z = f(x)\nreturn y", "y, z = f(x)\nreturn y"),
    ],
)
def test_tidy(before: str, after: str) -> None:
    assert ast.unparse(ast.Module(tidy(ast.parse(before).body), [])) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return f(ops.shape(x)[1])", "return f(ops.shape(x)[1])"),
        ("return f(ops.shape(x)[1], ops.shape(x)[1])", "t = ops.shape(x)[1]\nreturn f(t, t)"),
        ("return f(ops.shape(x)[0], ops.shape(x)[1])", "n, t, _ = ops.shape(x)\nreturn f(n, t)"),
        ("x = f(ops.shape(x)[0], ops.shape(x)[1])", "x = f(ops.shape(x)[0], ops.shape(x)[1])"),
    ],
)
def test_named_sizes(before: str, after: str) -> None:
    found = name_sizes(ast.parse(before).body, {"x": ["n", "t", "d"]}, lambda wish: wish)
    assert ast.unparse(ast.fix_missing_locations(ast.Module(found, []))) == after


def test_a_class_serves_other_widths_than_it_was_compiled_for(tmp_path: Path) -> None:
    """Heads are as wide as the width has it, not as they were."""
    compiled(example("transformer", "Transformer"), tmp_path)
    module = imported(tmp_path / "transformer_tensorflow.py")
    model = module.Transformer(vocab=11, width=12, heads=3, inner=8, layers=1)
    logits = model({"source": np.ones((2, 5), "int64"), "target": np.ones((2, 4), "int64")})
    assert logits.shape == (2, 4, 11)
