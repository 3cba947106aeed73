"""What the language can say and the examples do not, as ONNX models against the oracle."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from dlc.backends.api import Network, Options, Unit
from dlc.backends.onnx import emit
from dlc.backends.onnx.rule import Same
from dlc.backends.onnx.runner import Runner
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.draws import explicit_network
from dlc.passes.resolve import load_project
from dlc.verify.compare import AGREES, compare
from dlc.verify.inputs import make_inputs
from dlc.verify.oracle import references
from dlc.weights import randomised, read, write
from safetensors.numpy import save_file
from test_onnx_examples import write_model

SHARED = """
block twice(inner: layer):
    input x: float[N, D]
    output x -> inner -> inner

network Net:
    input x: float[N, 6]
    w = dense(6)
    y = w(x) -> twice(w) -> twice(w)
    output z = y @ w.weight
    output y = y
"""

STATISTICS = """
block step:
    input x: float[N, 4]
    state h: float[N, 4] = 0
    next h = tanh(dense(4)(x) + h) -> batch_norm
    output next h

network Net:
    input x: float[N, T, 4]
    norm = batch_norm()
    y = x -> scan(step())
    output y = (y[:, 0] -> norm) + (y[:, 1] -> norm)
"""

STATES = """
network Net:
    input x: float[N, 3]
    rnn = lstm_cell(4)
    output y = x -> rnn
"""

SIZES = """
network Net:
    input x: float[N, T, 4]
    input pairs: float[N, 2 * T + 1, 4]
    flat = reshape(x, [N * T, 4]) -> dense(3)
    output back = reshape(flat, [N, T, 3])
    output merged = rearrange(x, "n t d -> n (t d)")
    output tail = x[:, 1:]
    output last = x[:, -2:]
    output every = pairs[:, 1::2]
    output backwards = pairs[:, ::-1]
    output average = mean(x, axis=1)
    output spread = variance(x, axis=[0, 1])
    output rolled = roll(x, 1, axis=1)
    output places = float(arange(T)) / T
    output heads = transpose(reshape(x, [N, T, 2, 2]), [0, 2, 1, 3])
    output wide = broadcast_to(expand_dims(x, 1), [N, T, T, 4])
    output some = any(x > 1, axis=1)
    output mask = triangular(x @ transpose(x, [0, 2, 1]))
    output x
"""

IMAGES = """
network Net:
    input x: float[N, 3, H, W]
    y = x -> conv2d(4, kernel=3, stride=2, padding=1)
    output small = max_pool(y, kernel=3, stride=2, padding=1, ceil_mode=true)
    output average = avg_pool(y, kernel=3, stride=2, padding=1, ceil_mode=true, include_padding=true)
    output inside = avg_pool(y, kernel=3, stride=2, padding=1, ceil_mode=true, include_padding=false)
    output mean = y -> global_avg_pool
    output same = y -> leaky_relu(slope=0.1) -> gelu -> gelu(approximate=true) -> softplus -> elu
    output large = y -> conv_transpose2d(2, kernel=3, stride=2, padding=1, output_padding=1, bias=false)
    output normal = x -> batch_norm(affine=false) -> batch_norm
"""

SCANS = """
block counter:
    input x: float[N, 2]
    state total: float[N, 2] = 0
    state seen: bool[N] = false
    next total = total + x
    next seen = seen | (sum(x, axis=-1) > 1)
    output sums = next total
    output found = next seen
    output first = x[:, 0]

network Net:
    input x: float[N, T, 2]
    input lengths: int[N] in 1..T + 1
    a = scan(counter(), lengths=lengths)(x)
    b = scan(counter(), lengths=lengths, reverse=true)(x)
    c = scan(counter(), axis=0)(transpose(x, [1, 0, 2]))
    output forward = a.sums
    output found = a.found
    output first = a.first
    output end = a.total
    output seen = b.seen
    output backward = b.sums
    output total = b.total
    output outer = c.sums
"""

GRAPHS = """
block extremes:
    input h: float[V, F]
    input edges: int[2, E] in 0..V
    messages u -> v along edges into V:
        send h[u] - h[v]
    aggregate high = max
    messages u -> v along edges into V:
        send h[u] * 2
    aggregate low = min
    messages u -> v along edges into V:
        send h[u]
    aggregate average = mean
    output concat([high, low, average], axis=-1)

block attention(units: int, heads: int):
    input h: float[V, F]
    input edges: int[2, E] in 0..V
    param a_source, a_target: float[heads, units] ~ xavier_uniform
    z = h -> dense(heads * units, bias=false) -> rearrange("v (k d) -> v k d", k=heads)
    source = sum(z * a_source, axis=-1)
    target = sum(z * a_target, axis=-1)
    messages u -> v along edges into V:
        score = leaky_relu(source[u] + target[v], slope=0.2)
        send expand_dims(softmax(score, over=v), -1) * z[u]
    aggregate out = sum
    output out -> rearrange("v k d -> v (k d)") -> elu

