"""Attention, positions and transformer layers of the standard library against PyTorch or their formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import Array, Ran, close, normal
from std_twins import F, applied, load, nn, numpy, tensor, torch

BLOCKS = {
    "grouped_query_attention",
    "linear_attention",
    "additive_attention",
    "learned_positions",
    "rotary_positions",
    "alibi",
    "feed_forward",
    "transformer_encoder_layer",
    "transformer_decoder_layer",
    "dot_attention",
    "general_attention",
    "cosine_attention",
    "location_attention",
    "relative_positions",
    "bucketed_positions",
}

X, MEMORY = normal(2, 4, 8), normal(2, 5, 8, seed=3)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("causal", [False, True])
def test_grouped_query_attention(tmp_path: Path, groups: int, causal: bool) -> None:
    body = f"output y = grouped_query_attention(4, {groups}, causal={str(causal).lower()})(x, x, x)"
    found = applied(tmp_path, body, {"x": X})

    def heads(name: str, count: int) -> torch.Tensor:
        return tensor((X @ found.weight(f"{name}.weight").T).reshape(2, 4, count, 2)).transpose(1, 2)

    q, k, v = heads("q", 4), heads("k", groups), heads("v", groups)
    context = F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)
    close(found["y"], numpy(context.transpose(1, 2).reshape(2, 4, 8)) @ found.weight("output.weight").T)


def test_grouped_query_attention_with_a_mask(tmp_path: Path) -> None:
    mask = np.random.default_rng(3).random((2, 1, 5)) < 0.5
    mask[:, :, 2] = True
    given = {"x": X, "m": MEMORY, "allowed": mask}
    found = applied(tmp_path, "output y = grouped_query_attention(4, 2)(x, m, m, mask=allowed)", given)
    part = applied(tmp_path, "output y = grouped_query_attention(4, 2)(x, m, m)", {"x": X, "m": MEMORY[:, mask[0, 0]]})
    close(found["y"][:1], part["y"][:1])


def test_linear_attention(tmp_path: Path) -> None:
    q, k, v = normal(2, 3, 4, 5), normal(2, 3, 6, 5, seed=3), normal(2, 3, 6, 7, seed=4)
    found = applied(tmp_path, "output y = linear_attention(q, k, v)", {"q": q, "k": k, "v": v})
    weights = numpy((F.elu(tensor(q)) + 1) @ (F.elu(tensor(k)) + 1).mT)
    close(found["y"], weights / weights.sum(-1, keepdims=True) @ v)


def test_additive_attention(tmp_path: Path) -> None:
    query, mask = normal(2, 3), np.array([[True, True, False, True, False], [False] * 5])
    body = "a = additive_attention(6)(q, m, mask=allowed)\noutput c = a.context\noutput w = a.weights"
    found = applied(tmp_path, body, {"q": query, "m": MEMORY, "allowed": mask})
    first = query @ found.weight("dense.weight").T + found.weight("dense.bias")
    scores = np.tanh(first[:, None] + MEMORY @ found.weight("dense_2.weight").T) @ found.weight("v")
    powers = np.where(mask, np.exp(scores), 0)
    weights = powers / np.maximum(powers.sum(-1, keepdims=True), 1e-300)  # nothing to attend to gives 0
    close(found["w"], weights)
    close(found["c"], np.einsum("ns,nsm->nm", weights, MEMORY))


def test_learned_positions(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> learned_positions(9)", {"x": X})
    close(found["y"], X + found.weight("weight")[:4])


def test_rotary_positions_turn_pairs(tmp_path: Path) -> None:
    x = normal(2, 3, 5, 8)
    found = applied(tmp_path, "output y = x -> rotary_positions", {"x": x})
    turned = (x[..., :4] + 1j * x[..., 4:]) * np.exp(1j * np.arange(5)[:, None] * 10000.0 ** (-2 * np.arange(4) / 8))
    close(found["y"], np.concatenate([turned.real, turned.imag], axis=-1))


def test_alibi(tmp_path: Path) -> None:
    scores = normal(2, 8, 4, 5)
    found = applied(tmp_path, "output y = s -> alibi(8)", {"s": scores})
    distance = np.abs(np.arange(4)[:, None] - np.arange(5))
    close(found["y"], scores - 2.0 ** -np.arange(1, 9)[:, None, None] * distance)


def attention_weights(found: Ran, ours: str, theirs: str) -> dict[str, Array]:
    parts = {end: [found.weight(f"{ours}.{n}.{end}") for n in "qkv"] for end in ("weight", "bias")}
    return {
        f"{theirs}.in_proj_weight": np.concatenate(parts["weight"]),
        f"{theirs}.in_proj_bias": np.concatenate(parts["bias"]),
        f"{theirs}.out_proj.weight": found.weight(f"{ours}.output.weight"),
        f"{theirs}.out_proj.bias": found.weight(f"{ours}.output.bias"),
    }


def pair(found: Ran, ours: str, theirs: str) -> dict[str, Array]:
    return {f"{theirs}.{end}": found.weight(f"{ours}.{end}") for end in ("weight", "bias")}


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_encoder_layer(tmp_path: Path, pre_norm: bool, masked: bool) -> None:
    allowed = np.array([[[True, True, True, False]], [[True, False, True, True]]])
    call = f"transformer_encoder_layer(2, 16, pre_norm={str(pre_norm).lower()})(x{', mask=m' * masked})"
    found = applied(tmp_path, f"output y = {call}", {"x": X, **({"m": allowed} if masked else {})})
    weights = {
        **attention_weights(found, "attention", "self_attn"),
        **pair(found, "attention_norm", "norm1"),
        **pair(found, "network_norm", "norm2"),
        **pair(found, "network.dense", "linear1"),
        **pair(found, "network.dense_2", "linear2"),
    }
    twin = load(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=pre_norm), weights).train()
    for part in twin.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    twin.self_attn.dropout = 0.0
    padding = tensor(~allowed[:, 0]) if masked else None
    close(found["y"], numpy(twin(tensor(X), src_key_padding_mask=padding)))


@pytest.mark.parametrize("pre_norm", [False, True])
def test_decoder_layer(tmp_path: Path, pre_norm: bool) -> None:
    call = f"transformer_decoder_layer(2, 16, pre_norm={str(pre_norm).lower()})(x, memory)"
    found = applied(tmp_path, f"output y = {call}", {"x": X, "memory": MEMORY})
    weights = {
        **attention_weights(found, "attention", "self_attn"),
        **attention_weights(found, "cross", "multihead_attn"),
        **pair(found, "attention_norm", "norm1"),
        **pair(found, "cross_norm", "norm2"),
        **pair(found, "network_norm", "norm3"),
        **pair(found, "network.dense", "linear1"),
        **pair(found, "network.dense_2", "linear2"),
    }
    twin = load(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True, norm_first=pre_norm), weights).eval()
    later = torch.ones(4, 4, dtype=torch.bool).triu(1)
    close(found["y"], numpy(twin(tensor(X), tensor(MEMORY), tgt_mask=later)))


ALLOWED = np.array([[True, True, False, True, False], [False] * 5])


def attended(scores: Array) -> tuple[Array, Array]:
    """Context and weights over the memory; nothing to attend to gives 0."""
    powers = np.where(ALLOWED, np.exp(scores), 0)
    weights = powers / np.maximum(powers.sum(-1, keepdims=True), 1e-300)
    return np.einsum("ns,nsm->nm", weights, MEMORY), weights


def one_query(folder: Path, call: str, query: Array, **more: Array) -> Ran:
    words = "".join(f", {name}" for name in more)
    body = f"a = {call}(q, m{words}, mask=allowed)\noutput c = a.context\noutput w = a.weights"
    return applied(folder, body, {"q": query, "m": MEMORY, **more, "allowed": ALLOWED})


def check_attended(found: Ran, scores: Array) -> None:
    context, weights = attended(scores)
    close(found["c"], context)
    close(found["w"], weights)


def test_dot_attention(tmp_path: Path) -> None:
    query = normal(2, 8, seed=5)
    check_attended(one_query(tmp_path, "dot_attention", query), np.einsum("nm,nsm->ns", query, MEMORY))


def test_general_attention(tmp_path: Path) -> None:
    query = normal(2, 3, seed=5)
    found = one_query(tmp_path, "general_attention", query)
    check_attended(found, np.einsum("nd,nsd->ns", query, MEMORY @ found.weight("weight").T))


def test_cosine_attention(tmp_path: Path) -> None:
    query, strength = normal(2, 8, seed=5), np.array([0.5, 3.0])
    cosines = numpy(F.cosine_similarity(tensor(query)[:, None], tensor(MEMORY), dim=-1))
    found = one_query(tmp_path, "cosine_attention(0.0)", query, strength=strength)
    check_attended(found, strength[:, None] * cosines)


def test_location_attention(tmp_path: Path) -> None:
    query, before = normal(2, 3, seed=5), np.random.default_rng(3).random((2, 5))
    found = one_query(tmp_path, "location_attention(6, filters=4, kernel=3)", query, previous=before)
    seen = F.conv1d(tensor(before)[:, None], tensor(found.weight("seen.weight")), padding=1).mT
    inner = query @ found.weight("dense.weight").T + found.weight("dense.bias")
    total = inner[:, None] + MEMORY @ found.weight("dense_2.weight").T + numpy(seen) @ found.weight("places.weight").T
    check_attended(found, np.tanh(total) @ found.weight("v"))


def test_relative_positions(tmp_path: Path) -> None:
    query, scores = normal(2, 3, 4, 6), normal(2, 3, 4, 5)
    found = applied(tmp_path, "output y = relative_positions(2)(q, s)", {"q": query, "s": scores})
    expected = scores.copy()
    for t in range(4):
        for s in range(5):
            expected[:, :, t, s] += query[:, :, t] @ found.weight("weight")[min(max(s - t, -2), 2) + 2]
    close(found["y"], expected)


def t5_bucket(apart: torch.Tensor, two_way: bool, buckets: int, longest: int) -> torch.Tensor:
    """The paper's released code (mesh_tensorflow, _relative_position_bucket), in torch."""
    found = torch.zeros_like(apart)
    distance = -apart
    if two_way:
        buckets //= 2
        found += (distance < 0).long() * buckets
        distance = distance.abs()
    else:
        distance = distance.clamp(min=0)
    exact = buckets // 2
    wide = exact + (torch.log(distance.double() / exact) / np.log(longest / exact) * (buckets - exact)).long()
    return found + torch.where(distance < exact, distance, wide.clamp(max=buckets - 1))


@pytest.mark.parametrize("two_way", [False, True])
def test_bucketed_positions(tmp_path: Path, two_way: bool) -> None:
    scores = np.zeros((1, 2, 40, 45))
    call = f"bucketed_positions(2, buckets=12, longest=20, two_way={str(two_way).lower()})"
    found = applied(tmp_path, f"output y = {call}(s)", {"s": scores})
    apart = torch.arange(45)[None] - torch.arange(40)[:, None]
    places = numpy(t5_bucket(apart, two_way, 12, 20))
    close(found["y"][0], found.weight("weight")[places].transpose(2, 0, 1))
