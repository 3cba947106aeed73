"""Compiles specs for Keras and compares what they compute with the reference."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
from dlc import networks
from dlc.backends.api import Network, Options, Unit
from dlc.backends.reference.interpreter import Interpreter
from dlc.backends.tensorflow import backend
from dlc.backends.tensorflow.runner import Runner
from dlc.dims import evaluate
from dlc.ir import INTS, Port, Program, State
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from safetensors.numpy import save_file

ROOT = Path(__file__).parent.parent.parent
EPS = float(np.finfo("float32").eps)
#: Sizes of dynamic dimensions at which everything is run.
SIZES = ({"N": 2, "T": 5, "S": 4, "V": 6, "E": 9}, {"N": 3, "T": 3, "S": 7, "V": 4, "E": 5})

Arrays = dict[str, np.ndarray]


def example(name: str, network: str | None = None, settings: Mapping[str, str] | None = None) -> Unit:
    """One of the example specs."""
    choice = networks.Choice(network, settings or {}, {})
    return networks.elaborate(load_project(ROOT / "examples" / f"{name}.dl"), choice).unit


def written(folder: Path, text: str, name: str = "case") -> Unit:
    """A spec's text, elaborated."""
    path = folder / f"{name}.dl"
    path.write_text(text, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def compiled(unit: Unit, folder: Path, natives: bool = True, precision: str = "f32") -> dict[str, str]:
    """Writes the files; gives the entries by network."""
    artifact = backend.compile(unit, Options(natives=natives, precision=precision))
    for name, text in artifact.files.items():
        assert isinstance(text, str)
        (folder / name).write_text(text, encoding="utf-8")
    return dict(artifact.entries)


def weights_of(network: Network) -> Arrays:
    """Random values for everything, also for what starts at 0 or 1: variances above 0."""
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
        type_ = entry.types[port.value]
        shape = [evaluate(size, sizes) for size in type_.shape]
        if type_.dtype in INTS:
            bounds = port.bounds if isinstance(port, Port) and port.bounds else (0, 5)
            low, high = (evaluate(bound, sizes) for bound in bounds)
            found[port.name] = generator.integers(low, high, shape)
        elif type_.dtype == "bool":
            found[port.name] = generator.random(shape) < 0.7
        else:
            found[port.name] = generator.normal(size=shape).astype("float32")
    return found


def check_agrees(unit: Unit, folder: Path, natives: bool = True) -> None:
    """Every network, in both modes, at two sizes, gives the reference's numbers. Raises AssertionError."""
    entries = compiled(unit, folder, natives)
    runner = Runner()
    for network in unit.networks:
        weights = weights_of(network)
        save_file(weights, folder / "weights.safetensors")
        runner.load(str(folder), entries[network.name], str(folder / "weights.safetensors"), "f32")
        for program in (network.inference, network.training):
            for sizes in SIZES:
                inputs = inputs_of(program, sizes)
                exact = Interpreter(program, weights, exact=True).run(inputs)
                rounded = Interpreter(program, weights, precision="f32").run(inputs)
                found = runner.run(inputs, program.training)
                assert set(found) == set(exact)
                for name, array in exact.items():
                    assert_close(found[name], rounded[name], array, f"{network.name} {name} {sizes}")


def assert_close(found: np.ndarray, rounded: np.ndarray, exact: np.ndarray, what: str) -> None:
    """The error is at most 8 times the f32 reference's, or 32 eps; NaN and infinity stand alike."""
    assert found.shape == exact.shape, what
    if exact.dtype.kind != "f":
        np.testing.assert_array_equal(found, exact, err_msg=what)
        return
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(found[~finite], exact[~finite], err_msg=what)
    found, rounded, exact = found[finite], rounded[finite], exact[finite]
    scale = np.abs(exact).max(initial=0.0)
    allowed = 8 * max(float(np.abs(rounded - exact).max(initial=0.0)), 4 * EPS * float(scale))
    assert float(np.abs(found - exact).max(initial=0.0)) <= allowed, what


def imported(path: Path, name: str | None = None) -> ModuleType:
    """A generated file as a module."""
    specification = importlib.util.spec_from_file_location(name or path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def require_ruff_clean(path: Path) -> None:
    """`ruff check` and `ruff format` with their own settings leave the file alone."""
    for arguments in (["check"], ["format", "--check", "--diff"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
