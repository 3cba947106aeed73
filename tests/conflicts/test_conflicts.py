"""What could get in each other's way: files in a folder, blocks and networks of one name, models in a process."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import dlc
import numpy as np
import pytest
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers

SCALED = "network Net:\n    input x: float[N, 6]\n    output y = x -> dense(3) -> {activation}\n"


def spec(folder: Path, stem: str, activation: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem}.dl"
    path.write_text(SCALED.format(activation=activation), encoding="utf-8")
    return path


def imported(path: Path, name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def test_two_files_compile_into_one_folder(tmp_path: Path) -> None:
    """Each file keeps its own: nothing of the first is touched by the second."""
    out = tmp_path / "out"
    for backend in ("torch", "tensorflow"):
        first = dlc.load(spec(tmp_path, "first", "relu")).compile(backend).write(out)
        text = [path.read_bytes() for path in first]
        second = dlc.load(spec(tmp_path, "second", "tanh")).compile(backend).write(out)
        assert not set(first) & set(second)
        assert [path.read_bytes() for path in first] == text
    assert {path.name for path in out.iterdir()} == {
        f"{stem}_{backend}.py" for stem in ("first", "second") for backend in ("torch", "tensorflow")
    }


def test_one_block_name_in_two_imports(tmp_path: Path) -> None:
    """Two files each have a `step` of their own, and so has the network's file: three blocks, three classes."""
    (tmp_path / "a.dl").write_text(
        "block step(k: int = 2):\n    input x: float[N, 6]\n    output dense(6)(x) * k\n\n"
        "block left:\n    input x: float[N, 6]\n    output step(3)(x)\n",
        encoding="utf-8",
    )
    (tmp_path / "b.dl").write_text(
        "block step:\n    input x: float[N, 6]\n    param w: float[6] ~ normal(0, 1)\n    output x + w\n\n"
        "block right:\n    input x: float[N, 6]\n    output step(x)\n",
        encoding="utf-8",
    )
    path = tmp_path / "net.dl"
    path.write_text(
        'import "a.dl"\nimport "b.dl"\n\n'
        "block step:\n    input x: float[N, 6]\n    output tanh(x)\n\n"
        "network Net:\n    input x: float[N, 6]\n    output y = x -> left -> right -> step\n",
        encoding="utf-8",
    )
    report = dlc.verify(path, natives=(True, False))
    assert report.agreed, report.problems()
    assert {case.backend for case in report.cases} == {"torch", "tensorflow", "onnx"}
    names = {parameter.path for parameter in dlc.load(path)["Net"].parameters}
    assert names == {"left.step.dense.weight", "left.step.dense.bias", "right.step.w"}, names


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "onnx"])
def test_one_network_twice_in_one_worker(backend: str, tmp_path: Path) -> None:
    """With another network in between; the numbers are the very same."""
    unit = dlc.load(spec(tmp_path, "first", "relu"))["Net"].unit
    other = dlc.load(spec(tmp_path / "other", "first", "tanh"))["Net"].unit
    with Workers() as workers:
        cases = [verify(one, [backend], Settings(sizes=1), workers).cases for one in (unit, other, unit)]
    first, between, again = cases
    assert all(case.status == "agrees" for case in (*first, *between, *again))
    assert [case.outputs for case in first] == [case.outputs for case in again]
    assert [case.outputs for case in first] != [case.outputs for case in between]


def test_two_specs_with_one_network_in_one_process_torch(tmp_path: Path) -> None:
    import torch

    x = torch.linspace(-2, 2, 12).reshape(2, 6)
    found: list[Any] = []
    for place, activation in enumerate(("relu", "tanh")):
        (path,) = (
            dlc.load(spec(tmp_path / activation, "same", activation)).compile("torch").write(tmp_path / activation)
        )
        model = imported(path, f"conflict_torch_{place}").Net()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(0.3)
            found.append((model, activation, model(x)))
    for model, activation, before in found:
        with torch.no_grad():
            y = torch.nn.functional.linear(x, torch.full((3, 6), 0.3), torch.full((3,), 0.3))
            torch.testing.assert_close(model(x), before)
            torch.testing.assert_close(before, getattr(torch, activation)(y))


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of Keras, when it saves
def test_two_specs_with_one_network_in_one_process_tensorflow(tmp_path: Path) -> None:
    """Saved and loaded after both files were imported, each model comes back as its own."""
    import keras

    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(2, 6)
    found: list[Any] = []
    for place, activation in enumerate(("relu", "tanh")):
        folder = tmp_path / activation
        (path,) = dlc.load(spec(folder, "same", activation)).compile("tensorflow").write(folder)
        model = imported(path, f"conflict_tensorflow_{place}").Net()
        for variable in model.variables:
            variable.assign(np.full(variable.shape, 0.3, np.float32))
        model.save(folder / "net.keras")
        found.append((folder / "net.keras", activation, np.asarray(model(x))))
    for path, activation, before in found:
        y = x @ np.full((6, 3), 0.3, np.float32) + np.float32(0.3)
        wanted = np.maximum(y, 0) if activation == "relu" else np.tanh(y)
        np.testing.assert_allclose(before, wanted, rtol=1e-5, atol=1e-6)
        again = keras.models.load_model(path)
        np.testing.assert_allclose(np.asarray(again(x)), before, rtol=1e-6, atol=1e-7)
