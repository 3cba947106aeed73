"""ONNX Runtime's own faults that the backend works around or refuses, as small as they get.

Each is a strict record: where one of these starts to pass, ONNX Runtime has been mended, and what it led to can go.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from dlc.backends.onnx.runner import Runner
from dlc.diagnostics import DlcError
from test_features import disagreements, prepare

RUN = """
import sys, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
session.run(None, {item.name: numpy.zeros(item.shape, numpy.float32) for item in session.get_inputs()})
"""

#: Op, shapes of its inputs, attributes.
FAULTS: dict[str, tuple[str, list[list[int]], dict[str, Any]]] = {
    "einsum of no rows": ("Einsum", [[0, 2, 3], [0, 4, 3]], {"equation": "ntd,nsd->nts"}),
    "einsum over nothing": ("Einsum", [[1, 2, 0], [1, 4, 0]], {"equation": "ntd,nsd->nts"}),
    "lstm of no rows": ("LSTM", [[5, 0, 3], [1, 16, 3], [1, 16, 4]], {"hidden_size": 4}),
    "gru of no rows": ("GRU", [[5, 0, 3], [1, 12, 3], [1, 12, 4]], {"hidden_size": 4}),
}
#: The same where there is something: these run.
CONTROLS = {
    name: (op, [[size or 1 for size in shape] for shape in shapes], attributes)
    for name, (op, shapes, attributes) in FAULTS.items()
}


def exit_code(op: str, shapes: list[list[int]], attributes: dict[str, Any], folder: Path) -> int:
    """Of a process that runs the one node."""
    names = [f"x{place}" for place in range(len(shapes))]
    node = onnx.helper.make_node(op, names, ["y"], **attributes)
    inputs = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in zip(names, shapes, strict=True)]
    graph = onnx.helper.make_graph([node], "fault", inputs, [onnx.helper.make_tensor_value_info("y", 1, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    onnx.save_model(model, str(folder / "fault.onnx"))
    command = [sys.executable, "-c", RUN, str(folder / "fault.onnx")]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize(("axis", "shape"), [(-1, (0, 3)), (1, (0,))])
def test_a_negative_axis_of_nothing_is_still_ignored(axis: int, shape: tuple[int, ...]):
    """A sum over the last axis of [0, 3], keepdims=0: rules name axes from the front."""
    inputs = [np.zeros((0, 3), np.float32), np.asarray([axis], np.int64)]
    assert result_of("ReduceSum", inputs, {"keepdims": 0}).shape == shape


def result_of(op: str, inputs: list[Any], attributes: dict[str, Any]) -> Any:
    """Of one node."""
    kinds = {np.dtype("float32"): 1, np.dtype("int64"): 7, np.dtype("bool"): 9}
    names = [f"x{place}" for place in range(len(inputs))]
    ports = [
        onnx.helper.make_tensor_value_info(name, kinds[array.dtype], array.shape)
        for name, array in zip(names, inputs, strict=True)
    ]
    node = onnx.helper.make_node(op, names, ["y"], **attributes)
    result = onnx.helper.make_tensor_value_info("y", kinds[inputs[0].dtype], None)
    graph = onnx.helper.make_graph([node], "fault", ports, [result])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


def test_the_largest_of_minus_infinity_is_still_finite():
    """rules/pooling.py."""
    x = np.full((1, 1, 2), -np.inf, np.float32)
    assert result_of("MaxPool", [x], {"kernel_shape": [2]}) == np.finfo(np.float32).min


def test_the_mean_of_nothing_is_still_zero():
    """rules/reduction.py."""
    axes = np.asarray([1], np.int64)
    assert result_of("ReduceMean", [np.zeros((1, 0), np.float32), axes], {"keepdims": 0}).tolist() == [0.0]


def test_bools_still_do_not_reduce_over_nothing():
    """rules/reduction.py: `any` and `all`."""
    axes = np.asarray([1], np.int64)
    with pytest.raises(Exception, match=r"\[ONNXRuntimeError\]"):
        result_of("ReduceMax", [np.zeros((1, 0), bool), axes], {"keepdims": 0})


def test_there_is_still_no_choice_between_bools():
    """rules/elementwise.py: `where` of bools is logic."""
    with pytest.raises(Exception, match="Where"):
        result_of("Where", [np.ones(1, bool)] * 3, {})


@pytest.mark.parametrize("rows", [0, 1])
def test_a_transposed_product_of_no_rows_is_still_refused(rows: int):
    """`FusedMatMul` takes [0, 2, 5, 4] transposed for a wrong batch beside a matrix: the gradient of `resize`."""
    turned = onnx.helper.make_node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2])
    product = onnx.helper.make_node("MatMul", ["t", "w"], ["y"])
    shapes = {"x": [rows, 2, 5, 4], "w": [5, 3], "y": None}
    x, w, y = (onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in shapes.items())
    graph = onnx.helper.make_graph([turned, product], "fault", [x, w], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    inputs = {name: np.zeros(shapes[name], np.float32) for name in ("x", "w")}
    if rows:
        assert session.run(None, inputs)[0].shape == (rows, 2, 4, 3)
        return
    with pytest.raises(Exception, match="cannot broadcast"):
        session.run(None, inputs)


@pytest.mark.parametrize("fault", FAULTS)
def test_onnx_runtime_still_dies(fault: str, tmp_path: Path):
    assert exit_code(*FAULTS[fault], tmp_path) < 0


@pytest.mark.parametrize(("shape", "refused"), [([0, 2, 5, 4], True), ([3, 2, 0, 4], True), ([3, 2, 5, 4], False)])
def test_attention_over_nothing_is_still_refused(shape: list[int], refused: bool, tmp_path: Path):
    assert (exit_code("Attention", [shape] * 3, {}, tmp_path) > 0) == refused


@pytest.mark.parametrize("fault", FAULTS)
def test_control(fault: str, tmp_path: Path):
    assert exit_code(*CONTROLS[fault], tmp_path) == 0


#: Patterns that become products, so that no rows are no fault.
PATTERNS = ["n t d, n s d -> n t s", "n t s, n s d -> n t d", "n t d, n s d -> n s t", "n t s, n s d -> n d t"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("rows", [0, 3])
def test_products_of_nothing(pattern: str, rows: int, tmp_path: Path):
    first, second = ("n t d", "n s d") if "n t d," in pattern else ("n t s", "n s d")
    sizes = {"n": "N", "t": "T", "s": "S", "d": "4"}
    kinds = [f"float[{', '.join(sizes[letter] for letter in term.split())}]" for term in (first, second)]
    text = f'network Net:\n    input a: {kinds[0]}\n    input b: {kinds[1]}\n    output y = einsum("{pattern}", a, b)\n'
    unit, entry, weights = prepare(text, tmp_path)
    assert not disagreements(unit, tmp_path, entry, weights, {"N": rows, "T": 2, "S": 5}, False)
    ops = {node.op_type for node in onnx.load(str(tmp_path / entry)).graph.node}
    assert "Einsum" not in ops


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("float[N, T, 3]", "x -> scan(lstm_cell(4))"),
        ("float[N, 3, 3]", 'einsum("n i i -> n i", x)'),
        ("float[N, T, 3]", "x -> expand_dims(1) -> keyed"),
    ],
)
def test_the_runner_refuses(kind: str, expression: str, tmp_path: Path):
    """What is left: the process lives on."""
    keyed = (
        "block keyed:\n    input x: float[N, H, T, D]\n    output scaled_dot_product_attention()(x, x, x)\n\n\n"
        if "keyed" in expression
        else ""
    )
    _, entry, weights = prepare(f"{keyed}network Net:\n    input x: {kind}\n    output y = {expression}\n", tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    with pytest.raises(DlcError, match="E0808"):
        runner.run({"x": np.zeros((0, 3, 3), np.float32)}, False)


def test_scatter_nd_still_loses_sums_between_threads():
    """Rows of ones, all into one place: `ScatterElements` counts them, `ScatterND` with several threads does not."""
    rows, width = 50_000, 16
    node = onnx.helper.make_node("ScatterND", ["start", "places", "x"], ["y"], reduction="add")
    ports = [
        onnx.helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (("start", 1, [4, width]), ("places", 7, [rows, 1]), ("x", 1, [rows, width]))
    ]
    graph = onnx.helper.make_graph([node], "fault", ports, [onnx.helper.make_tensor_value_info("y", 1, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {
        "start": np.zeros((4, width), np.float32),
        "places": np.zeros((rows, 1), np.int64),
        "x": np.ones((rows, width), np.float32),
    }
    totals = (session.run(None, given)[0][0] for _ in range(500))
    assert any((total != rows).any() for total in totals), "it may be mended: see rules/segment.py"
