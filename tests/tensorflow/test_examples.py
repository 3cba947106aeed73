"""The examples as Keras code: golden files, and the reference's numbers with natives and without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dlc.backends.api import Options
from dlc.backends.tensorflow import backend
from keras_models import ROOT, check_agrees, example, require_ruff_clean

GOLDEN = ROOT / "tests" / "golden"
GOLDENS = ("lenet", "resnet", "dcgan", "char_lstm", "graph", "seq2seq", "transformer")
SMALL: dict[str, tuple[str | None, dict[str, str]]] = {
    "lenet": (None, {}),
    "resnet": ("ResNet18", {}),
    "transformer": ("Transformer", {"vocab": "30", "width": "16", "heads": "2", "inner": "32", "layers": "2"}),
    "char_lstm": (None, {"vocab": "11", "hidden": "8"}),
    "seq2seq": (None, {"source_vocab": "13", "target_vocab": "12", "hidden": "8"}),
    "dcgan": ("Generator", {}),
    "unet": ("UNet", {"width": "2", "levels": "2"}),
    "densenet": ("DenseNet", {"depths": "[2, 1]", "growth": "4", "classes": "10"}),
    "graph": (None, {}),
    "gat": (None, {}),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_golden(name: str, check_golden: Callable[[Path, str], None]) -> None:
    text = backend.compile(example(name), Options()).files[f"{name}_tensorflow.py"]
    assert isinstance(text, str)
    check_golden(GOLDEN / f"tensorflow_{name}.py", text)
    require_ruff_clean(GOLDEN / f"tensorflow_{name}.py")


def test_no_golden_is_an_orphan() -> None:
    assert {path.stem for path in GOLDEN.glob("tensorflow_*.py")} == {f"tensorflow_{name}" for name in GOLDENS}


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("name", SMALL)
def test_agrees(name: str, natives: bool, tmp_path: Path) -> None:
    network, settings = SMALL[name]
    check_agrees(example(name, network, settings), tmp_path, natives)


def test_compiles_without_a_framework() -> None:
    """Neither NumPy nor TensorFlow is imported on the way to the file."""
    code = (
        "import sys\n"
        "from dlc import networks\n"
        "from dlc.backends.api import Options\n"
        "from dlc.backends.tensorflow import backend\n"
        "from dlc.passes.resolve import load_project\n"
        f"unit = networks.elaborate(load_project({str(ROOT / 'examples' / 'lenet.dl')!r})).unit\n"
        "backend.compile(unit, Options())\n"
        "print(sorted({'numpy', 'tensorflow', 'keras', 'torch'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_same_bytes_for_any_hash_seed() -> None:
    code = (
        "import sys\n"
        "from dlc import networks\n"
        "from dlc.backends.api import Options\n"
        "from dlc.backends.tensorflow import backend\n"
        "from dlc.passes.resolve import load_project\n"
        f"unit = networks.elaborate(load_project({str(ROOT / 'examples' / 'seq2seq.dl')!r})).unit\n"
        "sys.stdout.write(backend.compile(unit, Options()).files['seq2seq_tensorflow.py'])\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(texts) == 1
