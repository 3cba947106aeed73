"""Small programs for the ONNX backend's tests, and how to compile, check and run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from dlc import ops
from dlc.backends.api import Network, Options, Unit
from dlc.backends.onnx import backend
from dlc.backends.onnx.runner import Runner
from dlc.ir import (
    BlockId,
    Equation,
    Home,
    Instance,
    Module,
    Parameter,
    Port,
    Program,
    State,
    Static,
    TensorType,
)

PROJECT = "test.dl"


def module(
    name: str,
    types: Sequence[TensorType],
    body: Sequence[Equation],
    *,
    inputs: Mapping[str, int] = {},
    outputs: Mapping[str, int] = {},
    homes: Sequence[Home] = (),
    parameters: Sequence[Parameter] = (),
    states: Sequence[State] = (),
    next_states: Mapping[str, int] = {},
    next_buffers: Mapping[str, int] = {},
    instances: Sequence[Instance] = (),
    training: bool = False,
    doc: str | None = None,
) -> Module:
    """A module by hand; names map to value numbers."""
    return Module(
        key=name,
        block=BlockId(PROJECT, name),
        doc=doc,
        hyperparameters=(),
        dims=(),
        homes=tuple(homes),
        training=training,
        inputs=tuple(Port(key, value) for key, value in inputs.items()),
        absent=(),
        parameters=tuple(parameters),
        states=tuple(states),
        draws=(),
        instances=tuple(instances),
        types=tuple(types),
        body=tuple(body),
        outputs=tuple(Port(key, value) for key, value in outputs.items()),
        next_states=tuple(Port(key, value) for key, value in next_states.items()),
        next_buffers=tuple(Port(key, value) for key, value in next_buffers.items()),
    )


def equation(op: str, inputs: Sequence[int | None], outputs: Sequence[int], target: Any = None, **attributes: object):
    return Equation(op, tuple(inputs), tuple(outputs), statics(attributes), target)


def statics(attributes: Mapping[str, object]) -> tuple[tuple[str, Static], ...]:
    return tuple((name, Static(value)) for name, value in attributes.items())


def program(*modules: Module, training: bool = False) -> Program:
    """The last module is the entry."""
    return Program("Net", modules, modules[-1].key, training)


def op_program(name: str, types: Sequence[TensorType], attributes: Mapping[str, object]) -> Program:
    """A network that is one op."""
    op = ops.OPS[name]
    results = op.infer(types, attributes)
    count = len(types)
    kept = {key: value for key, value in attributes.items() if key != "precision"}
    body = equation(name, range(count), range(count, count + len(results)), **kept)
    inputs = {f"x{index}": index for index in range(count)}
    outputs = {f"y{index}": count + index for index in range(len(results))}
    homes = {
        str(size): Home(str(size), f"x{index}", axis, size)
        for index, type_ in enumerate(types)
        for axis, size in enumerate(type_.shape)
        if not isinstance(size, int)
    }
    entry = module("Net", (*types, *results), [body], inputs=inputs, outputs=outputs, homes=tuple(homes.values()))
    return program(entry)


def compile_to(folder: Path, inference: Program, other: Program | None = None, **options: Any) -> Path:
    """Writes the model, checks it fully and infers its shapes strictly; its path."""
    unit = Unit("test", "0", None, (Network(inference.network, inference, other or inference),))
    artifact = backend.compile(unit, Options(**options))
    for name, content in artifact.files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    path = folder / artifact.entries[inference.network]
    check_model(path)
    return path


def check_model(path: Path) -> None:
    """What every model must pass. Weights must stand beside it by the time that it has any."""
    model = onnx.load_model(str(path), load_external_data=False)
    without_weights = onnx.ModelProto.FromString(model.SerializeToString())
    onnx.shape_inference.infer_shapes(without_weights, check_type=True, strict_mode=True, data_prop=True)
    if not model.graph.initializer:
        onnx.checker.check_model(model, full_check=True)


def run(path: Path, inputs: Mapping[str, Any], weights: Path | None = None, training: bool = False) -> dict[str, Any]:
    runner = Runner()
    runner.load(str(path.parent), path.name, None if weights is None else str(weights), "f32")
    if weights is not None:
        onnx.checker.check_model(str(path), full_check=True)
    return runner.run(inputs, training)


def require_close(found: Any, expected: Any, slack: float) -> None:
    """Raises where `found` is farther from the exact result than `slack`, scaled by its largest finite value."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"shape {found.shape}, not {expected.shape}"
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
        return
    exact = expected.astype(np.float64)
    with np.errstate(over="ignore"):
        finite = np.isfinite(exact) & np.isfinite(exact.astype(np.float32))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found[~finite], exact[~finite].astype(np.float32))
    scale = np.abs(exact[finite]).max(initial=0.0)
    error = np.abs(found[finite].astype(np.float64) - exact[finite]).max(initial=0.0)
    assert error <= slack * max(scale, np.finfo(np.float32).tiny), f"error {error}, largest value {scale}"


def ops_of(path: Path) -> set[str]:
    """The operators of a model and its functions."""
    model = onnx.load_model(str(path), load_external_data=False)
    return {node.op_type for nodes in (model.graph.node, *(f.node for f in model.functions)) for node in nodes}
