"""Compiles an example for one backend into a folder and imports what came out."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from dlc.backends.api import Artifact, Backend, Options
from dlc.networks import Choice, elaborate
from dlc.passes.resolve import load_project

EXAMPLES = Path(__file__).parent.parent / "examples"


def compile_example(stem: str, network: str, backend: str, folder: Path, natives: bool = True) -> Artifact:
    """Writes the files of one network of `examples/<stem>.dl` to `folder`."""
    sys.setrecursionlimit(20_000)
    unit = elaborate(load_project(EXAMPLES / f"{stem}.dl"), Choice(network, {}, {})).unit
    artifact = backend_of(backend).compile(unit, Options(natives=natives))
    for name, content in artifact.files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
    return artifact


def backend_of(name: str) -> Backend:
    """An installed backend."""
    return next(point for point in entry_points(group="dlc.backends") if point.name == name).load()


def import_file(path: Path) -> ModuleType:
    """Imports a Python file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
