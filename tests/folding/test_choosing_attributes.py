"""Attributes that choose the code are never merged: each call gets the function of its own kind."""

from __future__ import annotations

from typing import Any

import dlc
import numpy as np
import pytest
from dlc.backends.common.rule import CHOOSING
from dlc.ops import OPS

BLOCKS = """
block padded(mode: str = "edge"):
    input x: float[N, C, H]
    output pad(x, [[0, 0], [0, 0], [1, 1]], mode=mode)


block triangle(up: bool = false):
    input x: float[N, C, H]
    output triangular(x, upper=up)


block spread(less: int = 0):
    input x: float[N, C, H]
    output variance(x, axis=1, correction=less)


block product(axes: list[int] = [1]):
    input x: float[N, C, H]
    output prod(x, axis=axes, keepdims=true)


block put(how: str = "set"):
    input x: float[N, C, H]
    output scatter(x, argsort(x), x * 2, reduction=how)


block sized(how: str = "nearest"):
    input x: float[N, C, H]
    output resize(x, [7], mode=how)
"""
#: A call of a block, and the same on its own.
CALLS = {
    "padded": 'pad(x, [[0, 0], [0, 0], [1, 1]], mode="edge")',
    'padded("wrap")': 'pad(x, [[0, 0], [0, 0], [1, 1]], mode="wrap")',
    "triangle": "triangular(x)",
    "triangle(true)": "triangular(x, upper=true)",
    "spread": "variance(x, axis=1)",
    "spread(1)": "variance(x, axis=1, correction=1)",
    "product": "prod(x, axis=1, keepdims=true)",
    "product([2])": "prod(x, axis=2, keepdims=true)",
    "put": "scatter(x, argsort(x), x * 2)",
    'put("max")': 'scatter(x, argsort(x), x * 2, reduction="max")',
    "sized": "resize(x, [7])",
    'sized("linear")': 'resize(x, [7], mode="linear")',
}


def network(expressions: list[str]) -> str:
    outputs = "".join(f"    output y{place} = {text}\n" for place, text in enumerate(expressions))
    return f"network Net:\n    input x: float[2, 3, 5]\n{outputs}"


def test_the_table_names_attributes() -> None:
    for name, attributes in CHOOSING.items():
        assert set(attributes) <= {spec.name for spec in OPS[name].attributes}


@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_each_call_has_its_own_kind(backend: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    folded: Any = dlc.loads(BLOCKS + "\n\n" + network([f"x -> {call}" for call in CALLS]), "folded.dl")
    plain: Any = dlc.loads(network(list(CALLS.values())), "plain.dl")
    results = []
    for spec in (folded, plain):
        model = spec["Net"].build(backend)
        if backend == "torch":
            import torch

            results.append([value.numpy() for value in model(torch.from_numpy(x))])
        else:
            found = model(x)
            results.append([found[f"y{place}"].numpy() for place in range(len(CALLS))])
    for call, one, other in zip(CALLS, *results, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=call)
