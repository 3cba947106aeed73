"""Runs generated torch files. Lives in a worker process; imports torch."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import ml_dtypes
import torch
from dlc.backends.common.kernels import no_kernel

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_FLOATS = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64}
_FIXED = {**_FLOATS, "i32": torch.int32, "i64": torch.int64, "int": torch.int64, "bool": torch.bool}
#: What torch says where the CPU has no kernel for an element type.
_LACKS = re.compile(r"\"(\w+)\" not implemented for '(\w+)'")


class Runner:
    """One model at a time; see `dlc.backends.api.RunnerProtocol`."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.model: torch.nn.Module | None = None
        self.entry: dict[str, Any] = {}
        self.precision = torch.float32
        self.file: ModuleType | None = None
        self.renamed: dict[str, str] = {}

    def load(self, folder: str, entry: str, weights: str | None, precision: str) -> None:
        self.entry = json.loads(entry)
        self.precision = _FLOATS[precision]
        self.file = _import(Path(folder) / self.entry["file"])
        torch.manual_seed(0)
        model = getattr(self.file, self.entry["factory"])()
        self.renamed = self.entry.get("renamed", {})
        if weights is not None:
            self.file.load_weights(model, weights)
        self.model = model

    def run(self, inputs: Mapping[str, Array], training: bool) -> dict[str, Array]:
        """Outputs by name; states as `next <state>`; in training mode also `buffer <path>` after the step."""
        if self.model is None:
            raise RuntimeError("run before load")
        self.model.train(training)
        args = [
            self._tensor(word, inputs[word]) if word in inputs else self._start(word, inputs)
            for word in self.entry["inputs"]
        ]
        keywords = {word: self._tensor(word, inputs[word]) for word in self.entry["optional"] if word in inputs}
        try:
            with torch.no_grad():
                result = self.model(*args, **keywords)
        except RuntimeError as problem:  # NotImplementedError is one
            if lacks := _LACKS.search(str(problem)):
                raise no_kernel("PyTorch", f"`{lacks[1]}`", lacks[2]) from problem
            raise
        results = result if isinstance(result, tuple) else (result,)
        words = [*self.entry["outputs"], *(f"next {word}" for word in self.entry["states"])]
        found = {word: _array(value) for word, value in zip(words, results, strict=True)}
        if training:
            back = {after: before for before, after in self.renamed.items()}
            for path, value in self.model.named_buffers():
                if not path.endswith("num_batches_tracked"):
                    found["buffer " + ".".join(back.get(word, word) for word in path.split("."))] = _array(value)
        return found

    def _start(self, word: str, inputs: Mapping[str, Array]) -> torch.Tensor:
        """A state that is not given; raises KeyError for one that has no start."""
        start = self.entry["starts"][word]
        shape = [size if isinstance(size, int) else inputs[size[0]].shape[size[1]] for size in start["shape"]]
        dtype = self.entry["dtypes"][word]
        return torch.full(shape, start["value"], dtype=self.precision if dtype == "float" else _FIXED[dtype])

    def _tensor(self, word: str, value: Array) -> torch.Tensor:
        dtype = self.entry["dtypes"].get(word, "float")
        kind = self.precision if dtype == "float" else _FIXED[dtype]
        return torch.from_numpy(value.copy()).to(kind)


def _import(path: Path) -> ModuleType:
    """The generated file as a module of its own name, loaded anew."""
    name = f"dlc_generated_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _array(value: torch.Tensor) -> Array:
    """NumPy has no bfloat16 of its own: its bits go over as they are, under the name that ml_dtypes gives them."""
    value = value.detach().cpu()
    if value.dtype == torch.bfloat16:
        return value.view(torch.int16).numpy().view(ml_dtypes.bfloat16).copy()
    return value.numpy().copy()
