"""The example specs as ONNX models, in both modes, with natives and without, at two sizes, against the oracle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from dlc.backends.api import Network, Options, Unit
from dlc.backends.onnx import backend
from dlc.backends.onnx.runner import Runner
from dlc.networks import Choice, elaborate
from dlc.parameters import network_parameters
from dlc.passes.draws import explicit_network
from dlc.passes.resolve import load_project
from dlc.verify.compare import AGREES, compare
from dlc.verify.inputs import choose_sizes, make_inputs
from dlc.verify.oracle import references
from dlc.weights import randomised, read, write

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

#: File, network, settings that keep it small.
NETWORKS = [
    ("lenet", "LeNet5", {}),
    ("char_lstm", "CharLSTM", {"vocab": "11", "hidden": "6"}),
    ("dcgan", "Generator", {"latent": "5"}),
    ("dcgan", "Discriminator", {}),
    ("graph", "GCN", {"hidden": "8"}),
    ("gat", "GAT", {"hidden": "4", "heads": "3"}),
    ("seq2seq", "Seq2Seq", {"source_vocab": "13", "target_vocab": "11", "hidden": "6"}),
    ("transformer", "Transformer", {"vocab": "17", "width": "16", "heads": "4", "inner": "24", "layers": "2"}),
    ("resnet", "ResNet18", {"classes": "5"}),
    ("resnet", "ResNet", {"unit": "bottleneck", "depths": "[1, 1, 2, 1]", "classes": "5"}),
    ("unet", "UNet", {"width": "4", "levels": "2"}),
    ("densenet", "DenseNet", {"depths": "[2, 1, 2]", "growth": "4", "classes": "5"}),
]


def unit_of(file: str, network: str, settings: dict[str, str], folder: Path | None = None) -> Unit:
    """A network of an example; its images are made small where a folder for the changed spec is given."""
    spec = EXAMPLES / f"{file}.dl"
    if folder is not None:
        for other in EXAMPLES.glob("*.dl"):  # specs import each other
            text = other.read_text(encoding="utf-8").replace("224, 224", "64, 64").replace("256, 256", "32, 32")
            (folder / other.name).write_text(text, encoding="utf-8")
        spec = folder / f"{file}.dl"
    return elaborate(load_project(spec), Choice(network, settings, {})).unit


CASES = [
    pytest.param(
        *network,
        training,
        natives,
        id=f"{network[1]}-{'training' if training else 'inference'}-{'natives' if natives else 'plain'}",
    )
    for network in NETWORKS
    for training in (False, True)
    for natives in (True, False)
]


@pytest.mark.parametrize(("file", "name", "settings", "training", "natives"), CASES)
def test_agrees(file: str, name: str, settings: dict[str, str], training: bool, natives: bool, tmp_path: Path):
    unit = unit_of(file, name, settings, tmp_path)
    (network,) = unit.networks
    explicit = explicit_network(network.inference, network.training)
    unit = replace(unit, networks=(Network(name, explicit.inference, explicit.training),))
    program = explicit.training if training else explicit.inference
    draws = explicit.training_draws if training else explicit.inference_draws
    weights = tmp_path / f"{name}.safetensors"
    write(weights, network_parameters(network.inference, network.training), randomised(7))
    entry = write_model(unit, Options(natives=natives, training=training), tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    for seed in (0, 1):
        inputs = make_inputs(program, choose_sizes(program, seed), seed, draws)
        found = runner.run(inputs, training)
        reports = compare(found, references(program, read(weights), inputs))
        wrong = [report for report in reports if report.verdict != AGREES]
        assert reports
        assert not wrong, wrong


def write_model(unit: Unit, options: Options, folder: Path) -> str:
    """Compiles, checks fully with weights beside it, infers shapes strictly; the model's name."""
    artifact = backend.compile(unit, options)
    for name, content in artifact.files.items():
        assert isinstance(content, bytes)
        (folder / name).write_bytes(content)
        onnx.checker.check_model(str(folder / name), full_check=True)
        model = onnx.load_model(str(folder / name), load_external_data=False)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    (entry,) = artifact.entries.values()
    return entry
