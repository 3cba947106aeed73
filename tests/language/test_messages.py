"""Message passing against loops over edges in NumPy. Node 3 has no incoming edge, node 4 no edge at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import close, normal, run

U = np.array([0, 1, 2, 3, 0, 2, 1])
V = np.array([1, 2, 1, 0, 2, 1, 1])
EDGES = np.stack([U, V])
NODES = 5
H = normal(NODES, 3)
HEAD = """
network A:
    input h: float[V, 3]
    input edges: int[2, E] in 0..V
"""


def aggregated(messages: np.ndarray, how: str) -> np.ndarray:
    """Messages [E, ...] onto the nodes that they go to; 0 where none arrives."""
    fold = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}[how]
    rows = [fold(messages[v == V], axis=0) if (v == V).any() else np.zeros(messages.shape[1:]) for v in range(NODES)]
    return np.stack(rows)


def normalised(scores: np.ndarray) -> np.ndarray:
    """The softmax over each node's incoming edges."""
    powers = np.exp(scores)
    return powers / np.stack([powers[v == V].sum(axis=0) for v in V])


@pytest.mark.parametrize("how", ["sum", "mean", "max", "min"])
def test_aggregates(tmp_path: Path, how: str) -> None:
    """All messages are negative: a largest one must not be the 0 that it started from."""
    text = (
        HEAD
        + f"""
    messages u -> v along edges into V:
        send h[u] - 10
    aggregate y = {how}
    output y
"""
    )
    close(run(tmp_path, text, {"h": H, "edges": EDGES}).output, aggregated(H[U] - 10, how))


def test_several_aggregates_and_edge_tensors(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
    messages u -> v along edges into V:
        difference = h[u] - h[v]
        send difference * 2
    aggregate total = sum
    aggregate most = max
    output total
    output most
    output difference
"""
    )
    found = run(tmp_path, text, {"h": H, "edges": EDGES})
    close(found["difference"], H[U] - H[V])
    close(found["total"], aggregated(2 * (H[U] - H[V]), "sum"))
    close(found["most"], aggregated(2 * (H[U] - H[V]), "max"))


def test_softmax_over_a_node_and_degrees(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
    messages u -> v along edges into V:
        score = sum(h[u] * h[v], axis=-1)
        send softmax(score, over=v) * (h[u] / in_degree(v)) + out_degree(u)
    aggregate y = sum
    output y
    output by_part = score
"""
    )
    score = (H[U] * H[V]).sum(axis=1)
    received, sent = np.bincount(V, minlength=NODES)[V], np.bincount(U, minlength=NODES)[U]
    messages = normalised(score)[:, None] * H[U] / received[:, None] + sent[:, None]
    found = run(
        tmp_path,
        text.replace("softmax(score, over=v)", "expand_dims(softmax(score, over=v), -1)"),
        {"h": H, "edges": EDGES},
    )
    close(found["y"], aggregated(messages, "sum"))
    close(found["by_part"], score)


def test_edge_values_of_every_rank(tmp_path: Path) -> None:
    """Scalars [E], vectors [E, K], matrices [E, K, L] are read per edge; the edge axis is hidden."""
    text = (
        HEAD
        + """
    input strength: float[E]
    input feature: float[E, 3]
    input map: float[E, 2, 3]
    messages u -> v along edges into V:
        turned = map @ h[u]
        outer = expand_dims(turned, 1) * expand_dims(feature, 0)
        send strength * outer + mean(feature)
    aggregate y = sum
    output y
    output turned
"""
    )
    strength, feature, matrix = normal(7), normal(7, 3, seed=3), normal(7, 2, 3, seed=4)
    given = {"h": H, "edges": EDGES, "strength": strength, "feature": feature, "map": matrix}
    found = run(tmp_path, text, given)
    turned = np.einsum("eij,ej->ei", matrix, H[U])
    outer = turned[:, :, None] * feature[:, None, :]
    close(found["turned"], turned)
    close(found["y"], aggregated(strength[:, None, None] * outer + feature.mean(axis=1)[:, None, None], "sum"))


def test_softmax_of_vectors(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
    messages u -> v along edges into V:
        send softmax(h[u] + h[v], over=v)
    aggregate y = sum
    aggregate top = max
    output y
    output top
"""
    )
    found = run(tmp_path, text, {"h": H, "edges": EDGES})
    close(found["y"], np.where(np.isin(np.arange(NODES), V)[:, None], 1.0, np.zeros((NODES, 3))))
    close(found["top"], aggregated(normalised(H[U] + H[V]), "max"))


def test_two_kinds_of_nodes(tmp_path: Path) -> None:
    """From users to items: the targets are another set of nodes than the sources."""
    text = """
network A:
    input users: float[U, 2]
    input items: float[V, 2]
    input rows: int[E] in 0..U
    input columns: int[E] in 0..V
    edges = stack([rows, columns], axis=0)
    messages u -> v along edges into V:
        send users[u] * items[v]
    aggregate y = sum
    output y
"""
    users, items = normal(4, 2), normal(NODES, 2, seed=3)
    found = run(tmp_path, text, {"users": users, "items": items, "rows": U, "columns": V})
    close(found.output, aggregated(users[U] * items[V], "sum"))


def test_without_edges(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
    messages u -> v along edges into V:
        send expand_dims(softmax(sum(h[u], axis=-1), over=v), -1) * h[u]
    aggregate y = mean
    output y
"""
    )
    close(run(tmp_path, text, {"h": H, "edges": np.zeros((2, 0), np.int64)}).output, np.zeros((NODES, 3)))
