"""Every block of the standard library against PyTorch, or against its formula where PyTorch has none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_std_attention
import test_std_graphs
import test_std_losses
import test_std_sequences
import test_std_vision
from dlc.passes.resolve import standard_library
from language_runs import Array, Ran, close, normal
from std_twins import F, applied, load, nn, numpy, tensor, torch

X4 = normal(2, 4, 9, 7)
X3 = normal(2, 3, 6)
X2 = normal(3, 5)
X5 = normal(2, 2, 4, 5, 3)


class Padded(nn.Module):
    """A layer behind F.pad; its weights have the layer's names."""

    def __init__(self, pads: tuple[int, ...], layer: nn.Module) -> None:
        super().__init__()
        self.pads = pads
        self.layer = [layer]
        for name, parameter in layer.named_parameters():
            self.register_parameter(name, parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (layer,) = self.layer
        return layer(F.pad(x, self.pads))


#: A call of a block on x, the input, and its twin; weights are loaded by their names.
TWINS: Mapping[str, tuple[Array, Callable[[], Any]]] = {
    "dense(3)": (X3, lambda: nn.Linear(6, 3)),
    "dense(3, bias=false)": (X2, lambda: nn.Linear(5, 3, bias=False)),
    "conv2d(6, kernel=3)": (X4, lambda: nn.Conv2d(4, 6, 3)),
    "conv2d(6, 3, stride=2, padding=1)": (X4, lambda: nn.Conv2d(4, 6, 3, 2, 1)),
    "conv2d(6, 3, dilation=2, padding=2)": (X4, lambda: nn.Conv2d(4, 6, 3, dilation=2, padding=2)),
    "conv2d(6, 3, stride=2, dilation=2)": (X4, lambda: nn.Conv2d(4, 6, 3, stride=2, dilation=2)),
    "conv2d(8, 3, groups=4, bias=false)": (X4, lambda: nn.Conv2d(4, 8, 3, groups=4, bias=False)),
    "conv2d(6, 2, stride=2, padding=1, dilation=3, groups=2)": (X4, lambda: nn.Conv2d(4, 6, 2, 2, 1, 3, 2)),
    "conv2d(6, [1, 5], padding=[0, 2], stride=[2, 1])": (X4, lambda: nn.Conv2d(4, 6, (1, 5), (2, 1), (0, 2))),
    'conv2d(6, [5, 3], padding="same", dilation=[1, 2])': (
        X4,
        lambda: nn.Conv2d(4, 6, (5, 3), padding="same", dilation=(1, 2)),
    ),
    'conv2d(6, 4, padding="same")': (X4, lambda: Padded((1, 2, 1, 2), nn.Conv2d(4, 6, 4))),
    'conv2d(6, 3, stride=2, padding="same")': (X4, lambda: Padded((1, 1, 1, 1), nn.Conv2d(4, 6, 3, 2))),
    'conv2d(6, 3, padding="valid")': (X4, lambda: nn.Conv2d(4, 6, 3)),
    "conv2d(6, 3, padding=[[1, 0], [0, 2]])": (X4, lambda: Padded((0, 2, 1, 0), nn.Conv2d(4, 6, 3))),
    "conv1d(5, 3, padding=[[4, 0]], dilation=2)": (X3, lambda: Padded((4, 0), nn.Conv1d(3, 5, 3, dilation=2))),
    "conv3d(4, [1, 2, 3], stride=[1, 2, 1])": (X5, lambda: nn.Conv3d(2, 4, (1, 2, 3), (1, 2, 1))),
    "conv_transpose2d(3, [3, 2], stride=[2, 1], padding=[1, 0], output_padding=[1, 0])": (
        X4,
        lambda: nn.ConvTranspose2d(4, 3, (3, 2), (2, 1), (1, 0), (1, 0)),
    ),
    "conv_transpose2d(3, kernel=2)": (X4, lambda: nn.ConvTranspose2d(4, 3, 2)),
    "conv_transpose2d(3, 4, stride=2, padding=1)": (X4, lambda: nn.ConvTranspose2d(4, 3, 4, 2, 1)),
    "conv_transpose2d(3, 3, stride=3, padding=1, output_padding=2, bias=false)": (
        X4,
        lambda: nn.ConvTranspose2d(4, 3, 3, 3, 1, 2, bias=False),
    ),
    "max_pool2d(2)": (X4, lambda: nn.MaxPool2d(2)),
    "max_pool2d(3, stride=2, padding=1)": (X4 - 9, lambda: nn.MaxPool2d(3, 2, 1)),
    "avg_pool2d(2)": (X4, lambda: nn.AvgPool2d(2)),
    "avg_pool2d(3, stride=2, padding=1)": (X4, lambda: nn.AvgPool2d(3, 2, 1)),
    "global_avg_pool": (X4, lambda: lambda x: x.mean((2, 3))),
    "flatten": (X4, lambda: nn.Flatten()),
    "batch_norm": (X4, lambda: nn.BatchNorm2d(4).eval()),
    "batch_norm(epsilon=0.1, affine=false)": (X4, lambda: nn.BatchNorm2d(4, 0.1, affine=False).eval()),
    "layer_norm": (X3, lambda: nn.LayerNorm(6)),
    "layer_norm(epsilon=0.5)": (X3, lambda: nn.LayerNorm(6, 0.5)),
    "dropout(0.3)": (X2, lambda: nn.Dropout(0.3).eval()),
    "leaky_relu": (X2, lambda: nn.LeakyReLU()),
    "leaky_relu(slope=0.3)": (X2, lambda: nn.LeakyReLU(0.3)),
    "elu": (X2, lambda: nn.ELU()),
    "elu(alpha=0.3)": (X2, lambda: nn.ELU(0.3)),
    "gelu": (X2, lambda: nn.GELU()),
    "gelu(approximate=true)": (X2, lambda: nn.GELU("tanh")),
    "silu": (X2, lambda: nn.SiLU()),
    "softplus": (X2 * 10, lambda: nn.Softplus()),
    "relu6": (X2 * 10, lambda: nn.ReLU6()),
    "prelu": (X4, lambda: nn.PReLU(4)),
    "prelu(shared=true)": (X4, lambda: nn.PReLU()),
    "selu": (X2, lambda: nn.SELU()),
    "celu(alpha=0.3)": (X2, lambda: nn.CELU(0.3)),
    "mish": (X2 * 10, lambda: nn.Mish()),
    "softsign": (X2, lambda: nn.Softsign()),
    "log_sigmoid": (X2 * 100, lambda: nn.LogSigmoid()),
    "hard_sigmoid": (X2 * 5, lambda: nn.Hardsigmoid()),
    "hard_swish": (X2 * 5, lambda: nn.Hardswish()),
    "hard_tanh(low=-0.5)": (X2, lambda: nn.Hardtanh(-0.5, 1.0)),
    "soft_shrink": (X2, lambda: nn.Softshrink()),
    "hard_shrink(0.3)": (X2, lambda: nn.Hardshrink(0.3)),
    "tanh_shrink": (X2, lambda: nn.Tanhshrink()),
    "straight_through(sign)": (X2, lambda: torch.sign),
    "straight_through(round)": (X2 * 5, lambda: torch.round),
    "diagonal_matrix": (X3, lambda: torch.diag_embed),
    "upsample": (X4, lambda: nn.Upsample(scale_factor=2)),
    "upsample(3)": (X3, lambda: nn.Upsample(scale_factor=3)),
    "glu": (X3, lambda: nn.GLU()),
    "reglu": (X3, lambda: lambda x: x[..., :3] * F.relu(x[..., 3:])),
    "geglu": (X3, lambda: lambda x: x[..., :3] * F.gelu(x[..., 3:])),
    "swiglu": (X3, lambda: lambda x: x[..., :3] * F.silu(x[..., 3:])),
    "conv1d(4, 3, stride=2, padding=1, dilation=2)": (X3, lambda: nn.Conv1d(3, 4, 3, 2, 1, 2)),
    "conv1d(6, 3, groups=3, bias=false)": (X3, lambda: nn.Conv1d(3, 6, 3, groups=3, bias=False)),
    "conv3d(4, 2, stride=2, padding=1)": (X5, lambda: nn.Conv3d(2, 4, 2, 2, 1)),
    "conv_transpose1d(4, 3, stride=2, padding=1, output_padding=1)": (X3, lambda: nn.ConvTranspose1d(3, 4, 3, 2, 1, 1)),
    "conv_transpose3d(3, 2, stride=2)": (X5, lambda: nn.ConvTranspose3d(2, 3, 2, 2)),
    "depthwise_conv2d(3, multiplier=2, padding=1)": (X4, lambda: nn.Conv2d(4, 8, 3, padding=1, groups=4)),
    "max_pool1d(2)": (X3, lambda: nn.MaxPool1d(2)),
    "max_pool3d(2, stride=1)": (X5, lambda: nn.MaxPool3d(2, 1)),
    "avg_pool1d(3, stride=1, padding=1)": (X3, lambda: nn.AvgPool1d(3, 1, 1)),
    "avg_pool3d(2)": (X5, lambda: nn.AvgPool3d(2)),
    "lp_pool2d(2.0, 2)": (X4, lambda: nn.LPPool2d(2, 2)),
    "adaptive_avg_pool2d(4, 3)": (X4, lambda: nn.AdaptiveAvgPool2d((4, 3))),
    "adaptive_avg_pool2d(9, 7)": (X4, lambda: nn.AdaptiveAvgPool2d((9, 7))),
    "global_max_pool": (X4, lambda: lambda x: x.amax((2, 3))),
    "adaptive_max_pool2d(4, 3)": (X4, lambda: nn.AdaptiveMaxPool2d((4, 3))),
    "adaptive_avg_pool1d(4)": (X3, lambda: nn.AdaptiveAvgPool1d(4)),
    "lp_pool1d(3.0, 2)": (abs(X3), lambda: nn.LPPool1d(3, 2)),
    "group_norm(2)": (X4, lambda: nn.GroupNorm(2, 4)),
    "group_norm(4, epsilon=0.1, affine=false)": (X3.reshape(2, 9, 2)[:, :8], lambda: nn.GroupNorm(4, 8, 0.1, False)),
    "instance_norm": (X4, lambda: nn.InstanceNorm2d(4)),
    "instance_norm(affine=true)": (X3, lambda: nn.InstanceNorm1d(3, affine=True)),
    "rms_norm": (X3, lambda: nn.RMSNorm(6, 1e-6)),
    "local_response_norm(3, alpha=0.1)": (X4, lambda: nn.LocalResponseNorm(3, 0.1)),
    "local_response_norm(4, alpha=0.1, k=2.0)": (X4, lambda: nn.LocalResponseNorm(4, 0.1, k=2.0)),
    "channel_dropout": (X4, lambda: nn.Dropout2d().eval()),
    "stochastic_depth": (X4, lambda: nn.Identity()),
}
#: Blocks with tests of their own below, or in test_training.py.
ELSEWHERE = {
    "embedding",
    "rnn_cell",
    "lstm_cell",
    "gru_cell",
    "scaled_dot_product_attention",
    "multi_head_attention",
    "add_sinusoidal_positions",
    "bilinear",
    "maxout",
    "causal_conv1d",
    "separable_conv2d",
    *test_std_sequences.BLOCKS,
    *test_std_attention.BLOCKS,
    *test_std_graphs.BLOCKS,
    *test_std_losses.BLOCKS,
    *test_std_vision.BLOCKS,
}


def test_all_blocks_have_a_twin() -> None:
    named = {re.match(r"\w+", call)[0] for call in TWINS}  # type: ignore[index]
    assert named | ELSEWHERE == set(standard_library().names())


@pytest.mark.parametrize("call", TWINS)
def test_layer(tmp_path: Path, call: str) -> None:
    x, make = TWINS[call]
    found = applied(tmp_path, f"output y = x -> {call}", {"x": x})
    twin = make()
    if isinstance(twin, nn.Module):
        load(twin, {path.rpartition(".")[2]: array for path, array in found.weights.items()})
    close(found["y"], numpy(twin(tensor(x))))


def test_embedding(tmp_path: Path) -> None:
    tokens = np.array([[0, 3, 3], [9, 1, 0]])
    found = applied(tmp_path, "output y = tokens -> embedding(10, 4)", {"tokens": tokens})
    twin = load(nn.Embedding(10, 4), {"weight": found.weight("weight")})
    close(found["y"], numpy(twin(tensor(tokens))))


def test_embedding_with_padding(tmp_path: Path) -> None:
    tokens = np.array([[0, 3, 3], [9, 1, 0]])
    found = applied(tmp_path, "output y = tokens -> embedding(10, 4, padding=3)", {"tokens": tokens})
    table = found.weight("weight").copy()
    table[3] = 0  # as torch starts it, and keeps it
    twin = load(nn.Embedding(10, 4, padding_idx=3), {"weight": table})
    close(found["y"], numpy(twin(tensor(tokens))))


SEQUENCE = normal(3, 6, 5)
RECURRENT = {"rnn_cell": (nn.RNN, ("h",)), "lstm_cell": (nn.LSTM, ("h", "c")), "gru_cell": (nn.GRU, ("h",))}


@pytest.mark.parametrize("cell", RECURRENT)
def test_recurrent_cell(tmp_path: Path, cell: str) -> None:
    """A scan against torch's layer; of torch's two biases the second is 0, but for the GRU's new gate."""
    make, states = RECURRENT[cell]
    start = {f"{name}0": normal(3, 4, seed=7 + i) for i, name in enumerate(states)}
    given = "".join(f", {name}={name}0" for name in states)
    body = f"r = scan({cell}(4), x{given})\noutput y = r.output\n"
    body += "".join(f"output last_{name} = r.{name}\n" for name in states)
    found = applied(tmp_path, body, {"x": SEQUENCE, **start})
    weight, bias = found.weight("dense.weight"), found.weight("dense.bias")
    second = np.zeros_like(bias)
    if cell == "gru_cell":
        second[-4:] = found.weight("recurrent_bias")
    weights = {
        "weight_ih_l0": weight,
        "weight_hh_l0": found.weight("dense_2.weight"),
        "bias_ih_l0": bias,
        "bias_hh_l0": second,
    }
    twin = load(make(5, 4, batch_first=True), weights)
    first = tuple(tensor(array)[None] for array in start.values())
    y, last = twin(tensor(SEQUENCE), first if len(first) > 1 else first[0])
    close(found["y"], numpy(y))
    for name, state in zip(states, last if len(first) > 1 else (last,), strict=True):
        close(found[f"last_{name}"], numpy(state[0]))


def attention_twin(found: Ran, width: int, key: int, value: int, heads: int) -> nn.Module:
    w = found.weight
    weights = {f"{n}_proj_weight": w(f"{n}.weight") for n in "qkv"}
    if key == value == width:
        weights = {"in_proj_weight": np.concatenate(list(weights.values()))}
    weights["in_proj_bias"] = np.concatenate([w(f"{n}.bias") for n in "qkv"])
    weights |= {"out_proj.weight": w("output.weight"), "out_proj.bias": w("output.bias")}
    return load(nn.MultiheadAttention(width, heads, kdim=key, vdim=value, batch_first=True), weights)


@pytest.mark.parametrize("key", [8, 6])
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention(tmp_path: Path, masked: bool, key: int) -> None:
    q, k, v = normal(2, 4, 8), normal(2, 5, key, seed=3), normal(2, 5, key + (key != 8), seed=4)
    mask = np.random.default_rng(3).random((2, 4, 5)) < 0.5
    mask[:, :, 2] = True  # torch gives NaN where nothing may be attended to
    given = {"q": q, "k": k, "v": v, **({"allowed": mask} if masked else {})}
    call = f"multi_head_attention(4)(q, k, v{', mask=allowed' * masked})"
    found = applied(tmp_path, f"output y = {call}", given)
    twin = attention_twin(found, 8, k.shape[2], v.shape[2], 4)
    blocked = tensor(~np.repeat(mask, 4, axis=0)) if masked else None
    close(found["y"], numpy(twin(tensor(q), tensor(k), tensor(v), attn_mask=blocked)[0]))


def test_causal_self_attention(tmp_path: Path) -> None:
    x = normal(2, 5, 8)
    found = applied(tmp_path, "output y = multi_head_attention(2, causal=true)(x, x, x)", {"x": x})
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    twin = attention_twin(found, 8, 8, 8, 2)
    close(found["y"], numpy(twin(tensor(x), tensor(x), tensor(x), attn_mask=later)[0]))


@pytest.mark.parametrize("causal", [False, True])
def test_scaled_dot_product_attention(tmp_path: Path, causal: bool) -> None:
    q, k, v = normal(2, 3, 4, 5), normal(2, 3, 6, 5, seed=3), normal(2, 3, 6, 7, seed=4)
    mask = np.random.default_rng(3).random((2, 1, 4, 6)) < 0.7
    mask[:, :, :, 0] = True
    body = f"output y = scaled_dot_product_attention(causal={str(causal).lower()})(q, k, v, mask=m)"
    found = applied(tmp_path, body, {"q": q, "k": k, "v": v, "m": mask})
    allowed = mask & np.tri(4, 6, dtype=bool) if causal else mask
    close(found["y"], numpy(F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), tensor(allowed))))


