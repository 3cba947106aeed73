"""Functions lose what no caller reads, and what only that needed: inputs, weights, nodes in the callers."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from dlc.backends.onnx import compile as compiler
from test_features import disagreements, prepare

TWO = """
block two:
    input x: float[N, 4]
    input other: float[N, 4]
    output kept = tanh(x)
    output extra = other -> dense(3) -> relu

block around:
    input x: float[N, 4]
    output two(x, exp(x)).{inner}

network Net:
    input x: float[N, 4]
    output y = x -> around
    r = two(x, sin(x))
    output z = r.{outer}
"""

#: Which output each of the two callers reads; inputs and outputs of the function, its weights and nodes that are left.
CASES = [
    ("kept", "kept", (["x"], ["kept"]), set[str](), {"Tanh"}),
    (
        "kept",
        "extra",
        (["x", "other", "extra.weight", "extra.bias"], ["kept", "extra"]),
        {"y", "r"},
        {"Exp", "Sin"},
    ),
    ("extra", "extra", (["other", "extra.weight", "extra.bias"], ["extra"]), {"y", "r"}, {"Exp", "Sin", "Relu"}),
]


@pytest.mark.parametrize(("inner", "outer", "signature", "owners", "nodes"), CASES)
def test_what_is_left(
    inner: str, outer: str, signature: tuple[list[str], list[str]], owners: set[str], nodes: set[str], tmp_path: Path
):
    unit, entry, weights = prepare(TWO.format(inner=inner, outer=outer), tmp_path)
    model = onnx.load_model(str(tmp_path / entry), load_external_data=False)
    (function,) = [function for function in model.functions if function.name == "two"]
    assert (list(function.input), list(function.output)) == signature
    assert {tensor.name.split(".")[0] for tensor in model.graph.initializer} <= owners
    assert bool(model.graph.initializer) == bool(owners)
    ops = {node.op_type for part in (model.graph, *model.functions) for node in part.node}
    assert nodes <= ops
    assert ("Exp" in ops) == ("Exp" in nodes)
    assert not disagreements(unit, tmp_path, entry, weights, {"N": 3}, False)


def test_without_it_all_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """So the test above can fail."""
    monkeypatch.setattr(compiler, "trim", lambda *parts: None)
    _, entry, _ = prepare(TWO.format(inner="kept", outer="kept"), tmp_path)
    (function,) = [one for one in onnx.load(str(tmp_path / entry)).functions if one.name == "two"]
    assert list(function.output) == ["kept", "extra"]
