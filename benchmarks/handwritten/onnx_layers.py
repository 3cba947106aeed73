"""What one writes in ONNX for a recurrence, or for a sum over the messages of a graph.

Scattering is along the rows, as `torch.onnx.export` writes `index_add` and `scatter_reduce`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]
#: Of each of ONNX's gates, its place among ours.
_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
_REDUCTIONS = {"sum": "add", "mean": "add", "max": "max"}


def made(case: str, weights: Mapping[str, Array]) -> onnx.ModelProto:
    """The model of a case of `benchmarks.layer_speed`."""
    graph = _recurrent(case, weights) if case in _GATES else _messages(case)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


def _recurrent(case: str, weights: Mapping[str, Array]) -> onnx.GraphProto:
    ours = {name.split(".", 3)[-1]: value for name, value in weights.items()}
    gates = _GATES[case]
    inputs = _gates(ours["dense.weight"], gates)[None]
    states = _gates(ours["dense_2.weight"], gates)[None]
    bias = _gates(ours["dense.bias"], gates)
    own = ours.get("recurrent_bias", np.zeros(0, np.float32))
    both = np.concatenate([bias, np.zeros(bias.size - own.size, np.float32), own])[None]
    reset = {"linear_before_reset": 1} if case == "gru" else {}
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        helper.make_node(case.upper(), ["steps", "w", "r", "b"], ["all"], hidden_size=states.shape[2], **reset),
        helper.make_node("Squeeze", ["all", "one"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["y"], perm=[1, 0, 2]),
    ]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "t", inputs.shape[2]])]
    return _graph(nodes, given, {"w": inputs, "r": states, "b": both, "one": np.array([1])})


def _gates(weight: Array, order: Sequence[int]) -> Array:
    parts = np.split(weight, len(order))
    return np.concatenate([parts[place] for place in order])


def _messages(case: str) -> onnx.GraphProto:
    given = [
        helper.make_tensor_value_info("h", TensorProto.FLOAT, ["v", "f"]),
        helper.make_tensor_value_info("edges", TensorProto.INT64, [2, "e"]),
    ]
    nodes = [
        helper.make_node("Gather", ["edges", "zero"], ["source"], axis=0),
        helper.make_node("Gather", ["edges", "one"], ["target"], axis=0),
        helper.make_node("Gather", ["h", "source"], ["sent"], axis=0),
        helper.make_node("Shape", ["h"], ["shape"]),
        helper.make_node("Shape", ["h"], ["nodes"], end=1),
        *(_attended() if case == "softmax" else [helper.make_node("Identity", ["sent"], ["rows"])]),
        *_scattered("rows", "shape", "folded", _REDUCTIONS.get(case, "add")),
        *_finished(case),
    ]
    constants = {"zero": np.array(0), "one": np.array(1), "axis": np.array([1])}
    floats = {"none": np.float32(0), "unit": np.float32(1), "low": np.float32(-np.inf)}
    return _graph(nodes, given, {**constants, **{key: np.asarray(value) for key, value in floats.items()}})


def _attended() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Gather", ["h", "zero"], ["left"], axis=1),
        helper.make_node("Gather", ["h", "one"], ["right"], axis=1),
        helper.make_node("Gather", ["left", "source"], ["from"], axis=0),
        helper.make_node("Gather", ["right", "target"], ["to"], axis=0),
        helper.make_node("Add", ["from", "to"], ["score"]),
        _filled("nodes", "lowest", -np.inf),
        helper.make_node("ScatterElements", ["lowest", "target", "score"], ["peak"], axis=0, reduction="max"),
        helper.make_node("Gather", ["peak", "target"], ["peaks"], axis=0),
        helper.make_node("Sub", ["score", "peaks"], ["shifted"]),
        helper.make_node("Exp", ["shifted"], ["weight"]),
        _filled("nodes", "nothing", 0.0),
        helper.make_node("ScatterElements", ["nothing", "target", "weight"], ["total"], axis=0, reduction="add"),
        helper.make_node("Gather", ["total", "target"], ["totals"], axis=0),
        helper.make_node("Div", ["weight", "totals"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "axis"], ["shares"]),
        helper.make_node("Mul", ["shares", "sent"], ["rows"]),
    ]


def _scattered(rows: str, shape: str, out: str, reduction: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Unsqueeze", ["target", "axis"], ["column"]),
        helper.make_node("Shape", [rows], ["wide"]),
        helper.make_node("Expand", ["column", "wide"], ["places"]),
        _filled(shape, "start", -np.inf if reduction == "max" else 0.0),
        helper.make_node("ScatterElements", ["start", "places", rows], [out], axis=0, reduction=reduction),
    ]


def _finished(case: str) -> list[onnx.NodeProto]:
    if case == "max":
        return [
            helper.make_node("Equal", ["folded", "low"], ["empty"]),
            helper.make_node("Where", ["empty", "none", "folded"], ["y"]),
        ]
    if case != "mean":
        return [helper.make_node("Identity", ["folded"], ["y"])]
    return [
        helper.make_node("Shape", ["target"], ["count"]),
        _filled("count", "ones", 1.0),
        _filled("nodes", "nothing", 0.0),
        helper.make_node("ScatterElements", ["nothing", "target", "ones"], ["sizes"], axis=0, reduction="add"),
        helper.make_node("Max", ["sizes", "unit"], ["divisor"]),
        helper.make_node("Unsqueeze", ["divisor", "axis"], ["divisors"]),
        helper.make_node("Div", ["folded", "divisors"], ["y"]),
    ]


def _filled(shape: str, out: str, value: float) -> onnx.NodeProto:
    number = helper.make_tensor("value", TensorProto.FLOAT, [1], [value])
    return helper.make_node("ConstantOfShape", [shape], [out], value=number)


def _graph(
    nodes: Sequence[onnx.NodeProto], given: Sequence[onnx.ValueInfoProto], constants: Mapping[str, Array]
) -> onnx.GraphProto:
    read = {word for node in nodes for word in node.input}
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items() if name in read]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    return helper.make_graph(list(nodes), "written", list(given), [out], stored)
