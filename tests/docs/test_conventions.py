"""The conventions of docs/language.md: the standard blocks that have a twin in PyTorch mean what the twin means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from dlc.backends.reference.interpreter import Interpreter
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project

torch = pytest.importorskip("torch")
Arrays = Mapping[str, np.ndarray]


def run(folder: Path, body: str, inputs: Arrays, training: bool = False) -> tuple[dict[str, np.ndarray], Arrays]:
    """Outputs in float64 of a network with this body, and its random weights by path (shapes of `inputs` are fixed)."""
    path = folder / "block.dl"
    declared = [f"input {name}: {_type(array)}" for name, array in inputs.items()]
    path.write_text("\n    ".join(["network Block:", *declared, *body.strip().splitlines()]) + "\n", encoding="utf-8")
    (network,) = elaborate(load_project(path)).unit.networks
    random = np.random.default_rng(1)
    wanted = network_parameters(network.inference, network.training)
    weights = {p.path: random.uniform(0.2, 0.9, p.shape) * random.choice([-1, 1], p.shape) for p in wanted}
    weights = {path: np.abs(array) if path.endswith("running_var") else array for path, array in weights.items()}
    program = network.training if training else network.inference
    return Interpreter(program, weights, precision="f64").run(inputs), weights


def _type(array: np.ndarray) -> str:
    kind = {"f": "float", "i": "int", "b": "bool"}[array.dtype.kind]
    return f"{kind}[{', '.join(map(str, array.shape))}]"


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape)


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def same(found: np.ndarray, expected: torch.Tensor) -> None:
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-9, atol=1e-12)


def load(module: torch.nn.Module, **arrays: np.ndarray) -> torch.nn.Module:
    module = module.double()
    with torch.no_grad():
        for name, array in arrays.items():
            getattr(module, name).copy_(tensor(array))
    return module


def test_gru_cell_resets_after_the_product(tmp_path: Path) -> None:
    x, h = normal(3, 5), normal(3, 4)
    found, w = run(tmp_path, "output gru_cell(4)(x, h=h)", {"x": x, "h": h})
    bias = np.concatenate([np.zeros(8), w["gru_cell.recurrent_bias"]])
    twin = load(
        torch.nn.GRUCell(5, 4),
        weight_ih=w["gru_cell.dense.weight"],
        bias_ih=w["gru_cell.dense.bias"],
        weight_hh=w["gru_cell.dense_2.weight"],
        bias_hh=bias,
    )
    same(found["output"], twin(tensor(x), tensor(h)))


def test_lstm_cell_order_of_gates(tmp_path: Path) -> None:
    x, h, c = normal(3, 5), normal(3, 4), normal(3, 4) / 2
    body = "r = lstm_cell(4)(x, h=h, c=c)\noutput new_h = r.h\noutput new_c = r.c"
    found, w = run(tmp_path, body, {"x": x, "h": h, "c": c})
    first, second, bias = (next(a for k, a in w.items() if k.endswith(e)) for e in ("dense.weight", "2.weight", "bias"))
    twin = load(torch.nn.LSTMCell(5, 4), weight_ih=first, bias_ih=bias, weight_hh=second, bias_hh=np.zeros(16))
    new_h, new_c = twin(tensor(x), (tensor(h), tensor(c)))
    same(found["new_h"], new_h)
    same(found["new_c"], new_c)


@pytest.mark.parametrize("training", [False, True])
def test_batch_norm(tmp_path: Path, training: bool) -> None:
    x = normal(3, 4, 5, 2)
    found, w = run(tmp_path, "output y = batch_norm(x)", {"x": x}, training)
    (prefix,) = {path.rpartition(".")[0] for path in w}
    twin = load(torch.nn.BatchNorm2d(4), **{path.rpartition(".")[2]: array for path, array in w.items()})
    twin.train(training)
    same(found["y"], twin(tensor(x)))
    if training:
        same(found[f"buffer {prefix}.running_mean"], twin.running_mean)
        same(found[f"buffer {prefix}.running_var"], twin.running_var)


def test_attention_with_a_mask(tmp_path: Path) -> None:
    x, memory = normal(2, 3, 8), normal(2, 5, 8)
    mask = np.random.default_rng(3).random((2, 3, 5)) < 0.6
    mask[:, :, 0] = True
    body = "output y = multi_head_attention(2)(x, memory, memory, mask=mask)"
    found, w = run(tmp_path, body, {"x": x, "memory": memory, "mask": mask})
    (prefix,) = {path.split(".")[0] for path in w}
    part = {name: w[f"{prefix}.{name}"] for name in (k.removeprefix(f"{prefix}.") for k in w)}
    twin = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    load(
        twin,
        in_proj_weight=np.concatenate([part[f"{n}.weight"] for n in "qkv"]),
        in_proj_bias=np.concatenate([part[f"{n}.bias"] for n in "qkv"]),
    )
    load(twin.out_proj, weight=part["output.weight"], bias=part["output.bias"])
    blocked = tensor(~np.repeat(mask, 2, axis=0))
    same(found["y"], twin(tensor(x), tensor(memory), tensor(memory), attn_mask=blocked)[0])


def test_attention_to_nothing_is_zero(tmp_path: Path) -> None:
    x = normal(1, 2, 4)
    mask = np.zeros((1, 2, 2), bool)
    found, w = run(tmp_path, "output y = multi_head_attention(2)(x, x, x, mask=mask)", {"x": x, "mask": mask})
    bias = next(array for path, array in w.items() if path.endswith("output.bias"))
    np.testing.assert_allclose(found["y"], np.broadcast_to(bias, (1, 2, 4)))


@pytest.mark.parametrize(
    ("block", "shape", "twin"),
    [
        (
            "conv2d(6, kernel=3, stride=2, padding=1, groups=2)",
            (2, 4, 7, 6),
            lambda: torch.nn.Conv2d(4, 6, 3, 2, 1, 1, 2),
        ),
        (
            "conv_transpose2d(3, kernel=4, stride=2, padding=1, output_padding=1)",
            (2, 4, 5, 3),
            lambda: torch.nn.ConvTranspose2d(4, 3, 4, 2, 1, 1),
        ),
        ("layer_norm", (2, 3, 6), lambda: torch.nn.LayerNorm(6)),
        ("dense(3)", (2, 4, 5), lambda: torch.nn.Linear(5, 3)),
        ("gelu", (2, 5), lambda: torch.nn.GELU()),
        ("gelu(approximate=true)", (2, 5), lambda: torch.nn.GELU("tanh")),
        ("elu(alpha=0.5)", (2, 5), lambda: torch.nn.ELU(0.5)),
        ("silu", (2, 5), lambda: torch.nn.SiLU()),
        ("softplus", (2, 5), lambda: torch.nn.Softplus()),
        ("leaky_relu(slope=0.2)", (2, 5), lambda: torch.nn.LeakyReLU(0.2)),
        ("avg_pool2d(3, stride=2, padding=1)", (2, 2, 6, 7), lambda: torch.nn.AvgPool2d(3, 2, 1)),
        ("max_pool2d(3, stride=2, padding=1)", (2, 2, 6, 7), lambda: torch.nn.MaxPool2d(3, 2, 1)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_layers(tmp_path: Path, block: str, shape: tuple[int, ...], twin) -> None:
    x = normal(*shape) - 1
    found, w = run(tmp_path, f"output y = x -> {block}", {"x": x})
    module = load(twin(), **{path.rpartition(".")[2]: array for path, array in w.items()})
    same(found["y"], module(tensor(x)))
