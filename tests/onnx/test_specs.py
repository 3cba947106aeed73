"""Networks that no example has: odd sizes, scans in scans and without inputs, empty neighbourhoods, sizes 0 and 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.backends.onnx.runner import Runner
from dlc.dims import evaluate
from dlc.verify.compare import AGREES, compare
from dlc.verify.inputs import choose_sizes, make_inputs
from dlc.verify.oracle import references
from dlc.weights import read
from test_features import prepare

SPECS = Path(__file__).parent / "specs"
NAMES = [path.stem for path in sorted(SPECS.glob("*.dl"))]

#: Sizes 0 and 1, where the meaning is defined and ONNX Runtime lives (see test_runtime_faults.py).
EDGES = [
    ("algebra", {"N": 0}),
    ("algebra", {"N": 1, "T": 1}),
    ("memory", {"N": 0}),
    ("memory", {"T": 0}),
    ("messages", {"E": 0}),
    ("messages", {"V": 1, "E": 0}),
    ("messages", {"V": 0, "E": 0}),
    ("nested", {"N": 1, "W": 1, "C": 1}),
    ("odd", {"N": 0}),
    ("reversed", {"N": 1, "T": 1}),
    ("shared", {"N": 1, "T": 1}),
    ("steps", {"N": 1, "T": 1}),
    ("tiny", {"N": 1, "T": 1}),
]


def disagreements(name: str, folder: Path, sizes: dict[str, int], natives: bool, training: bool) -> list[object]:
    unit, entry, weights = prepare((SPECS / f"{name}.dl").read_text(), folder, natives=natives, training=training)
    (network,) = unit.networks
    program = network.training if training else network.inference
    runner = Runner()
    runner.load(str(folder), entry, str(weights), "f32")
    wrong: list[object] = []
    for run in (0, 1):
        chosen = choose_sizes(program, run) | sizes
        inputs = make_inputs(program, {key: size or 1 for key, size in chosen.items()}, run)
        module = program.module(program.entry)
        for port in (*module.inputs, *module.states):  # a size of 0: nothing is left
            shape = tuple(evaluate(size, chosen) for size in module.types[port.value].shape)
            if port.name in inputs and 0 in shape:
                inputs[port.name] = np.zeros(shape, inputs[port.name].dtype)
        reports = compare(runner.run(inputs, training), references(program, read(weights), inputs))
        assert reports
        wrong += [report for report in reports if report.verdict != AGREES]
    return wrong


@pytest.mark.parametrize(("training", "natives"), [(False, True), (True, False)], ids=["natives", "training-plain"])
@pytest.mark.parametrize("name", NAMES)
def test_agrees(name: str, training: bool, natives: bool, tmp_path: Path):
    assert not disagreements(name, tmp_path, {}, natives, training)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "sizes"), EDGES, ids=str)
def test_agrees_at_the_edges(name: str, sizes: dict[str, int], tmp_path: Path):
    """Attention over nothing has no native: ONNX Runtime's `Attention` refuses it (E0808)."""
    assert not disagreements(name, tmp_path, sizes, name != "memory" or 0 not in sizes.values(), False)
