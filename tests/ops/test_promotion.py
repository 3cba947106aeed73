"""Promotion of element types."""

from __future__ import annotations

import itertools

import pytest
from dlc.ir import DTYPES
from dlc.ops.api import OpError
from dlc.ops.promotion import promote


@pytest.mark.parametrize(
    ("dtypes", "kind", "expected"),
    [
        (["bool", "bool"], "common", "int"),
        (["bool", "bool"], "select", "bool"),
        (["bool", "int"], "common", "int"),
        (["bool", "int"], "select", "int"),
        (["int", "float"], "common", "float"),
        (["bool", "float"], "select", "float"),
        (["int", "int"], "common", "int"),
        (["int", "int"], "float", "float"),
        (["bool"], "float", "float"),
        (["f32", "f32"], "common", "f32"),
        (["f32", "f32"], "float", "f32"),
        (["i32", "i32"], "common", "i32"),
        (["bf16"], "float", "bf16"),
    ],
)
def test_tensors(dtypes: list[str], kind: str, expected: str) -> None:
    assert promote(dtypes, kind) == expected


@pytest.mark.parametrize(
    ("dtype", "number", "kind", "expected"),
    [
        ("f32", "int", "common", "f32"),
        ("f32", "float", "common", "f32"),
        ("f32", "bool", "common", "f32"),
        ("i32", "int", "common", "i32"),
        ("int", "float", "common", "float"),
        ("int", "int", "float", "float"),
        ("bool", "int", "select", "int"),
        ("bool", "bool", "select", "bool"),
        ("float", "int", "common", "float"),
    ],
)
def test_a_number_takes_the_tensor_s_type(dtype: str, number: str, kind: str, expected: str) -> None:
    assert promote([dtype, number], kind, [False, True]) == expected
    assert promote([number, dtype], kind, [True, False]) == expected


def test_numbers_alone() -> None:
    assert promote(["int", "float"], "common", [True, True]) == "float"
    assert promote(["int", "int"], "common", [True, True]) == "int"


@pytest.mark.parametrize("kind", ["common", "float", "select"])
def test_fixed_widths_mix_with_nothing_else(kind: str) -> None:
    fixed = [dtype for dtype in DTYPES if dtype not in ("float", "int", "bool")]
    for one, other in itertools.product(fixed, DTYPES):
        if one == other:
            continue
        for pair in ([one, other], [other, one]):
            with pytest.raises(OpError, match=r"cast one of them, as in \w+\(x\)"):
                promote(pair, kind)


def test_refusals_say_what_to_write() -> None:
    with pytest.raises(OpError) as caught:
        promote(["f32", "float"], "common")
    assert caught.value.message == "f32 and float do not mix; cast one of them, as in f32(x)"
    with pytest.raises(OpError, match="i32 and a float number do not mix"):
        promote(["i32", "float"], "common", [False, True])
    with pytest.raises(OpError, match="i32 has a fixed width; cast it"):
        promote(["i32"], "float")
    with pytest.raises(ValueError, match="nothing to promote"):
        promote(["int"], "none")
