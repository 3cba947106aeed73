"""Choices on which inputs a call gives: one class where no layer depends on it, else one class for each way to call."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.backends.api import Options
from dlc.backends.common.context import start
from dlc.backends.common.presence import given, specialised
from dlc.backends.common.structure import prepare
from dlc.backends.tensorflow import backend as tensorflow
from dlc.backends.torch import backend as torch
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from dlc.spec.syntax import Binary, Compare, Constant, Expr, Name, Unary

OWN_LAYERS = """block part(mode: str = "a"):
    input x: float[N, T, D]
    input m: bool[N, T] = none
    if mode == "a":
        y = x -> dense(4)
    elif mode == "b" and m is not none:
        y = where(expand_dims(m, -1), x -> dense(5) -> dense(4), 0)
    else:
        y = x -> dense(3) -> dense(4)
    output y

network Net:
    input x: float[N, T, 6]
    input t: int[N, T] in 0..9
    a = x -> part("a")
    b = part(a, "b", m=t != 0)
    c = b -> part("b")
    output part(c, "a", m=t != 0)
"""

ONE_LAYER = """block part(mode: str = "b"):
    input x: float[N, C, H, W]
    input m: bool[N, H, W] = none
    y = x -> conv2d(4, 1)
    if mode == "a":
        y = y -> tanh
    elif mode == "b" and m is not none:
        y = where(expand_dims(m, 1), y -> gelu, 0)
    else:
        y = y -> max_pool2d(3, stride=1, padding=1) -> leaky_relu(slope=0.2)
    output y

network Net:
    input x: float[N, 4, 5, 5]
    input t: int[N, 5, 5] in 0..9
    w = part()
    v = part("a")
    output v(w(w(x), m=t != 0))
"""

ALWAYS = """block part(mode: str):
    input x: float[N, T, D]
    input m: bool[N, T] = none
    if mode == "b" and m is not none:
        y = where(expand_dims(m, -1), x -> dense(4), 0)
    else:
        y = x -> dense(3) -> dense(4)
    output y

network Net:
    input x: float[N, T, 4]
    input t: int[N, T] in 0..9
    output x -> part("a", m=t != 0) -> part("b", m=t != 0)
"""

SPECS = {"own layers": OWN_LAYERS, "one layer": ONE_LAYER, "always": ALWAYS}


def written(folder: Path, text: str) -> Path:
    path = folder / "presence.dl"
    path.write_text(text, encoding="utf-8")
    return path


def code_of(folder: Path, text: str, backend: object = torch) -> str:
    (code,) = backend.compile(elaborate(load_project(written(folder, text))).unit, Options()).files.values()  # type: ignore[attr-defined]
    return str(code)


@pytest.mark.parametrize("what", SPECS)
def test_agrees(what: str, tmp_path: Path):
    from dlc.cli import main

    assert main(["verify", str(written(tmp_path, SPECS[what])), "--backends", "torch"]) == 0


def test_layers_of_one_way_to_call_are_a_class_of_their_own(tmp_path: Path):
    code = code_of(tmp_path, OWN_LAYERS)
    assert code.count("class Part") == 2
    assert "def forward(self, x: Tensor) -> Tensor:" in code
    assert "def forward(self, x: Tensor, m: Tensor) -> Tensor:" in code
    assert "m is not None" not in code
    assert code.count('if self.mode == "a":') == 2


def test_what_owns_nothing_may_depend_on_the_call(tmp_path: Path):
    code = code_of(tmp_path, ONE_LAYER)
    assert code.count("class Part") == 1
    assert "def forward(self, x: Tensor, m: Tensor | None = None) -> Tensor:" in code
    assert 'elif self.mode == "b" and m is not None:' in code
    assert "self.max_pool2d = nn.MaxPool2d(3, stride=1, padding=1)" in code
    assert "m: tf.Tensor | None = None" in code_of(tmp_path, ONE_LAYER, tensorflow)


def test_an_input_that_is_always_there_is_not_asked_for(tmp_path: Path):
    code = code_of(tmp_path, ALWAYS)
    assert code.count("class Part") == 1
    assert "None" not in code.split("class Part")[1].split("class Net")[0].replace("-> None", "")
    assert 'if mode == "b":' in code


IS, IS_NOT = (Compare((op,), (Name("m"), Constant(None))) for op in ("is", "is not"))
OTHER = Compare(("==",), (Name("mode"), Constant("b")))


@pytest.mark.parametrize(
    ("test", "there", "absent"),
    [
        (IS, Constant(False), Constant(True)),
        (IS_NOT, Constant(True), Constant(False)),
        (Unary("not", IS), Constant(True), Constant(False)),
        (Binary("and", OTHER, IS_NOT), OTHER, Constant(False)),
        (Binary("or", IS_NOT, OTHER), Constant(True), OTHER),
        (Binary("and", OTHER, Unary("not", OTHER)), None, None),
    ],
)
def test_specialised(test: Expr, there: Expr | None, absent: Expr | None):
    assert specialised(test, {"m": True}) == (there or test)
    assert specialised(test, {"m": False}) == (absent or test)
    assert specialised(test, {}) == test


def test_what_a_loop_calls_alike_is_no_input(tmp_path: Path):
    unit = elaborate(load_project(written(tmp_path, ALWAYS))).unit
    part = next(module for module in unit.networks[0].inference.modules if module.block.name == "part")
    context = start(0, prepare(part), False)
    assert given([context]) == {"x": True, "m": True}
    assert given([context.enter({"m": 3}, 0)]) == {"x": True}
