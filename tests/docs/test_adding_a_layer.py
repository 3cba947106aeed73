"""The layer of docs/adding-a-layer.md: right against NumPy, the same on ONNX, and as a standard block."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlc.backends.reference.interpreter import Interpreter
from dlc.distributions import draw
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes import resolve
from dlc.spec.source import Source
from dlc.spec.splitter import index
from dlc.verify.run import Settings, verify
from doc_snippets import DOCS, elaborated, snippets

LAYER, USE = snippets(DOCS / "adding-a-layer.md", "dl")
USED = "squeeze_excite(reduction=8)"


def test_against_numpy(tmp_path: Path) -> None:
    text = "network Only:\n    input x: float[N, 16, 5, 4]\n    output x -> squeeze_excite(reduction=4)\n"
    made = elaborated(replace(USE, text=f'import "layers.dl"\n{text}'), tmp_path)
    (network,) = made.unit.networks
    weights = {
        p.path: draw(p.initial, p.shape, p.path, 3) for p in network_parameters(network.inference, network.training)
    }
    x = np.random.default_rng(0).normal(size=(2, 16, 5, 4))
    found = Interpreter(network.inference, weights, precision="f64").run({"x": x})["output"]
    w1, b1, w2, b2 = weights.values()
    gate = 1 / (1 + np.exp(-(np.maximum(x.mean((2, 3)) @ w1.T + b1, 0) @ w2.T + b2)))
    np.testing.assert_allclose(found, x * gate[:, :, None, None], rtol=1e-12)


def test_agrees(tmp_path: Path) -> None:
    report = verify(elaborated(USE, tmp_path).unit, ["onnx"], Settings(sizes=1, natives=(True, False)))
    assert report.agreed, report.problems()


def test_in_the_standard_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = resolve.standard_library()
    source = Source("std/attention.dl", LAYER.text)
    chunks = {c.name: (source.name, c) for c in index(source) if c.kind == "block"}
    grown = replace(library, chunks={**library.chunks, **chunks})
    monkeypatch.setattr(resolve, "standard_library", lambda: grown)
    path = tmp_path / "gated.dl"
    path.write_text(USE.text.removeprefix('import "layers.dl"\n'), encoding="utf-8")
    assert USED in path.read_text(encoding="utf-8")
    (network,) = elaborate(resolve.load_project(path)).unit.networks
    paths = [p.path for p in network_parameters(network.inference, network.training)]
    assert paths == next(line for line in USE.text.splitlines() if "names:" in line).split("names: ")[1].split()
