"""Small programs for the torch backend's tests, and how to compile and run them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from dlc import networks
from dlc.backends.api import Network, Options, Unit
from dlc.backends.torch import backend
from dlc.backends.torch.runner import Runner
from dlc.ir import BlockId, Equation, Module, Port, Program, Static, TensorType
from dlc.ops.api import Op
from dlc.passes.resolve import load_project

RUFF = [sys.executable, "-m", "ruff"]


def op_unit(op: Op, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Unit:
    """A network that is one op."""
    results = op.infer(types, dict(attributes))
    count = len(types)
    equation = Equation(
        op.name,
        tuple(range(count)),
        tuple(range(count, count + len(results))),
        tuple((name, Static(value)) for name, value in attributes.items()),
    )
    module = Module(
        key="m",
        block=BlockId("test.dl", "One"),
        doc=None,
        hyperparameters=(),
        dims=(),
        homes=(),
        training=False,
        inputs=tuple(Port(f"x{i}", i) for i in range(count)),
        absent=(),
        parameters=(),
        states=(),
        draws=(),
        instances=(),
        types=(*types, *results),
        body=(equation,),
        outputs=tuple(Port(f"y{i}", count + i) for i in range(len(results))),
        next_states=(),
        next_buffers=(),
        signature=tuple((f"x{i}", False) for i in range(count)),
    )
    program = Program("One", (module,), "m")
    return Unit("one", "0", None, (Network("One", program, program),))


def unit_of(folder: Path, text: str, name: str = "case") -> Unit:
    """A spec's text, elaborated."""
    path = folder / f"{name}.dl"
    path.write_text(text, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def run(unit: Unit, inputs: Sequence[Any], folder: Path, options: Options | None = None) -> dict[str, Any]:
    artifact = backend.compile(unit, options or Options())
    write(artifact.files, folder)
    runner = Runner()
    name = unit.networks[0].name
    runner.load(str(folder), artifact.entries[name], None, (options or Options()).precision)
    names = [port.name for port in unit.networks[0].inference.table[unit.networks[0].inference.entry].inputs]
    return runner.run(dict(zip(names, map(np.asarray, inputs), strict=True)), False)


def write(files: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    paths: list[Path] = []
    for name, text in files.items():
        assert isinstance(text, str)
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def require_ruff_clean(path: Path) -> None:
    """Raises AssertionError unless `ruff check` and `ruff format` leave the file alone, with ruff's own defaults."""
    for command in (["check", "--isolated", "-q"], ["format", "--isolated", "--diff", "-q"]):
        result = subprocess.run([*RUFF, *command, str(path)], capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{path}:\n{result.stdout}{result.stderr}"


def require_close(found: Any, wanted: Any, slack: float) -> None:
    """Raises AssertionError unless shapes, kinds, NaN, infinities agree and errors are within slack of the largest."""
    assert found.shape == wanted.shape
    assert found.dtype.kind == wanted.dtype.kind
    if wanted.dtype.kind != "f":
        assert np.array_equal(found, wanted)
        return
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    assert np.array_equal(np.isposinf(found), np.isposinf(wanted))
    assert np.array_equal(np.isneginf(found), np.isneginf(wanted))
    fine = np.isfinite(wanted)
    scale = np.abs(wanted[fine]).max(initial=0.0)
    assert np.abs(found[fine] - wanted[fine]).max(initial=0.0) <= slack * max(scale, 1e-30)
