"""Layers given to blocks by `layer` hyperparameters, that hold layers themselves: against NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dlc.networks import elaborate
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from language_runs import Array, Ran, close, normal, run

SPEC = """
block holder(inner: layer):
    input x: float[N, D]
    output inner(x) + x


block twice(f: layer):
    input x: float[N, D]
    output f(f(x))


block both(fs: list[layer], width: int):
    input x: float[N, D]
    w = dense(width)
    y = x
    for f in fs:
        y = f(y)
    output w(y)


network Nested:
    input x: float[N, 4]
    inner = dense(4)
    h = holder(inner)
    output two = twice(h)(x)
    last = dense(4)
    output three = twice(holder(holder(last)))(x)
    middle = dense(4)
    output doubled = twice(twice(holder(middle)))(x)
    output listed = both([h, twice(holder(inner)), last], 3)(x)
"""
X = normal(2, 4)


def dense(ran: Ran, name: str, x: Array) -> Array:
    return x @ ran.weights[f"{name}.weight"].T + ran.weights[f"{name}.bias"]


def test_two_and_three_levels(tmp_path: Path) -> None:
    ran = run(tmp_path, SPEC, {"x": X})

    def held(name: str, x: Array, depth: int = 1) -> Array:
        return dense(ran, name, x) + depth * x

    def repeated(name: str, x: Array, times: int, depth: int = 1) -> Array:
        for _ in range(times):
            x = held(name, x, depth)
        return x

    close(ran["two"], repeated("inner", X, 2))
    close(ran["three"], repeated("last", X, 2, depth=2))
    close(ran["doubled"], repeated("middle", X, 4))
    listed = dense(ran, "last", repeated("inner", X, 3))
    close(ran["listed"], dense(ran, "listed.w", listed))


def test_each_weight_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(SPEC, encoding="utf-8")
    (network,) = elaborate(load_project(path)).unit.networks
    owners = {parameter.path.rpartition(".")[0] for parameter in parameters(network.inference)}
    assert owners == {"inner", "last", "middle", "listed.w"}


def test_same_block_with_other_layers_is_another_module(tmp_path: Path) -> None:
    """What a given layer holds is part of what makes two modules the same."""
    text = SPEC.split("network")[0] + (
        "network Two:\n    input x: float[N, 4]\n    output a = twice(holder(dense(4)))(x)\n"
        "    output b = twice(holder(dense(4, bias=false)))(x)\n"
    )
    ran = run(tmp_path, text, {"x": X})
    assert not np.allclose(ran["a"], ran["b"])
    assert len(ran.weights) == 3
