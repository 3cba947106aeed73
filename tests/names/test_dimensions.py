"""Dimensions that states alone have get names of their own where they are lifted: an interface, as paths are.

`--dim`, ONNX's dim_params and error messages show them.
"""

from __future__ import annotations

from pathlib import Path

from dlc.networks import elaborate
from dlc.passes.resolve import load_project

SPEC = """
block memory:
    input x: float[N, T, D]
    state seen: float[N, P, D]
    state old: float[P, R]
    next seen = concat([seen, x], axis=1)
    next old = concat([old, broadcast_to(x[0, :, :1], [T, R])], axis=0)
    output y = x + sum(next seen, axis=1, keepdims=true)


block pair:
    input x: float[N, T, D]
    output y = x -> memory -> memory


network Deep:
    input x: float[N, P_3, 4]
    state own: float[R] = 0
    next own = concat([own, own], axis=0)
    for _ in range(2):
        x = x -> pair
    output y = x
"""
EXPECTED = """
own: float[R]
pair.0.memory.seen: float[N, P, 4]
pair.0.memory.old: float[P, R_2]
pair.0.memory_2.seen: float[N, P_2, 4]
pair.0.memory_2.old: float[P_2, R_3]
pair.1.memory.seen: float[N, P_4, 4]
pair.1.memory.old: float[P_4, R_4]
pair.1.memory_2.seen: float[N, P_5, 4]
pair.1.memory_2.old: float[P_5, R_5]
"""


def test_names_of_lifted_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(SPEC, encoding="utf-8")
    (network,) = elaborate(load_project(path)).unit.networks
    for program in (network.inference, network.training):
        entry = program.module(program.entry)
        found = [f"{state.name}: {entry.types[state.value]}" for state in entry.states]
        assert found == EXPECTED.strip().splitlines()
        homes = {home.symbol: home.port for home in entry.homes}
        assert homes["P_4"] == "pair.1.memory.seen"
        assert homes["R_2"] == "pair.0.memory.old"
