"""The examples as torch code: golden files that are linted, format-checked, imported and run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from dlc import networks
from dlc.backends.api import Options, Unit
from dlc.backends.torch import backend
from dlc.passes.resolve import load_project
from torch_models import imported, require_ruff_clean, write

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"
EXAMPLES = ("lenet", "resnet", "char_lstm", "dcgan", "graph", "seq2seq", "transformer")
GOLDENS = (*EXAMPLES, "densenet", "unet")


def unit(name: str) -> Unit:
    return networks.elaborate(load_project(ROOT / "examples" / f"{name}.dl")).unit


@pytest.mark.parametrize("name", GOLDENS)
def test_golden(name: str, check_golden: Callable[[Path, str], None]):
    artifact = backend.compile(unit(name), Options())
    text = artifact.files[f"{name}_torch.py"]
    assert isinstance(text, str)
    check_golden(GOLDEN / f"torch_{name}.py", text)
    require_ruff_clean(GOLDEN / f"torch_{name}.py")


def test_no_golden_is_an_orphan():
    assert {path.stem for path in GOLDEN.glob("torch_*.py")} == {f"torch_{name}" for name in GOLDENS}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("natives", [True, False])
def test_state_dict_is_named_as_the_spec_says(name: str, natives: bool, tmp_path: Path):
    """state_dict() keys are the canonical parameter paths, with natives or without."""
    from dlc.parameters import parameters

    spec = unit(name)
    artifact = backend.compile(spec, Options(natives=natives))
    (path,) = write(artifact.files, tmp_path)
    require_ruff_clean(path)
    module = imported(path)
    for network in spec.networks[:2]:
        with torch.device("meta"):
            model = getattr(module, network.name)()
        found = {key: tuple(value.shape) for key, value in model.state_dict().items()}
        found = {key.replace("forward_", "forward"): shape for key, shape in found.items() if "num_batches" not in key}
        wanted = {p.path: tuple(p.shape) for p in parameters(network.training)}
        assert found == wanted


def small(name: str) -> tuple[str, dict[str, object], list[torch.Tensor]]:
    draws = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 30, (2, 5), generator=draws)
    match name:
        case "lenet":
            return "LeNet5", {}, [torch.randn(2, 1, 28, 28, generator=draws)]
        case "char_lstm":
            return "CharLSTM", {"vocab": 30, "hidden": 8}, [tokens]
        case "graph":
            return "GCN", {}, [torch.randn(2, 1433, generator=draws), torch.tensor([[0, 1, 1], [1, 0, 1]])]
        case "seq2seq":
            return "Seq2Seq", {"source_vocab": 30, "target_vocab": 30}, [tokens, tokens.flip(0)]
        case "transformer":
            return "Transformer", {"vocab": 30, "width": 16, "heads": 2, "inner": 32, "layers": 2}, [tokens, tokens]
        case _:
            return "Generator", {}, [torch.randn(2, 100, generator=draws)]


@pytest.mark.parametrize("name", ["lenet", "char_lstm", "graph", "seq2seq", "transformer", "dcgan"])
def test_compiles_and_takes_other_arguments(name: str):
    """Other hyperparameters than the spec's defaults work; torch.compile finds no graph break."""
    torch.set_num_threads(1)
    word, arguments, inputs = small(name)
    model = getattr(imported(GOLDEN / f"torch_{name}.py"), word)(**arguments).eval()
    plain = model(*inputs)
    compiled = torch.compile(model, fullgraph=True, backend="eager")(*inputs)
    for one, other in zip(listed(plain), listed(compiled), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", ["lenet", "transformer", "dcgan"])
def test_exports_with_a_dynamic_batch(name: str):
    word, arguments, inputs = small(name)
    model = getattr(imported(GOLDEN / f"torch_{name}.py"), word)(**arguments).eval()
    batch = torch.export.Dim("batch", min=1)
    exported = torch.export.export(model, tuple(inputs), dynamic_shapes=tuple({0: batch} for _ in inputs))
    more = [torch.cat([one, one, one]) for one in inputs]
    torch.testing.assert_close(exported.module()(*more), model(*more))


def listed(result: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)