network Net:
    input h: float[V, 5]
    input edges: int[2, E] in 0..V
    output e = extremes()(h, edges)
    output a = attention(3, 2)(h, edges)
"""

SPECS: dict[str, tuple[str, list[dict[str, int]]]] = {
    "shared": (SHARED, [{"N": 2}, {"N": 5}]),
    "statistics": (STATISTICS, [{"N": 3, "T": 4}, {"N": 5, "T": 2}]),
    "states": (STATES, [{"N": 2}, {"N": 3}]),
    "sizes": (SIZES, [{"N": 2, "T": 5}, {"N": 3, "T": 4}]),
    "images": (IMAGES, [{"N": 2, "H": 13, "W": 18}, {"N": 1, "H": 16, "W": 9}]),
    "graphs": (GRAPHS, [{"V": 6, "E": 9}, {"V": 4, "E": 30}, {"V": 3, "E": 1}]),
    "scans": (SCANS, [{"N": 3, "T": 5}, {"N": 4, "T": 1}]),
}


def network_of(text: str, folder: Path) -> Unit:
    """The unit of a spec with one network, its draws explicit."""
    path = folder / "spec.dl"
    path.write_text(text)
    unit = elaborate(load_project(path)).unit
    (network,) = unit.networks
    explicit = explicit_network(network.inference, network.training)
    return replace(unit, networks=(Network(network.name, explicit.inference, explicit.training),))


def prepare(text: str, folder: Path, **options: Any) -> tuple[Unit, str, Path]:
    """The unit, its model's file and a weights file beside it."""
    unit = network_of(text, folder)
    (network,) = unit.networks
    weights = folder / f"{network.name}.safetensors"
    write(weights, network_parameters(network.inference, network.training), randomised(5))
    return unit, write_model(unit, Options(**options), folder), weights


def disagreements(unit: Unit, folder: Path, entry: str, weights: Path, sizes: dict[str, int], training: bool) -> list:
    (network,) = unit.networks
    program = network.training if training else network.inference
    runner = Runner()
    runner.load(str(folder), entry, str(weights), "f32")
    inputs = make_inputs(program, sizes, 1)
    reports = compare(runner.run(inputs, training), references(program, read(weights), inputs))
    assert reports
    return [report for report in reports if report.verdict != AGREES]


@pytest.mark.parametrize("natives", [True, False], ids=["natives", "plain"])
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("name", SPECS)
def test_agrees(name: str, training: bool, natives: bool, tmp_path: Path):
    text, runs = SPECS[name]
    unit, entry, weights = prepare(text, tmp_path, natives=natives, training=training)
    for sizes in runs:
        assert not disagreements(unit, tmp_path, entry, weights, sizes, training)


def test_a_wrong_rule_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    unit, entry, weights = prepare(STATES, tmp_path, natives=False)
    assert not disagreements(unit, tmp_path, entry, weights, {"N": 2}, False)
    monkeypatch.setattr(emit, "RULES", {**emit.RULES, "sigmoid": Same("HardSigmoid")})
    unit, entry, weights = prepare(STATES, tmp_path, natives=False)
    assert disagreements(unit, tmp_path, entry, weights, {"N": 2}, False)


def test_wrong_weights_are_seen(tmp_path: Path):
    unit, entry, weights = prepare(STATES, tmp_path)
    (network,) = unit.networks
    inputs = make_inputs(network.inference, {"N": 2}, 1)
    expected = references(network.inference, read(weights), inputs)
    other = tmp_path / "other.safetensors"
    write(other, network_parameters(network.inference, network.training), randomised(6))
    runner = Runner()
    before = weights.read_bytes()
    runner.load(str(tmp_path), entry, str(other), "f32")
    assert weights.read_bytes() == before, "a user's file is never replaced"
    assert all(report.verdict != AGREES for report in compare(runner.run(inputs, False), expected))


def test_weights_in_another_layout(tmp_path: Path):
    """A file that another program wrote: same names, other offsets."""
    unit, entry, weights = prepare(STATES, tmp_path)
    other = tmp_path / "other.safetensors"
    tensors = {name: np.array(array) for name, array in read(weights).items()}
    save_file(tensors | {"zz_padding": np.ones(3, np.float64)}, other, metadata={"made": "elsewhere"})
    weights.unlink()
    runner = Runner()
    runner.load(str(tmp_path), entry, str(other), "f32")
    (network,) = unit.networks
    inputs = make_inputs(network.inference, {"N": 2}, 1)
    reports = compare(runner.run(inputs, False), references(network.inference, tensors, inputs))
    assert [report.verdict for report in reports] == [AGREES] * 3


