"""What is packed, pinned and promised. A plain install is tested by `.ci/wheel_test.py`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"dlc": "compiler", "dlc.spec": "spec", "dlc.backends": "backends"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if not line.startswith("#"))


def test_every_folder_with_code_is_a_package_and_is_packed() -> None:
    code = "import setuptools; setuptools.setup = lambda **k: print(*k['packages']); exec(open('setup.py').read())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    packed = set(done.stdout.split())
    wanted = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*.py")
    }
    assert packed == wanted


def test_pinned_versions_are_those_installed() -> None:
    pinned = constraints()
    names = (
        "torch",
        "tensorflow-cpu",
        "keras",
        "onnx",
        "onnxruntime",
        "numpy",
        "protobuf",
        "ruff",
        "pyright",
        "pytest",
    )
    installed = {d.metadata["Name"].lower().replace("_", "-"): d.version.partition("+")[0] for d in distributions()}
    assert {name: installed[name] for name in names} == {name: pinned[name] for name in names}


def test_all_requirements_are_pinned() -> None:
    data = project()
    wanted = [*data["dependencies"], *(r for extra in data["optional-dependencies"].values() for r in extra)]
    names = {re.split(r"[<>=\[ ]", requirement)[0].lower() for requirement in wanted} - {"dlc"}
    assert names - constraints().keys() == set()


def test_the_core_needs_no_framework() -> None:
    heavy = ("torch", "tensorflow", "keras", "jax")
    assert [r for r in project()["dependencies"] if r.startswith(heavy)] == []


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", ".ci/wheel_test.py", "constraints.txt", "pyproject.toml"])
def test_no_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|index-url|find-links", text)


def test_one_version() -> None:
    import dlc

    assert dlc.__version__ == project()["version"]
