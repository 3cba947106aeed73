"""Whole networks, differentiated op by op: the slope along a direction of all their weights is what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlc.ir import FLOATS, INTS
from dlc.networks import Choice, elaborate
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from gradient_programs import backwards, drawn
from inlined import Inlined, inlined

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Small, as a step across the kink of a `relu` shows: ResNet18 has a million of them.
STEP = 1e-8
#: Network, its file, texts that make it small, settings, sizes.
NETWORKS: list[Any] = [
    ("LeNet5", "lenet.dl", {}, {}, {"N": 2}),
    ("Generator", "dcgan.dl", {}, {}, {"N": 2}),
    ("Discriminator", "dcgan.dl", {}, {}, {"N": 2}),
    ("GCN", "graph.dl", {"1433": "9"}, {}, {"V": 5, "E": 8}),
    ("GAT", "gat.dl", {"1433": "7"}, {}, {"V": 5, "E": 8}),
    ("CharLSTM", "char_lstm.dl", {}, {}, {"N": 2, "T": 3}),
    ("CopyNTM", "ntm.dl", {}, {}, {"N": 2, "T": 3}),
    ("Seq2Seq", "seq2seq.dl", {"8000": "11"}, {}, {"N": 2, "S": 4, "T": 3}),
    ("ResNet18", "resnet.dl", {"224": "32"}, {}, {"N": 3}),
    ("UNet", "unet.dl", {"256": "16"}, {"width": "4", "levels": "3"}, {"N": 1}),
    (
        "Transformer",
        "transformer.dl",
        {},
        {"vocab": "13", "width": "8", "heads": "2", "inner": "12", "layers": "2"},
        {"N": 2, "S": 5, "T": 4},
    ),
]


def arrays_of(network: Inlined, sizes: Mapping[str, int]) -> dict[int, Any]:
    """Numbers for all inputs of the tape, by value."""
    generator = np.random.default_rng(4)
    entry = network.program.module(network.program.entry)
    bounds = {port.name: port.bounds for port in entry.inputs}
    found: dict[int, Any] = {}
    for path, value in network.inputs.items():
        if value.type.dtype in INTS:
            low, high = bounds[path] or (0, 2)
            numbers = [int(str(size)) if str(size).isdigit() else sizes[str(size)] for size in (low, high)]
            found[value.content] = generator.integers(*numbers, value.shape)
        elif value.type.dtype == "bool":
            found[value.content] = generator.random(value.shape) < 0.7
        else:
            found[value.content] = generator.normal(size=value.shape)
    for path, value in network.parameters.items():
        fan = int(np.prod(value.shape[1:])) if len(value.shape) > 1 else 1
        array = generator.normal(size=value.shape) / np.sqrt(fan)
        found[value.content] = np.abs(array) + 0.5 if "var" in path else array
    for value in network.draws.values():
        found[value.content] = generator.random(value.shape)
    return found


def small(file: str, texts: Mapping[str, str], folder: Path) -> Path:
    """The example with other numbers, and the files that it may import."""
    for example in EXAMPLES.glob("*.dl"):
        text = example.read_text(encoding="utf-8")
        if example.name == file:
            for old, new in texts.items():
                assert old in text
                text = text.replace(old, new)
        (folder / example.name).write_text(text, encoding="utf-8")
    return folder / file


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize(
    ("name", "file", "texts", "settings", "sizes"),
    [pytest.param(*item, id=item[0], marks=pytest.mark.slow if item[0] == "ResNet18" else ()) for item in NETWORKS],
)
def test_slopes(
    name: str,
    file: str,
    texts: Mapping[str, str],
    settings: Mapping[str, str],
    sizes: Mapping[str, int],
    training: bool,
    tmp_path: Path,
) -> None:
    path = small(file, texts, tmp_path)
    (found,) = elaborate(load_project(path), Choice(name, settings, {})).unit.networks
    network = inlined(found.training if training else found.inference, sizes)
    tape, arrays = network.tape, arrays_of(network, sizes)
    assert set(network.parameters) <= {item.path for item in parameters(network.program)}

    outputs = [item for item in network.outputs if item.type.dtype in FLOATS]
    ordered = [arrays[number] for number in tape.inputs]
    cotangents = drawn(tape.run(ordered, outputs), seed=6)
    equations = len(tape.equations)
    leaves = [item for item in (*network.inputs.values(), *network.parameters.values()) if item.type.dtype in FLOATS]
    seeds = {item.content: tape.input(item.type) for item in outputs}
    gradients = backwards(tape, seeds, leaves)
    flowing = [(leaf, item) for leaf, item in zip(leaves, gradients, strict=True) if item is not None]
    results = tape.run([*ordered, *cotangents], [item for _, item in flowing])

    generator = np.random.default_rng(8)
    directions = {leaf.content: generator.normal(size=leaf.shape) for leaf in leaves}
    tape.equations, tape.inputs = tape.equations[:equations], tape.inputs[: len(ordered)]

    def total(step: float) -> float:
        moved = [arrays[n] + step * directions[n] if n in directions else arrays[n] for n in tape.inputs]
        return sum(float(np.sum(g * y)) for g, y in zip(cotangents, tape.run(moved, outputs), strict=True))

    slope = (total(STEP) - total(-STEP)) / (2 * STEP)
    expected = sum(
        float(np.sum(item * directions[leaf.content])) for (leaf, _), item in zip(flowing, results, strict=True)
    )
    np.testing.assert_allclose(expected, slope, rtol=1e-4)
