"""What one writes in torch for a recurrence, or for a sum over the messages of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def made(case: str, weights: Mapping[str, np.ndarray[Any, np.dtype[Any]]]) -> Callable[..., Tensor]:
    """The function of a case of `benchmarks.layer_speed`."""
    return (
        _recurrent(case, weights) if case in _LAYERS else {"sum": add, "mean": mean, "max": largest}.get(case, attend)
    )


def _recurrent(case: str, weights: Mapping[str, np.ndarray[Any, np.dtype[Any]]]) -> Callable[[Tensor], Tensor]:
    ours = {name.split(".", 3)[-1]: torch.from_numpy(value) for name, value in weights.items()}
    hidden = ours["dense_2.weight"].shape[1]
    layer = _LAYERS[case](ours["dense.weight"].shape[1], hidden, batch_first=True).eval()
    own = ours.get("recurrent_bias", torch.zeros(0))
    recurrent = torch.cat([torch.zeros(ours["dense.bias"].shape[0] - own.shape[0]), own])
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    values = (ours["dense.weight"], ours["dense_2.weight"], ours["dense.bias"], recurrent)
    layer.load_state_dict(dict(zip(names, values, strict=True)))
    return lambda x: layer(x)[0]


def add(h: Tensor, edges: Tensor) -> Tensor:
    source, target = edges
    return torch.zeros_like(h).index_add_(0, target, h[source])


def mean(h: Tensor, edges: Tensor) -> Tensor:
    counts = torch.bincount(edges[1], minlength=h.shape[0]).clamp(min=1)
    return add(h, edges) / counts[:, None]


def largest(h: Tensor, edges: Tensor) -> Tensor:
    source, target = edges
    places = target[:, None].expand(-1, h.shape[1])
    return torch.zeros_like(h).scatter_reduce_(0, places, h[source], "amax", include_self=False)


def attend(h: Tensor, edges: Tensor) -> Tensor:
    source, target = edges
    score = h[source, 0] + h[target, 1]
    peak = torch.zeros_like(h[:, 0]).scatter_reduce_(0, target, score, "amax", include_self=False)
    weight = torch.exp(score - peak[target])
    total = torch.zeros_like(peak).index_add_(0, target, weight)
    share = weight / total[target]
    return torch.zeros_like(h).index_add_(0, target, share[:, None] * h[source])
