"""Attributes: normal forms and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from dlc.dims import symbol
from dlc.ir import TensorType
from dlc.ops import OPS, normalise_attributes
from dlc.ops.api import OpError

N = symbol("N")
MATRIX = TensorType("float", (N, 3))
SCALAR = TensorType("float", ())
IMAGE = TensorType("float", (N, 4, 8, 9))


@pytest.mark.parametrize(
    ("name", "type_", "given", "expected"),
    [
        ("softmax", MATRIX, {}, {"axis": 1}),
        ("softmax", MATRIX, {"axis": -2}, {"axis": 0}),
        ("sum", MATRIX, {}, {"axis": (0, 1), "keepdims": False}),
        ("sum", MATRIX, {"axis": None}, {"axis": (0, 1), "keepdims": False}),
        ("sum", MATRIX, {"axis": -1, "keepdims": True}, {"axis": (1,), "keepdims": True}),
        ("sum", MATRIX, {"axis": [-1, 0]}, {"axis": (1, 0), "keepdims": False}),
        ("transpose", IMAGE, {}, {"axes": (3, 2, 1, 0)}),
        ("transpose", MATRIX, {"axes": (-1, 0)}, {"axes": (1, 0)}),
        ("expand_dims", MATRIX, {"axis": -1}, {"axis": 2}),
        ("expand_dims", MATRIX, {"axis": -3}, {"axis": 0}),
        ("stack", MATRIX, {}, {"axis": 0}),
        ("pad", MATRIX, {"pairs": 1}, {"pairs": ((1, 1), (1, 1)), "mode": "constant", "value": 0.0}),
        ("one_hot", TensorType("int", ()), {"depth": N}, {"depth": N}),
        (
            "conv",
            IMAGE,
            {"stride": 2, "padding": [1, [0, 2]]},
            {"stride": (2, 2), "padding": ((1, 1), (0, 2)), "dilation": (1, 1), "groups": 1},
        ),
        (
            "max_pool",
            IMAGE,
            {"kernel": [2, 3]},
            {"kernel": (2, 3), "stride": (2, 3), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "ceil_mode": False},
        ),
    ],
)
def test_normal_form(name: str, type_: TensorType, given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert normalise_attributes(OPS[name], given, [type_] * len(OPS[name].operands)) == expected


def test_reshape_solves_for_one_size() -> None:
    three = TensorType("float", (N, 3, 4))
    solved = normalise_attributes(OPS["reshape"], {"shape": [-1, 6]}, [three])
    assert [str(size) for size in solved["shape"]] == ["2*N", "6"]
    assert normalise_attributes(OPS["reshape"], {"shape": (N, -1)}, [three]) == {"shape": (N, 12)}


@pytest.mark.parametrize(
    ("name", "type_", "given", "message", "expected"),
    [
        ("softmax", MATRIX, {"axis": 2}, "softmax's axis is 2, out of range for float[N, 3]", "-2 to 1"),
        (
            "softmax",
            TensorType("float", ()),
            {},
            "softmax's axis is -1, out of range for float[]",
            "none: it has no axes",
        ),
        ("softmax", MATRIX, {"axis": True}, "softmax's axis must be an integer", "an integer"),
        ("softmax", MATRIX, {"axes": 1}, "softmax has no attribute 'axes'", "axis"),
        ("sum", MATRIX, {"axis": (0, -2)}, "sum's axis names an axis twice", "each axis once"),
        ("sum", MATRIX, {"keepdims": 1}, "sum's keepdims must be true or false", "true or false"),
        ("cast", MATRIX, {"dtype": "double"}, "cast's dtype must be one of float", None),
        ("cast", MATRIX, {}, "cast needs dtype", "dtype=..."),
        ("clip", MATRIX, {"low": 0, "high": "one"}, "clip's high must be a number", "a number"),
        ("reshape", MATRIX, {"shape": 3}, "reshape's shape must be a list", None),
        ("reshape", MATRIX, {"shape": [2.5]}, "each item of reshape's shape must be an integer or a dimension", None),
        ("reshape", MATRIX, {"shape": (-1, -1)}, "reshape can find one size only", "at most one -1"),
        ("reshape", MATRIX, {"shape": (-1, 2)}, "cannot reshape [N, 3] to [-1, 2]: it has 3*N elements", None),
        ("conv", IMAGE, {"stride": (1, 2, 3)}, "conv's stride must be an integer or a list of 2", None),
        (
            "conv",
            IMAGE,
            {"padding": [[1, 2, 3], 0]},
            "each item of conv's padding must be an integer or [low, high]",
            None,
        ),
        ("conv", MATRIX, {}, "the input needs 3 to 5 axes", None),
        ("max_pool", IMAGE, {}, "max_pool needs kernel", "kernel=..."),
        ("pad", MATRIX, {"pairs": [1]}, "pad's pairs must be an integer or a list of 2", None),
        ("split", MATRIX, {"parts": 0}, "split's parts must be a positive integer", None),
        ("split", MATRIX, {"parts": [1, -1]}, "a part of a split has a negative size", None),
        ("slice", MATRIX, {"items": (("index", 0),)}, "slice needs one item for each of the 2 axes", None),
        ("einsum", MATRIX, {"pattern": 3}, "einsum's pattern must be a string", "a string"),
    ],
)
def test_refusals(name: str, type_: TensorType, given: dict[str, Any], message: str, expected: str | None) -> None:
    with pytest.raises(OpError) as caught:
        normalise_attributes(OPS[name], given, [type_] * len(OPS[name].operands))
    assert caught.value.message.startswith(message)
    assert expected is None or caught.value.expected == expected


def test_a_misspelt_attribute_gets_a_hint() -> None:
    with pytest.raises(OpError, match="keepdims"):
        normalise_attributes(OPS["sum"], {"keepdim": True}, [MATRIX])
