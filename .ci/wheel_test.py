"""A plain `pip install .` into a fresh environment without frameworks: what a user gets.

Proves that the wheel holds the grammar's table and the standard library, that every backend compiles with no framework
installed, that a missing framework is told with how to install it (exit code 3), and that `dlc verify` checks ONNX
Runtime against the reference.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"dlc": "compiler", "dlc/spec": "spec", "dlc/backends": "backends"}
FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "lark")  # lark builds the parser's table, which the wheel holds
SAMPLES = ("lenet", "resnet", "transformer", "char_lstm", "seq2seq", "graph", "dcgan")


def main() -> None:
    started = time.monotonic()
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)  # setuptools would pack what an older build left there
    with tempfile.TemporaryDirectory(prefix="dlc-wheel-") as folder:
        home = Path(folder)
        python = _install(home)
        _check_files(home)
        _check_no_framework(python)
        _check_compile(home)
        _check_verify(home)
        _check_missing(home)
    print(f"wheel test: all right ({time.monotonic() - started:.0f} s)")


def _install(home: Path) -> Path:
    """A fresh environment in `home/venv` with the package in it, not editable."""
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    python = home / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", ROOT / "constraints.txt", ROOT], check=True)
    return python


def _check_files(home: Path) -> None:
    """Every file of the package folders is installed."""
    (site,) = (home / "venv" / "lib").glob("python3*/site-packages")
    missing = [
        f"{place}/{path.relative_to(ROOT / folder)}"
        for place, folder in PACKAGES.items()
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and not any(part == "__pycache__" or part[0] == "." for part in path.relative_to(ROOT).parts)
        if not (site / place / path.relative_to(ROOT / folder)).is_file()
    ]
    _require(not missing, f"not in the wheel: {missing}")
    for needed in ("dlc/spec/_table.json", "dlc/spec/std/linear.dl", "dlc/py.typed"):
        _require((site / needed).is_file(), f"{needed} is not installed")


def _check_no_framework(python: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {FRAMEWORKS!r} if u.find_spec(n)])"
    found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd="/").stdout.strip()
    _require(found == "[]", f"the core install brings {found}")


def _check_compile(home: Path) -> None:
    for stem in SAMPLES:
        out = home / "out" / stem
        done = _dlc(home, "compile", ROOT / "examples" / f"{stem}.dl", "--backend", "all", "-o", out, "--no-weights")
        _require(done.returncode == 0, f"compile {stem}: {done.stdout}{done.stderr}")
        suffixes = {path.suffix for path in out.iterdir() if not path.name.startswith(".")}
        _require(suffixes == {".py", ".onnx", ".ir"}, f"compile {stem} wrote {sorted(suffixes)}")


def _check_verify(home: Path) -> None:
    for stem in ("lenet", "graph", "char_lstm"):
        done = _dlc(home, "verify", ROOT / "examples" / f"{stem}.dl", "--json")
        _require(done.returncode == 0, f"verify {stem}: {done.stdout}{done.stderr}")
        cases = json.loads(done.stdout)["files"][0]["cases"]
        by_backend = {name: {c["status"] for c in cases if c["backend"] == name} for name in ("onnx", "torch")}
        _require(by_backend == {"onnx": {"agrees"}, "torch": {"skipped"}}, f"verify {stem}: {by_backend}")


def _check_missing(home: Path) -> None:
    """A backend asked for by name whose framework is not there."""
    done = _dlc(home, "verify", ROOT / "examples" / "lenet.dl", "--backends", "torch")
    said = done.stdout + done.stderr
    _require(done.returncode == 3, f"a missing framework gives {done.returncode}: {said}")
    _require("pip install" in said and "Traceback" not in said, f"how to install it is not told: {said}")


def _dlc(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(home / "venv" / "bin" / "dlc"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=home, check=False)


def _require(holds: bool, message: str) -> None:
    if not holds:
        sys.exit(f"wheel test: {message}")


if __name__ == "__main__":
    main()
