"""Generated code's own initialisation draws from the distributions that the spec declares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from dlc.distributions import arguments, draw
from dlc.parameters import NetworkParameter
from roundtrip_networks import SMALL, small
from test_roundtrip import canonical, tensorflow_state

QUICK = {"torch": ("LeNet5", "ResNet", "Transformer"), "tensorflow": ("LeNet5",)}
NAMES = [
    pytest.param(backend, name, marks=[] if name in QUICK[backend] else [pytest.mark.slow])
    for backend in ("torch", "tensorflow")
    for name in SMALL
]
FEW = 30  # numbers that say little about a mean
SIGMAS = 6.0  # of sampling error: one in 10^8 by chance


def initial_state(backend: str, name: str) -> dict[str, Any]:
    network = small(name)
    torch.manual_seed(1)
    model = network.build(backend)
    if backend == "torch":
        return {key: value.numpy() for key, value in canonical(network, model.state_dict()).items()}
    return tensorflow_state(model, [parameter.path for parameter in network.parameters])


def require_likely(parameter: NetworkParameter, found: Any) -> None:
    """Bounds hold; mean, deviation and extremes are as those of numbers that dlc draws itself."""
    wanted = np.asarray(draw(parameter.initial, parameter.shape, parameter.path, 17), np.float32)
    assert found.shape == wanted.shape
    if parameter.initial.name in ("constant", "zeros", "ones", "expression"):
        np.testing.assert_array_equal(found, wanted)
        return
    if parameter.initial.name == "uniform":
        low, high = (np.float32(value) for value in arguments(parameter.initial).values())
        assert low <= found.min()
        assert found.max() <= high
    count, deviation = wanted.size, float(wanted.std())
    if count < FEW:
        return
    assert abs(found.mean() - wanted.mean()) <= SIGMAS * deviation * math.sqrt(2 / count)
    assert abs(found.std() / deviation - 1) <= SIGMAS * math.sqrt(2 / count)
    if "uniform" in parameter.initial.name and count >= 500:
        largest = float(np.abs(wanted - wanted.mean()).max())
        assert 0.9 * largest <= np.abs(found - wanted.mean()).max() <= 1.1 * largest
    assert np.unique(found).size > 0.9 * min(count, 1 << 16)


@pytest.mark.parametrize(("backend", "name"), NAMES)
def test_own_initialisation(backend: str, name: str) -> None:
    found = initial_state(backend, name)
    for parameter in small(name).parameters:
        try:
            require_likely(parameter, found[parameter.path])
        except AssertionError as problem:
            raise AssertionError(f"{parameter.path} ~ {parameter.initial}: {problem}") from problem
