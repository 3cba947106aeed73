"""The example networks, made small, inlined and differentiated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dlc.ir import FLOATS, INTS, Program
from dlc.networks import Choice, elaborate
from dlc.passes.resolve import load_project
from gradient_programs import OneOp, Tape, backwards, drawn, network_of
from inlined import Inlined, inlined

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Small:
    """An example: texts of its file that are replaced, settings, and what its symbols are."""

    name: str
    file: str
    sizes: Mapping[str, int]
    texts: Mapping[str, str]
    settings: Mapping[str, str]


_TINY = {"vocab": "13", "width": "8", "heads": "2", "inner": "12", "layers": "2"}
NETWORKS = {
    item.name: item
    for item in (
        Small("LeNet5", "lenet.dl", {"N": 2}, {}, {}),
        Small("Generator", "dcgan.dl", {"N": 2}, {}, {}),
        Small("Discriminator", "dcgan.dl", {"N": 2}, {}, {}),
        Small("GCN", "graph.dl", {"V": 5, "E": 8}, {"1433": "9"}, {}),
        Small("GAT", "gat.dl", {"V": 5, "E": 8}, {"1433": "7"}, {}),
        Small("CharLSTM", "char_lstm.dl", {"N": 2, "T": 3}, {}, {}),
        Small("CopyNTM", "ntm.dl", {"N": 2, "T": 3}, {}, {}),
        Small("Seq2Seq", "seq2seq.dl", {"N": 2, "S": 4, "T": 3}, {"8000": "11"}, {}),
        Small("ResNet18", "resnet.dl", {"N": 3}, {"224": "32"}, {}),
        Small("UNet", "unet.dl", {"N": 1}, {"256": "16"}, {"width": "4", "levels": "3"}),
        Small("Transformer", "transformer.dl", {"N": 2, "S": 5, "T": 4}, {}, _TINY),
    )
}


@dataclass
class Differentiated:
    """A network's tape, and what flows back from `outputs` to `leaves` (float inputs and parameters).

    `arrays`: numbers for all inputs of the tape; those from `count` on are cotangents of the outputs, and equations
    from `forward` on are the gradient's.
    """

    tape: Tape
    outputs: list[Any]
    leaves: list[Any]
    gradients: list[Any]
    arrays: list[Any]
    count: int
    forward: int

    def network(self) -> Program:
        return network_of(OneOp(self.tape, self.leaves, tuple(self.outputs), [], self.gradients))


def differentiated(example: Small, training: bool, folder: Path) -> Differentiated:
    path = written(example, folder)
    (found,) = elaborate(load_project(path), Choice(example.name, example.settings, {})).unit.networks
    network = inlined(found.training if training else found.inference, example.sizes)
    tape, numbers = network.tape, arrays_of(network, example.sizes)
    outputs = [item for item in network.outputs if item.type.dtype in FLOATS]
    arrays = [numbers[number] for number in tape.inputs]
    count, forward = len(arrays), len(tape.equations)
    arrays += drawn(tape.run(arrays, outputs), seed=6)
    leaves = [item for item in (*network.inputs.values(), *network.parameters.values()) if item.type.dtype in FLOATS]
    seeds = {item.content: tape.input(item.type) for item in outputs}
    return Differentiated(tape, outputs, leaves, backwards(tape, seeds, leaves), arrays, count, forward)


def written(example: Small, folder: Path) -> Path:
    """The example's file with other numbers, and the files that it may import."""
    for source in EXAMPLES.glob("*.dl"):
        text = source.read_text(encoding="utf-8")
        if source.name == example.file:
            for old, new in example.texts.items():
                assert old in text
                text = text.replace(old, new)
        (folder / source.name).write_text(text, encoding="utf-8")
    return folder / example.file


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
