"""Recurrent blocks of the standard library: sequences against PyTorch, further cells against their papers' formulas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from language_runs import Array, Ran, close, normal
from std_twins import F, applied, load, nn, numpy, tensor, torch

BLOCKS = {
    "peephole_lstm_cell",
    "coupled_lstm_cell",
    "gru_cell_reset_before",
    "minimal_gated_cell",
    "layer_norm_lstm_cell",
    "conv_lstm_cell",
    "conv_gru_cell",
    "rnn",
    "lstm",
    "gru",
}

X = normal(3, 5, 4)
LENGTHS = np.array([5, 1, 3])
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def torch_weights(found: Ran, block: str, layers: int, ways: tuple[str, ...]) -> dict[str, Array]:
    """Of torch's two biases the second is 0, but for the GRU's new gate."""
    weights: dict[str, Array] = {}
    for layer in range(layers):
        for way in ways:
            end = f"l{layer}" + ("_reverse" if way == "backward" else "")
            bias = found.weight(f"{way}.{layer}.dense.bias")
            second = np.zeros_like(bias)
            if block == "gru":
                second[-6:] = found.weight(f"{way}.{layer}.recurrent_bias")
            weights |= {
                f"weight_ih_{end}": found.weight(f"{way}.{layer}.dense.weight"),
                f"weight_hh_{end}": found.weight(f"{way}.{layer}.dense_2.weight"),
                f"bias_ih_{end}": bias,
                f"bias_hh_{end}": second,
            }
    return weights


@pytest.mark.parametrize("two_way", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize("block", TORCH)
def test_sequence(tmp_path: Path, block: str, layers: int, two_way: bool, with_lengths: bool) -> None:
    given = {"x": X, **({"n": LENGTHS} if with_lengths else {})}
    call = f"{block}(6, layers={layers}, two_way={str(two_way).lower()})(x{', lengths=n' * with_lengths})"
    states = ("h", "c") if block == "lstm" else ("h",)
    body = f"r = {call}\noutput y = r.output\n" + "".join(f"output {s} = r.{s}\n" for s in states)
    found = applied(tmp_path, body, given)
    ways = ("forward", "backward") if two_way else ("forward",)
    twin = load(
        TORCH[block](4, 6, layers, batch_first=True, bidirectional=two_way), torch_weights(found, block, layers, ways)
    )
    x: Any = tensor(X)
    if with_lengths:
        x = nn.utils.rnn.pack_padded_sequence(x, tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    y, last = twin(x)
    if with_lengths:
        y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    close(found["y"], numpy(y))
    for name, state in zip(states, last if block == "lstm" else (last,), strict=True):
        close(found[name], numpy(state))


# --- one step of a cell, by formula ----------------------------------------------------------------------------

STEP, H, C = normal(3, 4), normal(3, 6, seed=3), normal(3, 6, seed=4)


def stepped(folder: Path, call: str, states: Mapping[str, Array], x: Array = STEP) -> Ran:
    given = ", ".join(f"{name}={name}0" for name in states)
    body = f"r = {call}(x, {given})\n" + "".join(f"output next_{name} = r.{name}\n" for name in states)
    return applied(folder, body, {"x": x, **{f"{name}0": array for name, array in states.items()}})


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def product(found: Ran, x: Array, name: str) -> Array:
    """Without its bias."""
    return x @ found.weight(f"{name}.weight").T


def test_peephole(tmp_path: Path) -> None:
    found = stepped(tmp_path, "peephole_lstm_cell(6)", {"h": H, "c": C})
    gates = product(found, STEP, "dense") + found.weight("dense.bias") + product(found, H, "dense_2")
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f + found.weight("peep_f") * C) * C + sigmoid(i + found.weight("peep_i") * C) * np.tanh(g)
    close(found["next_c"], c)
    close(found["next_h"], sigmoid(o + found.weight("peep_o") * c) * np.tanh(c))


def test_coupled(tmp_path: Path) -> None:
    found = stepped(tmp_path, "coupled_lstm_cell(6)", {"h": H, "c": C})
    gates = product(found, STEP, "dense") + found.weight("dense.bias") + product(found, H, "dense_2")
    f, g, o = np.split(gates, 3, axis=1)
    c = sigmoid(f) * C + (1 - sigmoid(f)) * np.tanh(g)
    close(found["next_c"], c)
    close(found["next_h"], sigmoid(o) * np.tanh(c))


def test_gru_that_resets_before(tmp_path: Path) -> None:
    found = stepped(tmp_path, "gru_cell_reset_before(6)", {"h": H})
    xr, xz, xn = np.split(product(found, STEP, "dense") + found.weight("dense.bias"), 3, axis=1)
    hr, hz = np.split(product(found, H, "dense_2"), 2, axis=1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + product(found, r * H, "n"))
    close(found["next_h"], (1 - z) * n + z * H)


def test_minimal_gated(tmp_path: Path) -> None:
    found = stepped(tmp_path, "minimal_gated_cell(6)", {"h": H})
    xf, xn = np.split(product(found, STEP, "dense") + found.weight("dense.bias"), 2, axis=1)
    f = sigmoid(xf + product(found, H, "f"))
    n = np.tanh(xn + product(found, f * H, "n"))
    close(found["next_h"], (1 - f) * H + f * n)


def test_layer_norm_lstm(tmp_path: Path) -> None:
    found = stepped(tmp_path, "layer_norm_lstm_cell(6)", {"h": H, "c": C})

    def normed(x: Array, name: str) -> Array:
        weight, bias = (tensor(found.weight(f"{name}.{part}")) for part in ("weight", "bias"))
        return numpy(F.layer_norm(tensor(x), x.shape[1:], weight, bias))

    gates = normed(product(found, STEP, "dense") + found.weight("dense.bias"), "layer_norm")
    i, f, g, o = np.split(gates + normed(product(found, H, "dense_2"), "layer_norm_2"), 4, axis=1)
    c = sigmoid(f) * C + sigmoid(i) * np.tanh(g)
    close(found["next_c"], c)
    close(found["next_h"], sigmoid(o) * np.tanh(normed(c, "layer_norm_3")))


IMAGE, IMAGE_H, IMAGE_C = normal(2, 3, 5, 4), normal(2, 2, 5, 4, seed=3), normal(2, 2, 5, 4, seed=4)


def convolved(found: Ran, name: str, *parts: Array) -> Array:
    x = torch.cat([tensor(part) for part in parts], dim=1)
    return numpy(F.conv2d(x, tensor(found.weight(f"{name}.weight")), tensor(found.weight(f"{name}.bias")), padding=1))


def test_conv_lstm(tmp_path: Path) -> None:
    found = stepped(tmp_path, "conv_lstm_cell(2)", {"h": IMAGE_H, "c": IMAGE_C}, IMAGE)
    i, f, g, o = np.split(convolved(found, "gates", IMAGE, IMAGE_H), 4, axis=1)
    c = sigmoid(f) * IMAGE_C + sigmoid(i) * np.tanh(g)
    close(found["next_c"], c)
    close(found["next_h"], sigmoid(o) * np.tanh(c))


def test_conv_gru(tmp_path: Path) -> None:
    found = stepped(tmp_path, "conv_gru_cell(2)", {"h": IMAGE_H}, IMAGE)
    r, z = np.split(sigmoid(convolved(found, "gates", IMAGE, IMAGE_H)), 2, axis=1)
    n = np.tanh(convolved(found, "n", IMAGE, r * IMAGE_H))
    close(found["next_h"], (1 - z) * n + z * IMAGE_H)