def test_a_state_left_out_starts_where_the_spec_says(tmp_path: Path):
    _, entry, weights = prepare(STATES.replace("rnn = lstm_cell(4)", "rnn = lstm_cell(4)"), tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    x = np.ones((2, 3), np.float32)
    names = [item.name for item in onnx.load(str(tmp_path / entry), load_external_data=False).graph.input][1:]
    zeros = {name: np.zeros((2, 4), np.float32) for name in names}
    given, left_out = runner.run({"x": x, **zeros}, False), runner.run({"x": x}, False)
    assert list(given) == ["y", *(f"next {name}" for name in names)]
    for name in given:
        np.testing.assert_array_equal(given[name], left_out[name])


def test_a_model_is_for_one_mode(tmp_path: Path):
    _, entry, weights = prepare(STATES, tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    with pytest.raises(DlcError, match="E0805"):
        runner.run({"x": np.ones((2, 3), np.float32)}, True)


@pytest.mark.parametrize(("precision", "tolerance"), [("f64", 1e-12), ("f16", 1e-2)])
def test_other_precisions(precision: str, tolerance: float, tmp_path: Path):
    """Weights stay as the file holds them and are cast in the graph."""
    unit, entry, weights = prepare(STATES, tmp_path, precision=precision)
    (network,) = unit.networks
    inputs = make_inputs(network.inference, {"N": 3}, 1)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), precision)
    found = runner.run(inputs, False)
    for name, value in references(network.inference, read(weights), inputs).exact.items():
        assert found[name].dtype == {"f64": np.float64, "f16": np.float16}[precision]
        assert np.abs(found[name] - value).max() <= tolerance * np.abs(value).max()


def test_an_empty_batch(tmp_path: Path):
    """All but `merged`, whose reshape ONNX Runtime's own ReshapeFusion turns into one with -1, which fails on 0 / 0."""
    _, entry, weights = prepare(SIZES.replace("    output merged", "    merged"), tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    inputs = {"x": np.zeros((0, 3, 4), np.float32), "pairs": np.zeros((0, 7, 4), np.float32)}
    found = runner.run(inputs, False)
    assert found["back"].shape == (0, 3, 3)
    assert found["wide"].shape == (0, 3, 3, 4)
    assert np.isnan(found["spread"]).all()


def test_the_same_bytes_every_time(tmp_path: Path):
    texts = set()
    for turn in range(2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        _, entry, _ = prepare(SCANS, folder)
        texts.add((folder / entry).read_bytes())
    assert len(texts) == 1


def test_draws_are_inputs(tmp_path: Path):
    """Whether a pass has made them so before or not."""
    text = "network Net:\n    input x: float[N, 4]\n    output y = x -> dropout(p=0.25)\n"
    path = tmp_path / "spec.dl"
    path.write_text(text)
    entry = write_model(elaborate(load_project(path)).unit, Options(training=True), tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, None, "f32")
    x, u = np.ones((2, 4), np.float32), np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.0, 0.9]], np.float32)
    found = runner.run({"x": x, "dropout_u": u}, True)["y"]
    np.testing.assert_allclose(found, np.where(u >= 0.25, 1 / 0.75, 0), rtol=1e-6)


def test_what_training_draws_is_no_input_of_inference(tmp_path: Path):
    text = "network Net:\n    input x: float[N, 4]\n    output y = x -> dropout(p=0.25)\n"
    (tmp_path / "spec.dl").write_text(text)
    entry = write_model(elaborate(load_project(tmp_path / "spec.dl")).unit, Options(), tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, None, "f32")
    ones = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(runner.run({"x": ones}, False)["y"], ones)


def test_weights_from_elsewhere_are_linked(tmp_path: Path):
    """A file of the same layout is used in place: nothing is copied."""
    _, entry, weights = prepare(STATES, tmp_path)
    other = weights.rename(tmp_path / "other.safetensors")
    runner = Runner()
    runner.load(str(tmp_path), entry, str(other), "f32")
    assert weights.samefile(other)
    assert runner.run({"x": np.ones((2, 3), np.float32)}, False)["y"].shape == (2, 4)


def test_a_scan_over_nothing_is_refused(tmp_path: Path):
    """ONNX Runtime would end the process: the runner says so instead."""
    _, entry, weights = prepare(SCANS, tmp_path)
    runner = Runner()
    runner.load(str(tmp_path), entry, str(weights), "f32")
    with pytest.raises(DlcError, match="E0808"):
        runner.run({"x": np.zeros((2, 0, 2), np.float32), "lengths": np.ones(2, np.int64)}, False)


def test_onnx_runtime_still_fails_on_a_scan_over_nothing(tmp_path: Path):
    """By an exception or a signal, as the axes are. If this fails, it has been repaired, and the refusal can go."""
    _, entry, _ = prepare(SCANS, tmp_path)
    code = f"""
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession({str(tmp_path / entry)!r})
session.run(None, {{"x": np.zeros((2, 0, 2), np.float32), "lengths": np.ones(2, np.int64)}})
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode != 0
