"""The edge axis of `messages` is known by its dimension: giving it a size must not change what a network means."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.dims import Size
from dlc.networks import elaborate
from dlc.passes.resolve import load_project

SPEC = """network Net:
    input h: float[V, 4]
    input edges: int[2, {edges}] in 0..V
    input f: float[E]
    param w: float[4, {width}] ~ normal(0, 1)
    messages u -> v along edges into V:
        m = h[u] @ w
        send m * f / in_degree(v)
    aggregate out = sum
    output out
"""


@pytest.mark.parametrize("edges", ["E", "E = 4"])
@pytest.mark.parametrize("width", [4, 8])
def test_a_weight_with_as_many_rows_as_edges_is_no_edge_tensor(tmp_path: Path, edges: str, width: int) -> None:
    path = tmp_path / "net.dl"
    path.write_text(SPEC.format(edges=edges, width=width), encoding="utf-8")
    program = elaborate(load_project(path)).unit.networks[0].inference
    entry = program.module(program.entry)
    shape: tuple[Size, ...] = entry.types[entry.outputs[0].value].shape
    assert len(shape) == 2
    assert shape[1] == width