def test_sinusoidal_positions_by_formula(tmp_path: Path) -> None:
    x = normal(2, 5, 6)
    expected = x.copy()
    for t in range(5):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            expected[:, t, 2 * i] += np.sin(angle)
            expected[:, t, 2 * i + 1] += np.cos(angle)
    close(applied(tmp_path, "output y = x -> add_sinusoidal_positions", {"x": x})["y"], expected)


def test_bilinear(tmp_path: Path) -> None:
    left, right = normal(3, 4), normal(3, 5, seed=3)
    found = applied(tmp_path, "output y = bilinear(2)(left, right)", {"left": left, "right": right})
    twin = load(nn.Bilinear(4, 5, 2), {"weight": found.weight("weight"), "bias": found.weight("bias")})
    close(found["y"], numpy(twin(tensor(left), tensor(right))))


def test_maxout_by_formula(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> maxout(3, pieces=4)", {"x": X3})
    pieces = (X3 @ found.weight("weight").T + found.weight("bias")).reshape(2, 3, 3, 4)
    close(found["y"], pieces.max(axis=-1))


def test_causal_convolution_sees_nothing_later(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> causal_conv1d(4, 3, dilation=2)", {"x": X3})
    twin = load(nn.Conv1d(3, 4, 3, padding=4, dilation=2), {n: found.weight(n) for n in ("weight", "bias")})
    close(found["y"], numpy(twin(tensor(X3)))[:, :, :6])


def test_separable_convolution(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> separable_conv2d(5, 3, multiplier=2, stride=2, padding=1)", {"x": X4})
    first = load(nn.Conv2d(4, 8, 3, 2, 1, groups=4, bias=False), {"weight": found.weight("depthwise.conv2d.weight")})
    last = load(nn.Conv2d(8, 5, 1), {n: found.weight(f"y.conv2d.{n}") for n in ("weight", "bias")})
    close(found["y"], numpy(last(first(tensor(X4)))))
