"""Factories of generated TensorFlow code are honest: their models at other arguments have the spec's parameters."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dlc import networks
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend
from dlc.diagnostics import DlcError
from dlc.networks import Choice
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from honesty import executed, others, text

HERE = Path(__file__).parent
SPECS = ("gin", "inception", "leftovers", "vae")


def _code(path: Path) -> tuple[Any, ModuleType]:
    unit = networks.elaborate(load_project(path)).unit
    (source,) = backend.compile(unit, Options()).files.values()
    return unit, executed(re.sub(r'package="(\w+)"', r'package="\1_honest"', str(source)), path)


def _weights(code: ModuleType, model: Any) -> dict[str, list[int]]:
    """Sizes by canonical path, sorted: Keras has the axes of kernels in another order."""
    return {path: sorted(weight.shape) for path, weight in code.named_weights(model.layers[-1]).items()}


@pytest.mark.parametrize("stem", SPECS)
def test_networks(stem: str) -> None:
    path = HERE / "honest" / f"{stem}.dl"
    unit, code = _code(path)
    tried = 0
    for network in unit.networks:
        factory = getattr(code, network.name)
        for word, argument in inspect.signature(factory).parameters.items():
            default = tuple(argument.default) if isinstance(argument.default, list) else argument.default
            for value in others(default)[:1]:
                try:
                    choice = Choice(network.name, {word: text(value)})
                    (other,) = networks.elaborate(load_project(path), choice).unit.networks
                except DlcError:
                    continue
                wanted = {one.path: sorted(one.shape) for one in parameters(other.training)}
                model = factory(**{word: list(value) if isinstance(value, tuple) else value})
                assert _weights(code, model) == wanted, f"{network.name}({word}={value})"
                tried += 1
    assert tried
