"""What others build on, frozen: IR text, ops and their attributes, drawn weights. A change here breaks checkpoints and
stored programs.

The names of all parameters are frozen in tests/names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from dlc.distributions import DISTRIBUTIONS
from dlc.ir_text import read, show
from dlc.networks import Choice, elaborate
from dlc.ops import OPS
from dlc.ops.api import REQUIRED, AttributeSpec
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from dlc.weights import initial, randomised, write

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER.parent.parent / "examples"
OWN = ("distributions", "constructs")

#: By golden file: the example, its network, its hyperparameters.
PROGRAMS = {
    "lenet": ("lenet", "LeNet5", {}),
    "residual": ("resnet", "ResNet", {"unit": "basic", "depths": "[1, 1]", "classes": "3"}),
    "seq2seq": ("seq2seq", "Seq2Seq", {"source_vocab": "7", "target_vocab": "5", "hidden": "4"}),
    "gcn": ("graph", "GCN", {}),
    "ntm": ("ntm", "CopyNTM", {"bits": "2"}),
    "constructs": ("constructs", "Constructs", {}),
}

#: SHA-256 of the weights file: initial weights, and those that `verify` draws, both with seed 0.
WEIGHTS = {
    "lenet": (
        "54b0e1211d06989307e851a41b180eb8021526c3c8848d4a8f43714e45195b11",
        "54b0e1211d06989307e851a41b180eb8021526c3c8848d4a8f43714e45195b11",
    ),
    "distributions": (
        "57be73b6283a7218426f170c2e40eb6fecef8ec77b0c37cf87b6773450e06f7d",
        "7ab97aceb14a5d6119f149f6b0c167689a040e2d6f3e7e8cc24d227b67b75ae1",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("mode", ["inference", "training"])
def test_ir_text(name: str, mode: str, check_golden: Callable[[Path, str], None]) -> None:
    stem, network, settings = PROGRAMS[name]
    unit = elaborate(load_project(_spec(stem)), Choice(network, settings, {})).unit
    text = show(getattr(unit.networks[0], mode))
    check_golden(FOLDER / f"{name}.{mode}.ir", text)
    assert show(read(text)) == text


def _spec(stem: str) -> Path:
    return (FOLDER if stem in OWN else EXAMPLES) / f"{stem}.dl"


def test_ops(check_golden: Callable[[Path, str], None]) -> None:
    """An op's name, its operands, and its attributes with kinds and defaults."""
    lines: list[str] = []
    for op in OPS.values():
        attributes = [f"{a.name}: {a.kind}" + _default(a) for a in op.attributes]
        lines.append(f"{op.name}({', '.join(op.operands)}; {', '.join(attributes)})")
    check_golden(FOLDER / "ops.txt", "\n".join(lines) + "\n")


def _default(attribute: AttributeSpec) -> str:
    return "" if attribute.default is REQUIRED else f" = {attribute.default!r}"


def test_no_golden_is_an_orphan() -> None:
    wanted = {f"{name}.{mode}.ir" for name in PROGRAMS for mode in ("inference", "training")}
    assert {path.name for path in FOLDER.glob("*.ir")} == wanted


@pytest.mark.parametrize("name", WEIGHTS)
def test_drawn_weights(name: str, tmp_path: Path) -> None:
    (network,) = elaborate(load_project(_spec(name))).unit.networks
    parameters = network_parameters(network.inference, network.training)
    found: list[str] = []
    for source in (initial(0), randomised(0)):
        file = tmp_path / "weights.safetensors"
        write(file, parameters, source)
        found.append(hashlib.sha256(file.read_bytes()).hexdigest())
    assert tuple(found) == WEIGHTS[name]


def test_every_distribution_is_drawn() -> None:
    text = (FOLDER / "distributions.dl").read_text(encoding="utf-8")
    assert {name for name in DISTRIBUTIONS if f"~ {name}" not in text} <= {"expression"}
