"""Type rules over symbolic shapes, and their refusals."""

from __future__ import annotations

from typing import Any

import pytest
from dlc.dims import add, floor_divide, multiply, subtract, symbol
from dlc.ir import TensorType
from dlc.ops import OPS, normalise_attributes
from dlc.ops.api import OpError

N, T, S = symbol("N"), symbol("T"), symbol("S")


def typed(name: str, *operands: tuple[Any, ...], **attributes: object) -> str:
    """The result types as text; an operand is a shape (float) or starts with its element type."""
    types = [
        TensorType(operand[0], operand[1:]) if operand and isinstance(operand[0], str) else TensorType("float", operand)
        for operand in operands
    ]
    normal = normalise_attributes(OPS[name], attributes, types)
    return ", ".join(str(item) for item in OPS[name].infer(types, normal))


FULL = ("slice", None, None, 1)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (lambda: typed("exp", (N, 3)), "float[N, 3]"),
        (lambda: typed("add", (N, 1, 3), (T, 1)), "float[N, T, 3]"),
        (lambda: typed("less", ("int", N), ("int", 1)), "bool[N]"),
        (lambda: typed("where", ("bool", N, 1), (T,), ()), "float[N, T]"),
        (lambda: typed("cast", (N,), dtype="i32"), "i32[N]"),
        (lambda: typed("sum", (N, T, 3), axis=1), "float[N, 3]"),
        (lambda: typed("sum", (N, T, 3)), "float[]"),
        (lambda: typed("mean", (N, T, 3), axis=(0, -1), keepdims=True), "float[1, T, 1]"),
        (lambda: typed("argmax", (N, 3)), "int[N]"),
        (lambda: typed("max", (N, T), axis=1), "float[N]"),
        (lambda: typed("reshape", (N, 6), shape=(multiply(2, N), 3)), "float[2*N, 3]"),
        (lambda: typed("reshape", (N, T, 6), shape=(N, -1)), "float[N, 6*T]"),
        (lambda: typed("reshape", (multiply(N, T), 6), shape=(N, -1, 3)), "float[N, 2*T, 3]"),
        (lambda: typed("expand_dims", (N,), axis=-1), "float[N, 1]"),
        (lambda: typed("squeeze", (N, 1), axis=-1), "float[N]"),
        (lambda: typed("transpose", (N, T, 3), axes=(0, 2, 1)), "float[N, 3, T]"),
        (lambda: typed("broadcast_to", (1, 3), shape=(N, 3)), "float[N, 3]"),
        (lambda: typed("pad", (N, T), pairs=((0, 0), (1, S))), "float[N, S + T + 1]"),
        (lambda: typed("pad", (N, T), pairs=((0, 0), (2, 2)), mode="reflect"), "float[N, T + 4]"),
        (lambda: typed("concat", (N, T), (N, S), (N, 1)), "float[N, S + T + 1]"),
        (lambda: typed("stack", (N, T), (N, T), axis=-1), "float[N, T, 2]"),
        (lambda: typed("split", (N, multiply(2, T)), parts=2), "float[N, T], float[N, T]"),
        (lambda: typed("split", (N, add(T, 1)), parts=(T, 1)), "float[N, T], float[N, 1]"),
        (lambda: typed("unstack", (2, N)), "float[N], float[N]"),
        (lambda: typed("slice", (N, T), items=(FULL, ("slice", 1, None, 1))), "float[N, T - 1]"),
        (lambda: typed("slice", (N, T), items=(FULL, ("slice", None, subtract(T, 1), 1))), "float[N, T - 1]"),
        (lambda: typed("slice", (N, add(S, T)), items=(FULL, ("slice", S, None, 1))), "float[N, T]"),
        (lambda: typed("slice", (N, T), items=(("index", 0), ("slice", None, None, -1))), "float[T]"),
        (lambda: typed("slice", (N, multiply(4, T)), items=(FULL, ("slice", None, None, 2))), "float[N, 2*T]"),
        (lambda: typed("slice", (N, T), items=(FULL, ("slice", None, None, 2))), "float[N, (T + 1)//2]"),
        (lambda: typed("slice", (N, 5), items=(FULL, ("slice", 3, 99, 1))), "float[N, 2]"),
        (lambda: typed("slice", (N, T), items=(("index", subtract(N, 1)), FULL)), "float[T]"),
        (lambda: typed("gather", (5, 3), ("int", N, T)), "float[N, T, 3]"),
        (lambda: typed("gather", (N, 5, 3), ("int", T), axis=1), "float[N, T, 3]"),
        (lambda: typed("take_along_axis", (N, 5), ("int", N, 1)), "float[N, 1]"),
        (lambda: typed("pad", (N, T), pairs=((0, 0), (2, 2)), mode="wrap"), "float[N, T + 4]"),
        (lambda: typed("tile", (N, T), counts=(2, S)), "float[2*N, S*T]"),
        (lambda: typed("repeat", ("bool", N, T), count=S, axis=-1), "bool[N, S*T]"),
        (lambda: typed("isfinite", (N, T)), "bool[N, T]"),
        (lambda: typed("resize", (N, 3, S, T), size=(multiply(2, S), 7)), "float[N, 3, 2*S, 7]"),
        (lambda: typed("grid_sample", (N, 3, S, T), (N, T, 5, 2)), "float[N, 3, T, 5]"),
        (lambda: typed("diagonal", (N, T, T), offset=-1), "float[N, T - 1]"),
        (lambda: typed("diagonal", ("int", N, 3, 5), offset=1), "int[N, 3]"),
        (lambda: typed("solve", (N, T, T), (N, T, 3)), "float[N, T, 3]"),
        (lambda: typed("sort", ("int", N, T)), "int[N, T]"),
        (lambda: typed("argsort", (N, T), axis=0), "int[N, T]"),
        (lambda: typed("topk", (N, T), k=3), "float[N, 3], int[N, 3]"),
        (lambda: typed("topk", (N, T), k=floor_divide(N, 2), axis=0), "float[N//2, T], int[N//2, T]"),
        (lambda: typed("scatter", (N, 5), ("int", N, T), (N, T)), "float[N, 5]"),
        (lambda: typed("one_hot", ("int", N, T), depth=S), "float[N, T, S]"),
        (lambda: typed("triangular", ("bool", T, T)), "bool[T, T]"),
        (lambda: typed("constant", value=1, dtype="float", shape=(N,)), "float[N]"),
        (lambda: typed("dimension", size=multiply(2, N)), "int[]"),
        (lambda: typed("arange", start=0, stop=T), "int[T]"),
        (lambda: typed("arange", start=1, stop=T, step=2), "int[T//2]"),
        (lambda: typed("arange", start=subtract(T, 1), stop=-1, step=-1), "int[T]"),
        (lambda: typed("arange", start=5, stop=0), "int[0]"),
        (lambda: typed("matmul", (N, T, 3), (3, 4)), "float[N, T, 4]"),
        (lambda: typed("matmul", (N, 1, T, 3), (8, 3, S)), "float[N, 8, T, S]"),
        (lambda: typed("matmul", (3,), (3,)), "float[]"),
        (lambda: typed("matmul", (N, 3), (3,)), "float[N]"),
        (lambda: typed("einsum", (N, 3), (N, T, 3), pattern="nd,nsd->ns"), "float[N, T]"),
        (lambda: typed("einsum", (N, 3), (3, 4), pattern="n d, d e -> n e"), "float[N, 4]"),
        (lambda: typed("conv", (N, 3, T), (8, 3, 3), padding=1), "float[N, 8, T]"),
        (lambda: typed("conv", (N, 3, multiply(2, T)), (8, 3, 2), stride=2), "float[N, 8, T]"),
        (lambda: typed("conv", (N, 3, T), (8, 3, 3), stride=2), "float[N, 8, (T + 1)//2 - 1]"),
        (lambda: typed("conv", (N, 4, 8, 9), (6, 2, 3, 3), groups=2), "float[N, 6, 6, 7]"),
        (lambda: typed("conv_transpose", (N, 3, T), (3, 8, 4), stride=2, padding=1), "float[N, 8, 2*T]"),
        (lambda: typed("conv_transpose", (N, 4, T), (4, 3, 2), groups=2), "float[N, 6, T + 1]"),
        (lambda: typed("max_pool", (N, 3, 8, 8), kernel=2), "float[N, 3, 4, 4]"),
        (lambda: typed("max_pool", (N, 3, multiply(2, T)), kernel=2), "float[N, 3, T]"),
        (lambda: typed("avg_pool", (N, 3, 7), kernel=2, ceil_mode=True), "float[N, 3, 4]"),
        (lambda: typed("segment_sum", (T, 3), ("int", T), count=N), "float[N, 3]"),
        (lambda: typed("segment_softmax", (T, 3), ("int", T), count=N), "float[T, 3]"),
        (lambda: typed("segment_count", ("int", T), count=N), "int[N]"),
    ],
)
def test_types(got: Any, expected: str) -> None:
    assert got() == expected


