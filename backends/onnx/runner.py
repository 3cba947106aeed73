"""Runs models with ONNX Runtime, in a worker process.

A model names its weights by byte offsets into `<network>.safetensors` beside it. A weights file with that very layout
is linked to that name (copied where links do not work), so what runs is the model as a user gets it. Where the file has
another layout, or another file has that name, its tensors are given to the session by name.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
from dlc.backends.common.kernels import no_kernel
from dlc.diagnostics import error
from dlc.weights import read, read_header

if TYPE_CHECKING:
    from dlc.backends.api import Array

_NUMPY = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}

#: What NumPy, and so ONNX Runtime's Python interface, has no type for.
_UNFED = "tensor(bfloat16)"
#: Optimisers that keep a number in float32 whatever the tensors around have: here the factor beside a product, such as
#: attention's 1 / sqrt(D).
_ROUNDING = ["MatMulScaleFusion"]
#: What ONNX Runtime says where it has no kernel for the element types of a node.
_LACKS = re.compile(r"NOT_IMPLEMENTED : Could not find an implementation for (\w+)\(")

#: Ops that fail over nothing in ONNX Runtime (1.31.1), mostly by a signal that ends the process. `LSTM` and `GRU` do so
#: over no rows. See tests/onnx/test_runtime_faults.py.
_FRAGILE = ("Attention", "Einsum", "GRU", "LSTM", "Scan")


class Runner:
    """One session at a time, on one thread of the CPU: results are the same every time."""

    def __init__(self) -> None:
        self._session: ort.InferenceSession | None = None
        self._metadata: dict[str, str] = {}
        self._fragile: str | None = None

    def load(self, folder: str, entry: str, weights: str | None, precision: str) -> None:
        """`precision` is in the model already.

        Raises DlcError where ONNX Runtime refuses the model: E0815 for an op that it lacks in that precision, else
        E0804.
        """
        path = Path(folder) / entry
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = onnx.load_model(str(path), load_external_data=False)
        if weights is not None:
            _give_weights(model, path.parent, Path(weights), options)
        parts = [model.graph.node, *(function.node for function in model.functions)]
        ops = sorted({node.op_type for nodes in parts for node in nodes if node.op_type in _FRAGILE})
        self._fragile = ops[0] if ops else None
        self._session = None  # the old one's memory first
        try:
            rounding = _ROUNDING if precision == "f64" else []
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=rounding
            )
        except Exception as problem:
            if lacks := _LACKS.search(str(problem)):
                raise no_kernel("ONNX Runtime", f"`{lacks[1]}`", precision) from problem
            raise error("E0804", f"ONNX Runtime refuses {entry}: {problem}", exit_code=3) from problem
        if any(item.type == _UNFED for item in (*self._session.get_inputs(), *self._session.get_outputs())):
            raise no_kernel("ONNX Runtime", "arrays", "bf16")
        self._metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, inputs: Mapping[str, Array], training: bool) -> dict[str, Array]:
        """Outputs by name, `next <state>` and `buffer <path>`. A state left out starts where the spec says.

        A model is for one mode: E0805 where it is the other.
        """
        session = self._session
        if session is None:
            raise RuntimeError("run before load")
        asked = "training" if training else "inference"
        mode = self._metadata.get("dlc.mode", "inference")
        if asked != mode:
            raise error("E0805", f"this ONNX model is for {mode}, not for {asked}", exit_code=2)
        self._refuse_empty(inputs)
        wanted: Any = session.get_inputs()
        sizes = _sizes(wanted, inputs)
        feeds = {
            item.name: _fitting(inputs[item.name], item.type) if item.name in inputs else self._start(item, sizes)
            for item in wanted
        }
        names = [item.name for item in session.get_outputs()]
        results: Any = session.run(names, feeds)
        return {name.removeprefix("output "): np.asarray(value) for name, value in zip(names, results, strict=True)}

    def _refuse_empty(self, inputs: Mapping[str, Array]) -> None:
        for name, value in inputs.items():
            if self._fragile and np.size(value) == 0 and f"dlc.start.{name}" not in self._metadata:
                raise error(
                    "E0808",
                    f"ONNX Runtime cannot run a `{self._fragile}` over nothing",
                    found=f"`{name}` of shape {list(np.shape(value))}",
                    expected="at least one element",
                    exit_code=3,
                )

    def _start(self, item: Any, sizes: Mapping[str, int]) -> Array:
        """A state that the caller leaves out; a dimension that only it has starts at 0."""
        start = self._metadata.get(f"dlc.start.{item.name}")
        shape = [size if isinstance(size, int) else sizes.get(size, 0) for size in item.shape]
        if start is None or (start == "empty" and 0 not in shape):
            raise error("E0806", f"the model needs the input `{item.name}`", exit_code=2)
        if start == "empty":
            return np.zeros(shape, _NUMPY[item.type])
        return np.full(shape, float(start) if start not in ("True", "False") else start == "True", _NUMPY[item.type])


def _sizes(wanted: Any, inputs: Mapping[str, Array]) -> dict[str, int]:
    """The dynamic dimensions, by name, as the inputs have them."""
    given = [(item.shape, np.shape(inputs[item.name])) for item in wanted if item.name in inputs]
    return {
        name: size for names, shape in given for name, size in zip(names, shape, strict=True) if isinstance(name, str)
    }


def _fitting(array: Array, wanted: str) -> Array:
    return np.ascontiguousarray(array, dtype=_NUMPY[wanted]).reshape(array.shape)


def _give_weights(model: onnx.ModelProto, folder: Path, weights: Path, options: Any) -> None:
    external = {tensor.name: _place(tensor) for tensor in model.graph.initializer}
    if not external:
        return
    entries = read_header(weights)
    fits = all(
        name in entries and (entries[name].start, entries[name].end - entries[name].start) == place[1:]
        for name, place in external.items()
    )
    if fits and _link(weights, folder / next(iter(external.values()))[0]):
        return
    tensors = read(weights)
    held = model.graph.initializer
    elements = {tensor.name: onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type) for tensor in held}
    values = [ort.OrtValue.ortvalue_from_numpy(tensors[name].astype(elements[name])) for name in external]
    options.add_external_initializers(list(external), values)


def _place(tensor: onnx.TensorProto) -> tuple[str, int, int]:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    return entries["location"], int(entries["offset"]), int(entries["length"])


def _link(source: Path, target: Path) -> bool:
    """Makes `target` another name of `source`; whether it is that now. A file that stands there is left alone."""
    if target.exists():
        return target.samefile(source)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
    return True
