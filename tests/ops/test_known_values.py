"""Meanings by hand: conventions of the language, above all where frameworks disagree."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from dlc.ir import TensorType
from dlc.ops import OPS, normalise_attributes
from dlc.ops.api import OpError
from dlc.ops.dtypes import family_of

INF = math.inf
WINDOWS = list(itertools.product((1, 2), ((0, 0), (2, 1)), (1, 2), (1, 2)))


def run(name: str, *operands: Any, **attributes: object) -> Any:
    """The op on these arrays; several results as a list."""
    op = OPS[name]
    arrays = [np.asarray(operand) for operand in operands]
    types = [TensorType(family_of(array), array.shape) for array in arrays]
    normal = normalise_attributes(op, attributes, types)
    op.infer(types, normal)
    results = op.evaluate(arrays, normal)
    return results[0] if len(results) == 1 else list(results)


def test_softmax_over_nothing_is_zero() -> None:
    np.testing.assert_array_equal(run("softmax", [[-INF, -INF], [0.0, -INF]]), [[0.0, 0.0], [1.0, 0.0]])


def test_log_softmax_over_nothing_is_minus_infinity() -> None:
    np.testing.assert_array_equal(run("log_softmax", [[-INF, -INF], [0.0, -INF]]), [[-INF, -INF], [0.0, -INF]])


def test_logsumexp() -> None:
    np.testing.assert_array_equal(run("logsumexp", [[-INF, -INF], [INF, 0.0], [0.0, -INF]]), [-INF, INF, 0.0])
    assert run("logsumexp", [1000.0, 1000.0]) == 1000 + math.log(2)


@pytest.mark.parametrize("name", ["segment_sum", "segment_mean", "segment_max", "segment_min"])
def test_an_empty_segment_gives_zero(name: str) -> None:
    np.testing.assert_array_equal(run(name, [-2.0, -4.0], [2, 2], count=4)[[0, 1, 3]], [0.0, 0.0, 0.0])


def test_segments_by_hand() -> None:
    x, segments = [[-2.0, 1.0], [5.0, 0.0], [-4.0, 3.0]], [2, 0, 2]
    np.testing.assert_array_equal(run("segment_sum", x, segments, count=3), [[5, 0], [0, 0], [-6, 4]])
    np.testing.assert_array_equal(run("segment_mean", x, segments, count=3), [[5, 0], [0, 0], [-3, 2]])
    np.testing.assert_array_equal(run("segment_max", x, segments, count=3), [[5, 0], [0, 0], [-2, 3]])
    np.testing.assert_array_equal(run("segment_min", x, segments, count=3), [[5, 0], [0, 0], [-4, 1]])


def test_segment_softmax_over_nothing_is_zero() -> None:
    x, segments = [-INF, 1.0, -INF, 1.0], [0, 1, 0, 1]
    np.testing.assert_array_equal(run("segment_softmax", x, segments, count=3), [0.0, 0.5, 0.0, 0.5])
    large = run("segment_softmax", [1000.0, 1000.0, -1000.0], [0, 0, 1], count=2)
    np.testing.assert_array_equal(large, [0.5, 0.5, 1.0])


def test_segment_count() -> None:
    np.testing.assert_array_equal(run("segment_count", [2, 0, 2], count=4), [1, 0, 2, 0])


@pytest.mark.parametrize("name", ["segment_sum", "segment_max", "segment_min"])
def test_segments_against_the_slow_way(name: str) -> None:
    slow = {"segment_sum": np.add, "segment_max": np.maximum, "segment_min": np.minimum}[name]
    start = {"segment_sum": 0.0, "segment_max": -INF, "segment_min": INF}[name]
    generator = np.random.default_rng(0)
    x, segments = generator.normal(size=(500, 3)), generator.integers(0, 40, 500)
    expected = np.full((50, 3), start)
    slow.at(expected, segments, x)
    expected[40:] = 0
    np.testing.assert_allclose(run(name, x, segments, count=50), expected, rtol=1e-13, atol=1e-14)


def test_integer_division_floors() -> None:
    np.testing.assert_array_equal(run("floor_divide", [7, -7, 7, -7], [2, 2, -2, -2]), [3, -4, -4, 3])
    np.testing.assert_array_equal(run("remainder", [7, -7, 7, -7], [2, 2, -2, -2]), [1, 1, -1, -1])


def test_halves_round_to_even() -> None:
    np.testing.assert_array_equal(run("round", [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]), [-2, -2, 0, 0, 2, 2])


def test_rounding_keeps_integers() -> None:
    big = 2**62 + 1  # not a float64
    assert [int(run(name, big)) for name in ("floor", "ceil", "round")] == [big] * 3


def test_powers() -> None:
    assert run("power", 0.0, 0.0) == 1
    assert run("power", 2, 10) == 1024
    with pytest.raises(OpError, match="negative power"):
        run("power", 2, -1)


def test_cast_truncates_towards_zero() -> None:
    np.testing.assert_array_equal(run("cast", [-1.9, -0.5, 0.5, 1.9], dtype="int"), [-1, 0, 0, 1])


def test_sigmoid_does_not_overflow() -> None:
    np.testing.assert_array_equal(run("sigmoid", [-1e4, 0.0, 1e4]), [0.0, 0.5, 1.0])
    tiny = run("sigmoid", np.float64(-700.0))
    np.testing.assert_allclose(tiny, math.exp(-700), rtol=1e-13)
    assert run("sigmoid", np.float64(-740.0)) == math.exp(-740)  # where exp(740) overflows


def test_ties_take_the_first() -> None:
    assert run("argmax", [1, 3, 3, 2]) == 1
    assert run("argmin", [3, 1, 1, 2]) == 1


def test_variance_is_biased() -> None:
    assert run("variance", [1.0, 2.0, 3.0, 6.0]) == 3.5


def test_variance_of_a_constant_far_from_zero_is_zero() -> None:
    assert run("variance", np.full(7, 1e8 + 0.1, dtype=np.float32)) == 0


def test_sums_keep_narrow_types() -> None:
    assert run("sum", np.asarray([1, 2], dtype=np.int32)).dtype == np.int32
    assert run("cumsum", np.asarray([1, 2], dtype=np.int32)).dtype == np.int32
    assert run("mean", np.asarray([1, 2], dtype=np.float32)).dtype == np.float32


def test_reflection_leaves_out_the_border() -> None:
    np.testing.assert_array_equal(run("pad", [1, 2, 3], pairs=((2, 2),), mode="reflect"), [3, 2, 1, 2, 3, 2, 1])
    np.testing.assert_array_equal(run("pad", [1, 2, 3], pairs=((2, 1),), mode="edge"), [1, 1, 1, 2, 3, 3])


def test_concat_stack_split() -> None:
    np.testing.assert_array_equal(run("concat", [[1], [2]], [[3], [4]]), [[1, 3], [2, 4]])
    np.testing.assert_array_equal(run("stack", [1, 2], [3, 4]), [[1, 2], [3, 4]])
    first, second = run("split", [1, 2, 3], parts=[1, 2])
    assert (first.tolist(), second.tolist()) == ([1], [2, 3])


def test_sorting_keeps_the_order_of_equals() -> None:
    x = [2, 1, 2, 1]
    np.testing.assert_array_equal(run("argsort", x), [1, 3, 0, 2])
    np.testing.assert_array_equal(run("argsort", x, descending=True), [0, 2, 1, 3])
    np.testing.assert_array_equal(run("sort", x, descending=True), [2, 2, 1, 1])
    assert [part.tolist() for part in run("topk", x, k=3)] == [[2, 2, 1], [0, 2, 1]]
    assert [part.tolist() for part in run("topk", x, k=3, largest=False)] == [[1, 1, 2], [1, 3, 0]]


def test_scatter_reduces_into_what_is_there() -> None:
    x, indices, updates = [1.0, 2.0, 3.0], [0, 0, 2], [5.0, 7.0, -1.0]
    np.testing.assert_array_equal(run("scatter", x, indices, updates, reduction="sum"), [13.0, 2.0, 2.0])
    np.testing.assert_array_equal(run("scatter", x, indices, updates, reduction="max"), [7.0, 2.0, 3.0])
    np.testing.assert_array_equal(run("scatter", x, indices, updates, reduction="min"), [1.0, 2.0, -1.0])
    np.testing.assert_array_equal(run("scatter", x, [2, 1], [5.0, 7.0]), [1.0, 7.0, 5.0])


def test_a_singular_system_is_an_error() -> None:
    with pytest.raises(OpError, match="singular"):
        run("solve", [[1.0, 2.0], [2.0, 4.0]], [[1.0], [1.0]])


def test_resizing() -> None:
    x = [[[0.0, 4.0]]]
    np.testing.assert_array_equal(run("resize", x, size=[4]), [[[0, 0, 4, 4]]])
    np.testing.assert_array_equal(run("resize", x, size=[4], mode="linear"), [[[0, 1, 3, 4]]])
    np.testing.assert_array_equal(run("resize", x, size=[3], mode="linear", align_corners=True), [[[0, 2, 4]]])
    np.testing.assert_array_equal(run("resize", [[[0.0, 1, 2, 3, 4]]], size=[3]), [[[0, 1, 3]]])


def test_the_nearest_element_is_exact() -> None:
    """Where 32-bit floats, as in torch, round to the element before."""
    x = np.arange(38.0).reshape(1, 1, 38)
    size = 38 * 41
    np.testing.assert_array_equal(run("resize", x, size=[size])[0, 0], np.arange(size) // 41)
    by_torch = torch.nn.functional.interpolate(torch.from_numpy(x).float(), size=size)
    assert not np.array_equal(by_torch.numpy()[0, 0], np.arange(size) // 41)


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_an_index_out_of_range_raises(index: int) -> None:
    with pytest.raises(OpError, match="out of range") as caught:
        run("gather", [1.0, 2.0, 3.0], [0, index])
    assert caught.value.found == str(index)
    for name in ("take_along_axis", "segment_sum", "one_hot", "scatter"):
        operands, attributes = {
            "take_along_axis": (([1.0, 2.0, 3.0], [index]), {}),
            "segment_sum": (([1.0], [index]), {"count": 3}),
            "one_hot": (([index],), {"depth": 3}),
            "scatter": (([1.0, 2.0, 3.0], [index], [1.0]), {}),
        }[name]
        with pytest.raises(OpError, match="out of range"):
            run(name, *operands, **attributes)


def test_triangles() -> None:
    ones = np.ones((3, 3))
    np.testing.assert_array_equal(run("triangular", ones), [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(run("triangular", ones, diagonal=1, upper=True), [[0, 1, 1], [0, 0, 1], [0, 0, 0]])


def test_slices() -> None:
    x = np.arange(10)
    np.testing.assert_array_equal(run("slice", x, items=(("slice", 2, 8, 3),)), [2, 5])
    np.testing.assert_array_equal(run("slice", x, items=(("slice", None, None, -4),)), [9, 5, 1])
    np.testing.assert_array_equal(run("slice", x, items=(("slice", 7, 99, 1),)), [7, 8, 9])
    assert run("slice", x, items=(("index", 4),)) == 4


def test_padded_average_by_hand() -> None:
    x = [[[2.0, 4.0, 6.0]]]
    options: dict[str, Any] = {"kernel": 2, "padding": 1, "stride": 2}
    np.testing.assert_array_equal(run("avg_pool", x, **options), [[[1.0, 5.0]]])
    np.testing.assert_array_equal(run("avg_pool", x, **options, include_padding=False), [[[2.0, 5.0]]])


def test_a_pool_strides_by_its_kernel() -> None:
    np.testing.assert_array_equal(run("max_pool", [[[1, 5, 2, 3]]], kernel=2), [[[5, 3]]])


def naive_convolution(x: Any, weight: Any, stride: int, padding: tuple[int, int], dilation: int, groups: int) -> Any:
    """The sum of the op's doc, term by term, in one dimension."""
    low, high = padding
    length = (x.shape[2] + low + high - dilation * (weight.shape[2] - 1) - 1) // stride + 1
    out = np.zeros((x.shape[0], weight.shape[0], length))
    per_group = weight.shape[0] // groups
    for n, o, p in np.ndindex(*out.shape):
        for c, k in np.ndindex(*weight.shape[1:]):
            place = p * stride + k * dilation - low
            if 0 <= place < x.shape[2]:
                out[n, o, p] += x[n, o // per_group * weight.shape[1] + c, place] * weight[o, c, k]
    return out


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), WINDOWS)
def test_convolution_term_by_term(stride: int, padding: tuple[int, int], dilation: int, groups: int) -> None:
    generator = np.random.default_rng(0)
    x, weight = generator.normal(size=(2, 4, 9)), generator.normal(size=(6, 4 // groups, 3))
    got = run("conv", x, weight, stride=stride, padding=[padding], dilation=dilation, groups=groups)
    np.testing.assert_allclose(got, naive_convolution(x, weight, stride, padding, dilation, groups), rtol=1e-13)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), WINDOWS)
