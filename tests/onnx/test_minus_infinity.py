"""Nodes that mend what ONNX Runtime makes of -inf: where a value may hold it, and only there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from dlc.backends.onnx.runner import Runner
from dlc.verify.compare import AGREES, compare
from dlc.verify.oracle import references
from dlc.weights import read
from test_features import prepare

POOL = "max_pool2d(3, stride=2, padding=1)"
BLOCKS = """
block above:
    input x: float[N, 2, H, W]
    output x -> conv2d(2, kernel=1) -> relu

block pooled:
    input x: float[N, 2, H, W]
    output max_pool(x, kernel=2)

block last:
    input x: float[N, 2, H, W]
    state h: float[N, 2, H, W] = 0
    next h = relu(x)
    output y = max_pool(next h, kernel=2)
    output z = max_pool(h, kernel=2)

network Net:
    input x: float[N, 2, H, W]
"""

#: The end of the network, and how many of its pools are mended.
CASES = {
    "an input": (f"    output y = x -> {POOL}\n", 1),
    "after relu": (f"    output y = x -> relu -> {POOL}\n", 0),
    "after a block that ends with relu": (f"    output y = x -> above -> {POOL}\n", 0),
    "after a convolution": (f"    output y = x -> conv2d(3, kernel=1) -> {POOL}\n", 1),
    "a pool of a pool": (f"    output y = x -> tanh -> {POOL} -> {POOL}\n", 1),
    "a sum": (f"    output y = (relu(x) + relu(x)) -> {POOL}\n", 1),
    "one block at two places, both known": (
        "    output y = x -> relu -> pooled\n    output z = x -> exp -> pooled\n",
        0,
    ),
    "one block at two places, one known": ("    output y = x -> relu -> pooled\n    output z = x -> pooled\n", 1),
    "dilated": ("    output y = max_pool(x, kernel=2, dilation=2)\n", 0),
    "a cell": ("    r = scan(last(), steps=2, x=x)\n    output y = r.y\n    output z = r.z\n", 1),
}


def mended(path: Path) -> int:
    """How many pools in the file's functions and graph are mended."""
    model = onnx.load_model(str(path), load_external_data=False)
    parts = [model.graph.node, *(function.node for function in model.functions)]
    called = Counter(node.op_type for nodes in parts for node in nodes)
    return called["max_pool"]


@pytest.mark.parametrize("case", CASES)
def test_a_pool_is_mended_where_it_must_be(case: str, tmp_path: Path):
    end, count = CASES[case]
    unit, entry, weights = prepare(BLOCKS + end, tmp_path)
    (network,) = unit.networks
    assert mended(tmp_path / entry) == count
    x = np.random.default_rng(1).normal(size=(2, 2, 7, 8)).astype(np.float32)
    x[0, 0] = -np.inf
    x[1, 1, :4, :4] = -np.inf
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    reports = compare(runner.run({"x": x}, False), references(network.inference, read(weights), {"x": x}))
    assert [report for report in reports if report.verdict != AGREES] == []


@pytest.mark.parametrize(("precision", "count"), [("f32", 1), ("f64", 0), ("f16", 0)])
def test_only_32_bits_are_mended(precision: str, count: int, tmp_path: Path):
    _, entry, _ = prepare(BLOCKS + CASES["an input"][0], tmp_path, precision=precision)
    assert mended(tmp_path / entry) == count
    runner = Runner()
    runner.load(str(tmp_path), entry, None, precision)
    found = runner.run({"x": np.full((1, 2, 5, 5), -np.inf)}, False)["y"]
    np.testing.assert_array_equal(found, np.full((1, 2, 3, 3), -np.inf))


@pytest.mark.parametrize(("expression", "guarded"), [("x", True), ("tanh(x)", False), ("relu(x) + relu(x)", True)])
def test_a_softmax_is_mended_where_it_must_be(expression: str, guarded: bool, tmp_path: Path):
    text = f"network Net:\n    input x: float[N, 4]\n    output y = softmax({expression})\n"
    _, entry, _ = prepare(text, tmp_path)
    model = onnx.load_model(str(tmp_path / entry))
    assert bool(model.functions) == guarded


def test_onnx_runtime_still_starts_at_the_lowest_number():
    """If this fails, pools need no mending any more: see rules/pooling.py."""
    pool = onnx.helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2])
    x, y = (onnx.helper.make_tensor_value_info(name, 1, [1, 1, size]) for name, size in [("x", 2), ("y", 1)])
    graph = onnx.helper.make_graph([pool], "pool", [x], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": np.full((1, 1, 2), -np.inf, np.float32)})
    assert found == np.finfo(np.float32).min
