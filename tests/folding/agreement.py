"""Runs a unit's torch code, in both modes and at two sizes, beside the reference."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
from dlc import networks
from dlc.backends.api import Network, Options, Unit
from dlc.backends.reference.interpreter import Interpreter
from dlc.backends.torch import backend
from dlc.backends.torch.runner import Runner
from dlc.dims import evaluate
from dlc.ir import INTS, Port, Program, State
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from safetensors.numpy import save_file

ROOT = Path(__file__).parent.parent.parent
SIZES = ({"N": 2, "T": 5, "S": 4, "V": 6, "E": 9}, {"N": 3, "T": 3, "S": 7, "V": 4, "E": 5})
Arrays = dict[str, np.ndarray]


def unit_of(path: Path, network: str | None = None, settings: Mapping[str, str] | None = None) -> Unit:
    return networks.elaborate(load_project(path), networks.Choice(network, settings or {}, {})).unit


def written(folder: Path, text: str) -> Unit:
    path = folder / "case.dl"
    path.write_text(text, encoding="utf-8")
    return unit_of(path)


def weights_of(network: Network) -> Arrays:
    """Random values for everything; variances above 0."""
    generator = np.random.default_rng(1)
    found: Arrays = {}
    for parameter in network_parameters(network.inference, network.training):
        fan = int(np.prod(parameter.shape[1:])) if len(parameter.shape) > 1 else 1
        value = generator.normal(size=parameter.shape) / np.sqrt(fan)
        found[parameter.path] = (np.abs(value) + 0.5 if "var" in parameter.path else value).astype("float32")
    return found


def inputs_of(program: Program, sizes: Mapping[str, int]) -> Arrays:
    generator = np.random.default_rng(2)
    entry = program.module(program.entry)
    ports: list[Port | State] = [*entry.inputs, *entry.states]
    found: Arrays = {}
    for port in ports:
        kind = entry.types[port.value]
        shape = [evaluate(size, sizes) for size in kind.shape]
        if kind.dtype in INTS:
            bounds = port.bounds if isinstance(port, Port) and port.bounds else (0, 5)
            low, high = (evaluate(bound, sizes) for bound in bounds)
            found[port.name] = generator.integers(low, high, shape)
        else:
            found[port.name] = generator.normal(size=shape).astype("float32")
    return found


def require_agreement(unit: Unit, folder: Path, natives: bool = True) -> str:
    """Gives the code. Raises AssertionError where a network's numbers are not the reference's."""
    artifact = backend.compile(unit, Options(natives=natives))
    for name, text in artifact.files.items():
        (folder / name).write_text(str(text), encoding="utf-8")
    runner = Runner()
    for network in unit.networks:
        weights = weights_of(network)
        save_file(weights, folder / "weights.safetensors")
        runner.load(str(folder), artifact.entries[network.name], str(folder / "weights.safetensors"), "f32")
        for sizes in SIZES:
            inputs = inputs_of(network.inference, sizes)
            wanted = Interpreter(network.inference, weights, exact=True).run(inputs)
            found = runner.run(inputs, False)
            assert set(found) == set(wanted)
            for name, array in wanted.items():
                scale = max(float(np.abs(array).max(initial=0.0)), 1e-6)
                np.testing.assert_allclose(
                    found[name], array, rtol=0, atol=2e-5 * scale, err_msg=f"{network.name} {name}"
                )
    return "\n".join(str(text) for text in artifact.files.values())


def imported(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


__all__ = ["ROOT", "imported", "require_agreement", "unit_of", "written"]