def test_transpose_is_the_adjoint(stride: int, padding: tuple[int, int], dilation: int, groups: int) -> None:
    """<conv(x), y> == <x, conv_transpose(y)> for all x and y."""
    generator = np.random.default_rng(0)
    x, weight = generator.normal(size=(2, 4, 9)), generator.normal(size=(6, 4 // groups, 3))
    options: dict[str, Any] = {"stride": stride, "padding": [padding], "dilation": dilation, "groups": groups}
    out = run("conv", x, weight, **options)
    y = generator.normal(size=out.shape)
    missing = (9 + sum(padding) - dilation * 2 - 1) % stride
    back = run("conv_transpose", y, weight, **options, output_padding=missing)
    assert back.shape == x.shape
    np.testing.assert_allclose((out * y).sum(), (x * back).sum(), rtol=1e-12)


def test_both_ways_to_convolve_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    x, weight = generator.normal(size=(3, 4, 9, 8)), generator.normal(size=(6, 2, 3, 2))
    options: dict[str, Any] = {"stride": (2, 1), "padding": 1, "dilation": (1, 2), "groups": 2}
    whole = run("conv", x, weight, **options)
    for limit in (0, 10_000):  # by kernel places; one row of the batch at a time
        monkeypatch.setattr("dlc.ops.convolution.COLUMN_BYTES", limit)
        np.testing.assert_allclose(run("conv", x, weight, **options), whole, rtol=1e-12, atol=1e-14)
