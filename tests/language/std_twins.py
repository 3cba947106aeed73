"""Blocks of the standard library beside PyTorch: weights by name, one call on given arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from language_runs import Array, Ran, run

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
nn = torch.nn
F = torch.nn.functional


def tensor(array: Array) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def numpy(value: torch.Tensor) -> Array:
    return value.detach().numpy()


def load(module: nn.Module, weights: Mapping[str, Array]) -> nn.Module:
    """The module in float64 with these weights; all of them are used, and none is left as it was drawn."""
    state = {name: tensor(array) for name, array in weights.items()}
    open_names = {n for n in module.state_dict() if not n.endswith("num_batches_tracked")} - set(state)
    assert not open_names, open_names
    module.double().load_state_dict(state, strict=False)
    return module


def declared(inputs: Mapping[str, Array]) -> str:
    """`input` lines for fixed shapes."""
    kind = {"f": "float", "i": "int", "b": "bool"}
    lines = (f"    input {n}: {kind[a.dtype.kind]}[{', '.join(map(str, a.shape))}]\n" for n, a in inputs.items())
    return "network A:\n" + "".join(lines)


def applied(folder: Path, body: str, inputs: Mapping[str, Array]) -> Ran:
    return run(folder, declared(inputs) + "".join(f"    {line}\n" for line in body.splitlines()), inputs)
