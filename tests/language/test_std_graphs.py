"""Graph layers of the standard library against the papers' formulas over dense matrices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import Array, Ran, close, normal
from std_twins import applied

BLOCKS = {
    "gcn_layer",
    "gcn_mean_layer",
    "graph_sage_layer",
    "gat_layer",
    "gatv2_layer",
    "gin_layer",
    "edge_conv",
    "graph_mean_pool",
    "graph_sum_pool",
    "graph_max_pool",
    "graph_network",
}

NODES = normal(6, 4)
#: Node 5 has no neighbour, 0 -> 1 stands twice, 2 -> 2 is a loop.
EDGES = np.array([[0, 0, 1, 2, 2, 3, 4, 4, 1, 3], [1, 1, 0, 2, 3, 2, 0, 3, 4, 1]])
FROM, TO = EDGES
GIVEN = {"h": NODES, "edges": EDGES}


def of_graph(folder: Path, call: str, before: str = "") -> Ran:
    body = f"{before}\noutput y = {call}(h, edges)" if before else f"output y = {call}(h, edges)"
    return applied(folder, body, GIVEN)


def summed(messages: Array) -> Array:
    """[E, ...] -> [V, ...]"""
    total = np.zeros((6, *messages.shape[1:]))
    np.add.at(total, TO, messages)
    return total


def test_gcn(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "gcn_layer(3)")
    adjacency = np.eye(6)
    np.add.at(adjacency, (TO, FROM), 1)
    scale = np.diag(adjacency.sum(axis=1) ** -0.5)
    expected = scale @ adjacency @ scale @ NODES @ found.weight("w.weight").T + found.weight("bias")
    close(found["y"], expected)


def mean_of_neighbours(values: Array) -> Array:
    return summed(values[FROM]) / np.maximum(np.bincount(TO, minlength=6), 1)[:, None]


def test_gcn_mean(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "gcn_mean_layer(3)")
    close(found["y"], mean_of_neighbours(NODES @ found.weight("weight").T))


def test_graph_sage(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "graph_sage_layer(3)")
    around = mean_of_neighbours(NODES) @ found.weight("dense.weight").T + found.weight("dense.bias")
    close(found["y"], around + NODES @ found.weight("dense_2.weight").T)


def attended(scores: Array, values: Array) -> Array:
    """Softmax of [E, K] over each node's incoming edges, times [E, K, D]."""
    powers = np.exp(scores)
    return summed((powers / summed(powers)[TO])[..., None] * values).reshape(6, -1)


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.2 * x)


def test_gat(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "gat_layer(3, heads=2)")
    z = (NODES @ found.weight("z.weight").T).reshape(6, 2, 3)
    source, target = ((z * found.weight(name)).sum(-1) for name in ("a_source", "a_target"))
    close(found["y"], attended(leaky(source[FROM] + target[TO]), z[FROM]) + found.weight("bias"))


def test_gatv2(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "gatv2_layer(3, heads=2)")
    bias = next(array for path, array in found.weights.items() if path == "y.bias")

    def mapped(name: str) -> Array:
        return (NODES @ found.weight(f"{name}.weight").T + found.weight(f"{name}.bias")).reshape(6, 2, 3)

    source, target = mapped("source"), mapped("target")
    scores = (leaky(source[FROM] + target[TO]) * found.weight("a")).sum(-1)
    close(found["y"], attended(scores, source[FROM]) + bias)


def test_gin(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "gin_layer(mlp)", "mlp = dense(3)")
    inside = (1 + found.weight("own")) * NODES + summed(NODES[FROM])
    close(found["y"], inside @ found.weight("mlp.weight").T + found.weight("mlp.bias"))


def test_edge_conv(tmp_path: Path) -> None:
    found = of_graph(tmp_path, "edge_conv(mlp)", "mlp = dense(3)")
    pairs = np.concatenate([NODES[TO], NODES[FROM] - NODES[TO]], axis=1)
    messages = pairs @ found.weight("mlp.weight").T + found.weight("mlp.bias")
    expected = np.stack([messages[v == TO].max(axis=0) if (v == TO).any() else np.zeros(3) for v in range(6)])
    close(found["y"], expected)


@pytest.mark.parametrize(("block", "fold"), [("graph_mean_pool", np.mean), ("graph_sum_pool", np.sum)])
def test_pooling_over_graphs(tmp_path: Path, block: str, fold: object) -> None:
    graph = np.array([0, 0, 2, 2, 2, 3])
    given = {"h": NODES, "graph": graph, "graphs": np.zeros(4)}
    found = applied(tmp_path, f"output y = {block}(h, graph, graphs)", given)
    parts = [NODES[graph == g] for g in range(4)]
    close(found["y"], np.stack([fold(p, axis=0) if len(p) else np.zeros(4) for p in parts]))  # type: ignore[operator]


def test_graph_max_pool(tmp_path: Path) -> None:
    graph, shape = np.array([0, 0, 2, 2, 2, 0]), np.zeros(4)
    found = applied(tmp_path, "output y = graph_max_pool(h, graph, g)", {"h": NODES, "graph": graph, "g": shape})
    close(found["y"], np.stack([NODES[graph == g].max(0) if g in graph else np.zeros(4) for g in range(4)]))


def test_graph_network(tmp_path: Path) -> None:
    """Each part by its own words, edge by edge, node by node."""
    features, whole = normal(10, 3, seed=7), normal(2, 2, seed=8)
    graph = np.array([0, 0, 0, 0, 0, 1])
    given = {"h": NODES, "f": features, "w": whole, "edges": EDGES, "graph": graph}
    call = "graph_network(dense(5), dense(4), dense(2))(h, f, w, edges, graph)"
    found = applied(tmp_path, f"g = {call}\noutput n = g.nodes\noutput l = g.links\noutput u = g.globals", given)

    def dense(name: str, *parts: Array) -> Array:
        return np.concatenate(parts) @ found.weight(f"{name}.weight").T + found.weight(f"{name}.bias")

    links = np.stack(
        [dense("links", features[e], NODES[u], NODES[v], whole[graph[v]]) for e, (u, v) in enumerate(EDGES.T)]
    )
    nodes = np.stack([dense("nodes", NODES[v], links[v == TO].sum(0), whole[graph[v]]) for v in range(6)])
    homes = graph[TO]
    new = [dense("globals", whole[g], nodes[graph == g].sum(0), links[homes == g].sum(0)) for g in range(2)]
    close(found["n"], nodes)
    close(found["l"], links)
    close(found["u"], np.stack(new))
