"""Specs as users write them: each is verified on all backends, and its constructors are honest.

A constructor is honest if it makes, with another value of a hyperparameter, the parameters that `--set` would give.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dlc import networks
from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.cli import main
from dlc.networks import Choice
from dlc.passes.resolve import load_project

HERE = Path(__file__).parent
SPECS = tuple(sorted(path for path in HERE.glob("*.dl") if path.stem != "lib"))


#: (spec, network, hyperparameter, another value)
CHANGES = (
    ("autoencoder", "VAE", "widths", [12, 9, 5]),
    ("autoencoder", "VAE", "latent", 4),
    ("decoder", "Captioner", "hidden", 8),
    ("cells2", "Deep", "hidden", 4),
    ("gan_pair", "Generator", "width", 16),
    ("gan_pair", "Critic", "width", 8),
    ("gpt", "Llama", "width", 32),
    ("mixer", "Mixer", "patch", 1),
    ("mixer", "Mixer", "depth", 4),
    ("names", "Modules", "ops", 7),
    ("ntm", "Turing", "hidden", 7),
    ("vit", "ViT", "width", 24),
    ("vit", "ViT", "patch", 2),
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All specs in one run: the workers stay warm."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main(["verify", "--json", *map(str, SPECS)])
    return json.loads(out.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_all_backends_agree(reports: dict[str, Any], path: Path):
    (found,) = [one for one in reports["files"] if Path(one["file"]).stem == path.stem]
    assert {case["backend"] for case in found["cases"]} == {"onnx", "tensorflow", "torch"}
    assert found["agreed"], [case["message"] or case for case in found["cases"] if case["status"] != "agrees"]


def _module(path: Path, choice: Choice | None = None) -> ModuleType:
    artifact = backend.compile(networks.elaborate(load_project(path), choice).unit, Options())
    module = ModuleType(f"user_{path.stem}")
    sys.modules[module.__name__] = module
    exec(compile(str(artifact.files[f"{path.stem}_torch.py"]), str(path), "exec"), module.__dict__)
    return module


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


@pytest.mark.parametrize(("spec", "network", "word", "value"), CHANGES)
def test_constructors_are_honest(spec: str, network: str, word: str, value: object):
    path = HERE / f"{spec}.dl"
    factory = getattr(_module(path), network)
    assert inspect.signature(factory).parameters[word].default != value
    wanted = getattr(_module(path, Choice(network, {word: str(value)})), network)()
    assert _shapes(factory(**{word: value})) == _shapes(wanted)


def test_a_draw_has_the_declared_shape():
    """`sample u: float[N]` beside an input of three axes; verify feeds draws, so that it never runs this."""
    import torch

    model = _module(HERE / "mixer.dl").Mixer(rate=0.9).train()
    assert model(torch.zeros(3, 6, 8, 3)).shape == (3, 4)


@pytest.mark.parametrize("stem", ["buffers", "reserved"])
def test_agrees_in_the_default_run_too(stem: str) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["verify", "--json", str(HERE / f"{stem}.dl")])
    assert code == 0, out.getvalue()
