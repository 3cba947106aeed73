"""Runs generated Keras models in a worker process: one thread, CPU, no noise."""

from __future__ import annotations

import os

# These count only before the import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import importlib.util
import json
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from dlc.backends.common.kernels import no_kernel
from dlc.diagnostics import DlcError, error

if TYPE_CHECKING:
    from dlc.backends.api import Array

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.debugging.disable_traceback_filtering()  # it would hide what `_no_kernel` looks for

#: What TensorFlow says where an op does not take an element type, or the CPU has no kernel for it: op, type.
_LACKS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"Value for attr '\w+' of (?P<dtype>\w+) is not in the list of allowed values.*\{\{node (?P<op>\w+)\}\}",
        r"Could not find device for node: .*? = (?P<op>\w+)\[.*?\b\w+=DT_(?P<dtype>\w+)",
        r"No OpKernel was registered to support Op '(?P<op>\w+)'.*?\b\w+=DT_(?P<dtype>\w+)",
        r"has DataType (?P<dtype>\w+) not in list of allowed values",
    )
)


class Runner:
    """One model at a time, both modes."""

    def __init__(self) -> None:
        self._model: Any = None
        self._outputs: dict[str, str] = {}
        self._starts: dict[str, dict[str, Any]] = {}
        self._start: list[Any] = []
        self._traced = False
        self._weights: Any = None
        self._loaded = 0

    def load(self, folder: str, entry: str, weights: str | None, precision: str) -> None:
        """`entry` is JSON (see `compile`); the precision is in the file already."""
        made = json.loads(entry)
        self._model = None
        keras.backend.clear_session()
        keras.config.disable_traceback_filtering()  # which that has turned on
        module = self._import(Path(folder) / made["file"])
        try:
            self._model = getattr(module, made["factory"])()
        except (TypeError, tf.errors.OpError) as problem:
            raise _no_kernel(problem) or problem from problem
        if weights is not None:
            module.load_weights(self._model, weights)
        self._outputs = made["outputs"]
        self._starts = made["starts"]
        self._traced = hasattr(module, "scan")
        self._weights = module.named_weights
        self._start = [variable.numpy() for variable in self._model.non_trainable_variables]

    def _import(self, path: Path) -> Any:
        """The generated file, fresh: classes registered by an earlier version of it are replaced."""
        self._loaded += 1
        name = f"dlc_generated_{self._loaded}_{path.stem}"
        specification = importlib.util.spec_from_file_location(name, path)
        if specification is None or specification.loader is None:
            raise error("E0803", f"no Python file {path}", exit_code=3)
        module = importlib.util.module_from_spec(specification)
        sys.modules[name] = module
        try:
            specification.loader.exec_module(module)
        finally:
            del sys.modules[name]
        return module

    def run(self, inputs: Mapping[str, Array], training: bool) -> dict[str, Array]:
        """Outputs by name, `next <state>`; in training mode `buffer <path>` after the step. Each run starts afresh."""
        model = self._model
        if model is None:
            raise RuntimeError("run before load")
        for variable, value in zip(model.non_trainable_variables, self._start, strict=True):
            variable.assign(value)
        call = tf.function(model, autograph=False) if self._traced else model
        try:
            results: Any = call(self._feeds(inputs), training=training)
        except (TypeError, tf.errors.OpError) as problem:
            raise _no_kernel(problem) or problem from problem
        if len(self._outputs) == 1:
            results = dict.fromkeys(self._outputs, results)
        found = {word: np.asarray(results[name].numpy()) for name, word in self._outputs.items()}
        if training:
            found.update(self._buffers())
        return found

    def _feeds(self, inputs: Mapping[str, Array]) -> Any:
        feeds = {
            tensor.name: tf.convert_to_tensor(_fitting(_given(inputs, self._starts, tensor.name), tensor.dtype))
            for tensor in self._model.inputs
        }
        return feeds if len(feeds) > 1 else next(iter(feeds.values()))

    def _buffers(self) -> dict[str, Array]:
        body = self._model.layers[-1]
        buffers = {id(variable) for variable in body.non_trainable_weights}
        named = self._weights(body).items()
        return {f"buffer {name}": np.asarray(variable.numpy()) for name, variable in named if id(variable) in buffers}


def _given(inputs: Mapping[str, Array], starts: Mapping[str, Mapping[str, Any]], name: str) -> Array:
    """An input by Keras' name, which has underscores for dots; a state that is not given as it starts."""
    for key, value in inputs.items():
        if key == name or _underscored(key) == name:
            return value
    for key, start in starts.items():
        if _underscored(key) == name:
            shape = [size if isinstance(size, int) else inputs[size[0]].shape[size[1]] for size in start["shape"]]
            return np.full(shape, start["value"])
    raise error("E0810", f"no value for the input `{name}`", exit_code=2)


def _no_kernel(problem: BaseException) -> DlcError | None:
    """The error for an op that TensorFlow lacks in some element type, if that is what `problem` says."""
    found = next((match for pattern in _LACKS if (match := pattern.search(str(problem)))), None)
    if found is None:
        return None
    # While it traces, TensorFlow tells the op to nobody but its own frames.
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(problem.__traceback__)]
    traced = [str(held["op_type_name"]) for held in frames if "op_type_name" in held]
    op = found.groupdict().get("op") or (traced[-1] if traced else None)
    return no_kernel("TensorFlow", f"`{op}`" if op else "kernel for an op of this network", found["dtype"])


def _underscored(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)


def _fitting(value: Array, dtype: str) -> Any:
    if dtype == "bfloat16":
        return tf.cast(tf.convert_to_tensor(np.asarray(value)), tf.bfloat16)
    return np.asarray(value).astype(dtype)
