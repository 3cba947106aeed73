"""Broadcasting against NumPy's, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from dlc.dims import Size, add, multiply, symbol
from dlc.ir import TensorType
from dlc.ops import OPS
from dlc.ops.api import OpError
from dlc.ops.shapes import broadcast
from hypothesis import given
from hypothesis import strategies as st

N, M = symbol("N"), symbol("M")
SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@given(st.lists(SHAPES, min_size=1, max_size=4))
def test_fixed_shapes_as_numpy(shapes: list[tuple[int, ...]]) -> None:
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(OpError, match="do not broadcast"):
            broadcast(shapes)
    else:
        assert broadcast(shapes) == expected


@given(st.lists(st.sampled_from([1, 1, 2, "N", "M"]), max_size=3), st.lists(st.sampled_from([1, 2, "N"]), max_size=3))
def test_symbols_broadcast_only_where_every_size_does(left: list[object], right: list[object]) -> None:
    """Where the rule accepts, NumPy accepts for all sizes, with the shape that the rule says."""
    values = {"N": 5, "M": 7}

    def shape(items: list[object]) -> tuple[Size, ...]:
        return tuple(symbol(item) if isinstance(item, str) else int(str(item)) for item in items)

    def fixed(items: tuple[Size, ...]) -> tuple[int, ...]:
        return tuple(item if isinstance(item, int) else values[str(item)] for item in items)

    try:
        result = broadcast([shape(left), shape(right)])
    except OpError:
        with pytest.raises(ValueError, match="broadcast"):
            np.broadcast_shapes(fixed(shape(left)), fixed(shape(right)))
    else:
        assert fixed(result) == np.broadcast_shapes(fixed(shape(left)), fixed(shape(right)))


def test_equal_sizes_meet_however_they_are_written() -> None:
    double = add(N, N)
    assert broadcast([(double, 3), (multiply(2, N), 1)]) == (double, 3)


@pytest.mark.parametrize("other", [M, 3, add(N, 1)])
def test_a_symbol_meets_itself_or_one(other: Size) -> None:
    with pytest.raises(OpError):
        broadcast([(N,), (other,)])
    assert broadcast([(N,), (1,), ()]) == (N,)


def test_the_message_names_both_shapes_and_the_axis() -> None:
    types = [TensorType("float", (N, 3)), TensorType("float", (2, 4))]
    with pytest.raises(OpError) as caught:
        OPS["add"].infer(types, {})
    assert caught.value.message == "shapes [N, 3] and [2, 4] do not broadcast: N against 2 at axis -2"
    assert caught.value.operand == 1