REFUSED = [
    (lambda: typed("exp", (3,), (3,)), "exp needs 1 operand, not 2"),
    (lambda: typed("add", (3,)), "add needs 2 operands, not 1"),
    (lambda: typed("concat"), "concat needs at least one tensor"),
    (lambda: typed("einsum", pattern="->"), "einsum needs at least one tensor"),
    (lambda: typed("broadcast_to", (1,), shape=(-1,)), "broadcast_to's shape has a negative size: [-1]"),
    (lambda: typed("constant", value=1, dtype="int", shape=(N, -2)), "a constant has a negative size: [N, -2]"),
    (lambda: typed("pad", ("int", 3), pairs=1, value=0.5), "pad's value must be an integer, as int[3] is"),
    (lambda: typed("pad", ("int", 3), pairs=1, value=float("inf")), "pad's value must be an integer, as int[3] is"),
    (lambda: typed("pad", ("bool", 3), pairs=1, value=2), "pad's value must be 0 or 1, as bool[3] is bool"),
    (lambda: typed("conv", (N, 3, 8), (8, 3, 0)), "conv's kernel is empty"),
    (lambda: typed("conv", (N, 3, 8), (8, 3, 3), padding=T), "conv's padding must be an integer or a list of 1"),
    (lambda: typed("exp", ("int", 3)), "the operand must be float, not int"),
    (lambda: typed("add", ("bool", 3), ("bool", 3)), "the first operand must be float or int, not bool"),
    (lambda: typed("add", (3,), ("f32", 3)), "arithmetic needs operands of one element type; cast one of them"),
    (lambda: typed("logical_and", ("bool", 3), ("int", 3)), "the second operand must be bool, not int"),
    (lambda: typed("where", ("int", 3), (3,), (3,)), "where's condition must be bool, not int"),
    (lambda: typed("clip", (3,), low=1, high=0), "clip's low, 1, is above its high, 0"),
    (lambda: typed("clip", ("int", 3), low=0.5, high=2), "clip's low must be an integer, as int[3] is"),
    (lambda: typed("max", (N, 0), axis=1), "a maximum or minimum over no elements: axis 1 of float[N, 0] has size 0"),
    (lambda: typed("argmax", (0,)), "a maximum or minimum over no elements"),
    (lambda: typed("reshape", (N, 6), shape=(N, 7)), "cannot reshape [N, 6] to [N, 7]: it has 6*N elements"),
    (lambda: typed("reshape", (N, 6), shape=(T, 6)), "cannot reshape [N, 6] to [T, 6]: it has 6*N elements"),
    (lambda: typed("reshape", (4,), shape=(-2, -2)), "cannot reshape [4] to [-2, -2]"),
    (lambda: typed("squeeze", (N, 3), axis=0), "squeeze removes an axis of size 1; axis 0 of float[N, 3] has size N"),
    (lambda: typed("transpose", (N, 3), axes=(0,)), "transpose needs each of the 2 axes of float[N, 3] once"),
    (lambda: typed("broadcast_to", (3,), shape=(3, 1)), "[3] does not broadcast to [3, 1]"),
    (lambda: typed("broadcast_to", (N,), shape=(3,)), "shapes [N] and [3] do not broadcast"),
    (lambda: typed("pad", (3,), pairs=((-1, 0),)), "pad cannot remove elements; use a slice"),
    (lambda: typed("pad", (3,), pairs=((3, 0),), mode="reflect"), "pad with mode reflect needs less than the size, 3"),
    (lambda: typed("pad", (0,), pairs=((1, 0),), mode="edge"), "pad with mode edge has nothing to repeat"),
    (lambda: typed("pad", (3,), pairs=((4, 0),), mode="wrap"), "pad with mode wrap goes round once: at most the size"),
    (lambda: typed("pad", (0,), pairs=((0, 1),), mode="wrap"), "pad with mode wrap goes round once: at most the size"),
    (lambda: typed("pad", (3,), pairs=1, mode="mirror"), "pad has no mode 'mirror'"),
    (lambda: typed("pad", (3,), pairs=1, mode="replicate"), "pad has no mode 'replicate'; it is called 'edge' here"),
    (lambda: typed("tile", (3, N), counts=(2,)), "tile needs a count for each of the 2 axes of float[3, N]"),
    (lambda: typed("tile", (3,), counts=(-2,)), "tile's counts has a negative size: [-2]"),
    (lambda: typed("repeat", (3,), count=-2, axis=0), "repeat's count is negative"),
    (lambda: typed("isnan", ("int", 3)), "the operand must be float, not int"),
    (lambda: typed("concat", (N, 3), (T, 3)), "concat needs equal shapes but for axis 1, not [N, 3] and [T, 3]"),
    (lambda: typed("concat", (N, 3), (N,)), "concat needs equal shapes but for axis 1, not [N, 3] and [N]"),
    (lambda: typed("concat", (N, 3), ("int", N, 3)), "concat needs operands of one element type"),
    (lambda: typed("stack", (N,), (T,)), "stack needs equal shapes, not [N] and [T]"),
    (lambda: typed("split", (N, 5), parts=2), "5, the size of axis 1 of float[N, 5], does not split into 2 equal"),
    (lambda: typed("split", (N, T), parts=2), "T, the size of axis 1 of float[N, T], does not split into 2 equal"),
    (lambda: typed("split", (N, 5), parts=(2, 2)), "the parts [2, 2] add up to 4; axis 1 of float[N, 5] has size 5"),
    (lambda: typed("unstack", (N, 3)), "unstack needs a fixed number of parts; axis 0 of float[N, 3]"),
    (lambda: typed("slice", (3,), items=(("index", 3),)), "index 3 is out of range for axis 0 of float[3]"),
    (lambda: typed("slice", (N,), items=(("index", N),)), "index N is out of range for axis 0 of float[N]"),
    (lambda: typed("slice", (3,), items=(("index", -1),)), "index -1 is out of range"),
    (lambda: typed("slice", (3,), items=(("slice", None, None, 0),)), "a slice's step must be an integer other than 0"),
    (lambda: typed("slice", (N,), items=(("slice", 5, 2, 1),)), "the slice 5:2 of axis 0 of float[N] would have -3"),
    (lambda: typed("gather", (N, 3), (T,)), "gather's indices must be int, not float"),
    (lambda: typed("take_along_axis", (N, 3), ("int", T, 1)), "take_along_axis needs equal shapes but for axis 1"),
    (lambda: typed("resize", (N, 3), size=()), "the input needs 3 to 5 axes, [N, C, ...]"),
    (lambda: typed("resize", (N, 3, T), size=(2, 3)), "resize needs a size for each of the 1 spatial axes of"),
    (lambda: typed("resize", (N, 3, T), size=(0,)), "resize makes at least one element"),
    (lambda: typed("resize", (N, 3, 0), size=(2,)), "resize has nothing to take from float[N, 3, 0]"),
    (lambda: typed("resize", (N, 3, T), size=(2,), mode="bilinear"), "resize has no mode 'bilinear'; it is called 'l"),
    (lambda: typed("resize", (N, 3, T), size=(2,), mode="cubic"), "resize with mode cubic is for images, not"),
    (lambda: typed("resize", (N, 3, T), size=(2,), align_corners=True), "resize with mode nearest has no corners"),
    (lambda: typed("resize", ("int", N, 3, T), size=(2,), mode="linear"), "resize's input must be float, not int"),
    (lambda: typed("grid_sample", (N, 3, T), (N, 3, 2)), "grid_sample takes an image [N, C, H, W]"),
    (lambda: typed("grid_sample", (N, 3, T, T), (N, T, 2)), "grid_sample's grid names (x, y) for each place"),
    (lambda: typed("grid_sample", (N, 3, T, T), (2, T, T, 2)), "grid_sample's grid names (x, y) for each place"),
    (lambda: typed("grid_sample", (N, 3, 0, T), (N, T, T, 2)), "grid_sample has nothing to take from"),
    (lambda: typed("grid_sample", (N, 3, T, T), ("f32", N, T, T, 2)), "grid_sample's grid has x's element type"),
    (lambda: typed("grid_sample", (N, 3, T, T), (N, 1, 1, 2), padding="reflection"), "grid_sample has no padding"),
    (lambda: typed("diagonal", (N,)), "diagonal needs at least two axes"),
    (lambda: typed("diagonal", (N, S, T)), "the diagonal of S rows and T columns has no size that is known"),
    (lambda: typed("solve", (N, 3, 3), (N, 3, 0)), "solve has nothing to find for float[N, 3, 0]"),
    (lambda: typed("diagonal", (N, 3, 3), offset=3), "diagonal 3 lies outside of float[N, 3, 3]"),
    (lambda: typed("solve", (N, 3), (N, 2)), "solve needs a square matrix"),
    (lambda: typed("solve", (N, 3, 3), (N, 3)), "solve needs 3 rows on the right side of float[N, 3, 3]"),
    (lambda: typed("solve", (3, 3), ("f32", 3, 1)), "solve needs operands of one element type"),
    (lambda: typed("sort", ("bool", N)), "sort's operand must be float or int, not bool"),
    (lambda: typed("topk", (N, 5), k=6), "topk cannot take 6 of the 5 elements of axis 1 of float[N, 5]"),
    (lambda: typed("topk", (N, T), k=-1), "topk cannot take -1 of the T elements"),
    (lambda: typed("scatter", (N, 5), ("int", T, 2), (T, 2)), "scatter needs equal shapes but for axis 1"),
    (lambda: typed("scatter", (N, 5), ("int", N, 2), (N, 3)), "scatter needs one index for each update, not [N, 2]"),
    (lambda: typed("scatter", (N, 5), ("int", N, 2), ("int", N, 2)), "scatter puts float into float[N, 5]"),
    (lambda: typed("scatter", (5,), ("int", 2), (2,), reduction="mean"), "scatter has no reduction 'mean'"),
    (lambda: typed("scatter", ("bool", 5), ("int", 2), ("bool", 2), reduction="max"), "scatter's operand, to take a"),
    (lambda: typed("one_hot", ("int", 3), depth=-1), "one_hot's depth is negative"),
    (lambda: typed("triangular", (3,)), "triangular needs at least two axes"),
    (lambda: typed("constant", value=0.5, dtype="int"), "a constant of type int can't be 0.5"),
    (lambda: typed("constant", value=True, dtype="float"), "a constant of type float can't be true"),
    (lambda: typed("arange", start=0, stop=3, step=0), "arange's step is 0"),
    (
        lambda: typed("matmul", (N, 3), (4, 5)),
        "cannot multiply [N, 3] by [4, 5]: the last axis has 3, the second last 4",
    ),
    (lambda: typed("matmul", (N, 3), (4,)), "cannot multiply [N, 3] by [4]: the last axis has 3, the only 4"),
    (lambda: typed("matmul", (N, 2, 3), (T, 3, 2)), "shapes [N] and [T] do not broadcast"),
    (lambda: typed("matmul", (), (3,)), "matmul needs operands with axes"),
    (lambda: typed("einsum", (N, 3), pattern="ij,jk->ik"), "'ij,jk->ik' is for 2 operands, not 1"),
    (lambda: typed("einsum", (N, 3), pattern="ij"), "an einsum pattern is letters, commas and one arrow"),
    (lambda: typed("einsum", (N, 3), pattern="i...->i"), "an einsum pattern is letters, commas and one arrow"),
    (lambda: typed("einsum", (N, 3), pattern="ij->ik"), "k stands in the result of 'ij->ik' and in no operand"),
    (lambda: typed("einsum", (N, 3), pattern="ij->ii"), "i stands twice in the result of 'ij->ii'"),
    (lambda: typed("einsum", (N, 3), pattern="ijk->i"), "'ijk' names 3 axes; operand 1 is float[N, 3]"),
    (
        lambda: typed("einsum", (N, 3), (1, 4), pattern="ij,jk->ik"),
        "j of 'ij,jk->ik' is 3 and 1: operands [N, 3] and [1, 4]",
    ),
    (
        lambda: typed("conv", (N, 3, 8), (8, 4, 3)),
        "conv's weight float[8, 4, 3] is for 4 input channels; float[N, 3",
    ),
    (lambda: typed("conv", (N, 3, 8), (8, 3, 3, 3)), "conv's weight needs 3 axes"),
    (lambda: typed("conv", (N, 3, 2), (8, 3, 3)), "conv's window reaches over 3, axis 2 of float[N, 3, 2]"),
    (lambda: typed("conv", (N, 3, 8), (8, 3, 3), groups=2), "conv's input channels, 3, do not split into 2 groups"),
    (lambda: typed("conv", (N, 4, 8), (7, 2, 3), groups=2), "conv's output channels, 7, do not split into 2 groups"),
    (lambda: typed("conv", (N, 4, 8), (7, 2, 3), groups=0), "conv's groups must be at least 1"),
    (lambda: typed("conv", (N, 3, 8), (8, 3, 3), stride=0), "conv's stride must be at least 1"),
    (lambda: typed("conv", (N, 3, 8), (8, 3, 3), padding=-1), "conv's padding must be at least 0"),
    (lambda: typed("conv", ("int", N, 3, 8), (8, 3, 3)), "conv's input must be float, not int"),
    (lambda: typed("conv_transpose", (N, 3, 8), (4, 3, 3)), "conv_transpose's weight float[4, 3, 3] is for 4 input"),
    (
        lambda: typed("conv_transpose", (N, 3, 8), (3, 4, 3), output_padding=1),
        "conv_transpose's output_padding must be smaller than the stride",
    ),
    (
        lambda: typed("conv_transpose", (N, 3, 8), (3, 4, 3), stride=2, dilation=4, output_padding=2),
        "conv_transpose's output_padding must be smaller than the stride",
    ),
    (
        lambda: typed("max_pool", (N, 3, 8), kernel=2, padding=2),
        "max_pool's padding must be smaller than its window",
    ),
    (lambda: typed("max_pool", (N, 3, 2), kernel=3), "max_pool's window reaches over 3"),
    (lambda: typed("avg_pool", ("int", N, 3, 8), kernel=2), "avg_pool's input must be float, not int"),
    (lambda: typed("segment_sum", (T, 3), ("int", S), count=N), "segments name the segment of each row: of shape [T]"),
    (lambda: typed("segment_sum", (T, 3), (T,), count=N), "segments must be int, not float"),
    (lambda: typed("segment_mean", ("int", T), ("int", T), count=N), "segment_mean's input must be float, not int"),
]


@pytest.mark.parametrize(("got", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_refusals(got: Any, message: str) -> None:
    with pytest.raises(OpError) as caught:
        got()
    assert caught.value.message.startswith(message)


def test_a_symbolic_length_is_exact_where_it_is_known() -> None:
    assert typed("max_pool", (N, 3, T), kernel=2, stride=2) == f"float[N, 3, {floor_divide(T, 2)}]"
