"""Shape ops: the same elements, arranged differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlc.dims import Size, add, exact_divide, multiply, product
from dlc.ir import INTS, TensorType
from dlc.ops.api import Attributes, AttributeSpec, Op, OpError, Sample
from dlc.ops.attributes import as_pairs
from dlc.ops.lazy_numpy import np
from dlc.ops.quiet import of_one
from dlc.ops.samples import bools, floats, ints, sample
from dlc.ops.shapes import Shape, broadcast, replaced, require_no_negative, show

Rule = Callable[[TensorType, Attributes], Shape]


def _op(
    name: str,
    attributes: tuple[AttributeSpec, ...],
    rule: Rule,
    function: Callable[[Any, Attributes], Any],
    doc: str,
    *samples: Sample,
    complete: Callable[[Sequence[TensorType], Attributes], Attributes] | None = None,
) -> Op:
    """An op on one tensor that keeps its element type; `rule` gives the new shape."""

    def infer(types: Sequence[TensorType], values: Attributes) -> tuple[TensorType, ...]:
        return (TensorType(types[0].dtype, rule(types[0], values)),)

    return Op(name, ("x",), attributes, infer, of_one(function), samples, doc, complete=complete)


# --- reshape ---------------------------------------------------------------------------------------------------


def _solve_reshape(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    """Replaces a -1 in the shape by the size that it stands for."""
    shape, old = tuple(attributes["shape"]), types[0].shape
    if shape.count(-1) == 0:
        return {"shape": shape}
    if shape.count(-1) > 1:
        raise OpError("reshape can find one size only", found=show(shape), expected="at most one -1", operand=0)
    known = product([size for size in shape if size != -1])
    missing = None if known == 0 else exact_divide(product(old), known)
    if missing is None:
        raise _no_reshape(old, shape)
    return {"shape": tuple(missing if size == -1 else size for size in shape)}


def _reshape_rule(x: TensorType, attributes: Attributes) -> Shape:
    shape: Shape = tuple(attributes["shape"])
    if any(isinstance(size, int) and size < 0 for size in shape) or product(shape) != product(x.shape):
        raise _no_reshape(x.shape, shape)
    return shape


def _no_reshape(old: Shape, new: Shape) -> OpError:
    return OpError(
        f"cannot reshape {show(old)} to {show(new)}: it has {product(old)} elements",
        found=show(new),
        expected=f"a shape with {product(old)} elements",
        operand=0,
    )


# --- axes ------------------------------------------------------------------------------------------------------


def _expand_rule(x: TensorType, attributes: Attributes) -> Shape:
    axis = attributes["axis"]
    return (*x.shape[:axis], 1, *x.shape[axis:])


def _squeeze_rule(x: TensorType, attributes: Attributes) -> Shape:
    axis = attributes["axis"]
    if x.shape[axis] != 1:
        raise OpError(
            f"squeeze removes an axis of size 1; axis {axis} of {x} has size {x.shape[axis]}",
            found=str(x.shape[axis]),
            expected="1",
            operand=0,
        )
    return (*x.shape[:axis], *x.shape[axis + 1 :])


def _transpose_rule(x: TensorType, attributes: Attributes) -> Shape:
    axes = attributes["axes"]
    if sorted(axes) != list(range(x.rank)):
        raise OpError(
            f"transpose needs each of the {x.rank} axes of {x} once", found=show(axes), expected=f"0 to {x.rank - 1}"
        )
    return tuple(x.shape[axis] for axis in axes)


def _broadcast_rule(x: TensorType, attributes: Attributes) -> Shape:
    shape: Shape = tuple(attributes["shape"])
    require_no_negative(shape, "broadcast_to's shape")
    if broadcast([x.shape, shape]) != shape:
        raise OpError(
            f"{show(x.shape)} does not broadcast to {show(shape)}", found=show(x.shape), expected=show(shape), operand=0
        )
    return shape


def _same(x: TensorType, attributes: Attributes) -> Shape:
    return x.shape


# --- pad -------------------------------------------------------------------------------------------------------

#: And what PyTorch calls them.
_MODES = ("constant", "reflect", "edge", "wrap")
_ELSEWHERE = {"replicate": "edge", "circular": "wrap", "zeros": "constant"}


def _complete_pad(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    return {"pairs": as_pairs("pad's pairs", attributes["pairs"], types[0].rank)}


def _pad_rule(x: TensorType, attributes: Attributes) -> Shape:
    mode, pairs = attributes["mode"], attributes["pairs"]
    if mode not in _MODES:
        here = f"; it is called {_ELSEWHERE[mode]!r} here" if mode in _ELSEWHERE else ""
        raise OpError(f"pad has no mode {mode!r}{here}", found=mode, expected=", ".join(_MODES))
    _check_filler(x, attributes["value"])
    return tuple(_padded(size, pair, mode, x) for size, pair in zip(x.shape, pairs, strict=True))


def _check_filler(x: TensorType, value: float) -> None:
    """What fills an integer tensor must be an integer, and a bool tensor 0 or 1."""
    if x.dtype in INTS and value != value // 1:
        raise OpError(f"pad's value must be an integer, as {x} is", found=str(value), expected="an integer")
    if x.dtype == "bool" and value not in (0, 1):
        raise OpError(f"pad's value must be 0 or 1, as {x} is bool", found=str(value), expected="0 or 1")


def _padded(size: Size, pair: tuple[Size, Size], mode: str, x: TensorType) -> Size:
    for amount in pair:
        if isinstance(amount, int) and amount < 0:
            raise OpError("pad cannot remove elements; use a slice", found=str(amount), expected="0 or more")
        if mode == "edge" and size == 0 and amount != 0:
            raise OpError(f"pad with mode edge has nothing to repeat in {x}", found=str(x), operand=0)
        if isinstance(size, int) and isinstance(amount, int):
            _check_reach(size, amount, mode)
    return add(add(size, pair[0]), pair[1])


def _check_reach(size: int, amount: int, mode: str) -> None:
    """What is mirrored leaves out the border; what goes round is there once."""
    if mode == "reflect" and amount >= max(size, 1):
        raise OpError(
            f"pad with mode reflect needs less than the size, {size}", found=str(amount), expected=f"at most {size - 1}"
        )
    if mode == "wrap" and amount > size:
        raise OpError(
            f"pad with mode wrap goes round once: at most the size, {size}",
            found=str(amount),
            expected=f"at most {size}",
        )


def _pad(x: Any, attributes: Attributes) -> Any:
    if attributes["mode"] == "constant":
        return np.pad(x, attributes["pairs"], constant_values=attributes["value"])
    return np.pad(x, attributes["pairs"], mode=attributes["mode"])


# --- repetition ------------------------------------------------------------------------------------------------


def _tile_rule(x: TensorType, attributes: Attributes) -> Shape:
    counts = attributes["counts"]
    if len(counts) != x.rank:
        raise OpError(
            f"tile needs a count for each of the {x.rank} axes of {x}", found=show(counts), expected=f"{x.rank} counts"
        )
    require_no_negative(counts, "tile's counts")
    return tuple(multiply(size, count) for size, count in zip(x.shape, counts, strict=True))


def _repeat_rule(x: TensorType, attributes: Attributes) -> Shape:
    count, axis = attributes["count"], attributes["axis"]
    if isinstance(count, int) and count < 0:
        raise OpError("repeat's count is negative", found=str(count), expected="0 or more")
    return replaced(x.shape, axis, multiply(x.shape[axis], count))


_AXIS = AttributeSpec("axis", "axis")
_PAIRS = AttributeSpec("pairs", "any")
_SHAPE = AttributeSpec("shape", "sizes")

OPS: tuple[Op, ...] = (
    _op(
        "reshape",
        (_SHAPE,),
        _reshape_rule,
        lambda x, attributes: np.reshape(x, attributes["shape"]),
        "The same elements in row-major order under another shape; one size may be -1. numpy.reshape.",
        sample(floats(2, 6), shape=(3, 4)),
        sample(floats(2, 3, 4), shape=(2, -1), name="solved"),
        sample(floats(1, 1), shape=(), name="to scalar"),
        sample(floats(), shape=(1, 1), name="from scalar"),
        sample(floats(0, 3), shape=(3, 0), name="empty"),
        sample(ints(0, 9, 4), shape=(2, 2), name="ints"),
        complete=_solve_reshape,
    ),
    _op(
        "expand_dims",
        (AttributeSpec("axis", "new_axis"),),
        _expand_rule,
        lambda x, attributes: np.expand_dims(x, attributes["axis"]),
        "A new axis of size 1, at that place of the result. numpy.expand_dims.",
        sample(floats(2, 3), axis=0),
        sample(floats(2, 3), axis=-1, name="last"),
        sample(floats(2, 3), axis=1, name="middle"),
        sample(floats(), axis=0, name="scalar"),
    ),
    _op(
        "squeeze",
        (_AXIS,),
        _squeeze_rule,
        lambda x, attributes: np.squeeze(x, attributes["axis"]),
        "Without an axis of size 1. numpy.squeeze.",
        sample(floats(2, 1, 3), axis=1),
        sample(floats(2, 1), axis=-1, name="last"),
        sample(floats(1), axis=0, name="to scalar"),
    ),
    _op(
        "transpose",
        (AttributeSpec("axes", "permutation", None),),
        _transpose_rule,
        lambda x, attributes: np.transpose(x, attributes["axes"]),
        "The axes in another order; reversed, where none is given. numpy.transpose.",
        sample(floats(2, 3, 4)),
        sample(floats(2, 3, 4), axes=(0, 2, 1), name="swap"),
        sample(floats(2, 3, 4), axes=(-1, 0, 1), name="negative"),
        sample(floats(3), axes=(0,), name="vector"),
    ),
    _op(
        "broadcast_to",
        (_SHAPE,),
        _broadcast_rule,
        lambda x, attributes: np.broadcast_to(x, attributes["shape"]),
        "x repeated along its axes of size 1 and new leading axes. numpy.broadcast_to.",
        sample(floats(3, 1), shape=(2, 3, 4)),
        sample(floats(), shape=(2, 2), name="scalar"),
        sample(floats(), shape=(), name="scalar stays"),
        sample(ints(0, 9, 1), shape=(3,), name="ints"),
        sample(floats(2, 3), shape=(2, 3), name="same"),
    ),
    _op(
        "flip",
        (_AXIS,),
        _same,
        lambda x, attributes: np.flip(x, attributes["axis"]),
        "Backwards along an axis. numpy.flip.",
        sample(floats(2, 3), axis=0),
        sample(floats(2, 3), axis=-1, name="last"),
        sample(floats(1), axis=0, name="size 1"),
    ),
    _op(
        "roll",
        (AttributeSpec("shift", "size"), _AXIS),
        _same,
        lambda x, attributes: np.roll(x, attributes["shift"], attributes["axis"]),
        "Element i moves to i + shift; what falls off returns at the other end. numpy.roll.",
        sample(floats(2, 5), shift=2, axis=1),
        sample(floats(2, 5), shift=-1, axis=-1, name="back"),
        sample(floats(3, 2), shift=7, axis=0, name="more than a turn"),
        sample(floats(3, 2), shift=0, axis=0, name="zero"),
    ),
    _op(
        "pad",
        (
            AttributeSpec("pairs", "any"),
            AttributeSpec("mode", "str", "constant"),
            AttributeSpec("value", "number", 0.0),
        ),
        _pad_rule,
        _pad,
        "More elements before (low) and after (high) along each axis: a constant, a reflection about the first and "
        "last element, the border repeated (edge), or the other end (wrap). numpy.pad.",
        sample(floats(2, 3), pairs=((1, 0), (0, 2))),
        sample(floats(2, 3), pairs=((0, 0), (1, 1)), value=-1.5, name="value"),
        sample(floats(2, 4), pairs=((1, 1), (3, 2)), mode="reflect", name="reflect"),
        sample(floats(2, 4), pairs=((1, 1), (5, 2)), mode="edge", name="edge"),
        sample(floats(2, 2), pairs=1, name="all sides"),
        sample(ints(0, 9, 3), pairs=((2, 1),), value=7, name="ints"),
        sample(floats(0, 2), pairs=((1, 1), (0, 0)), name="empty"),
        sample(floats(2, 4), pairs=((1, 2), (4, 3)), mode="wrap", name="wrap"),
        sample(ints(0, 9, 3), pairs=((0, 2),), mode="wrap", name="wrapped ints"),
        sample(floats(2, 3, 5, 4), pairs=((0, 0), (0, 0), (1, 2), (3, 0)), mode="wrap", name="wrapped image"),
        sample(floats(2, 3, 5, 4), pairs=((0, 0), (0, 0), (1, 2), (3, 0)), mode="reflect", name="reflected image"),
        sample(floats(2, 3, 4), pairs=((0, 0), (0, 0), (5, 1)), mode="edge", name="edge of a sequence"),
        sample(floats(1, 1, 2, 3, 2), pairs=((0, 0), (0, 0), (1, 0), (1, 1), (0, 1)), mode="edge", name="edge of 3d"),
        complete=_complete_pad,
    ),
    _op(
        "tile",
        (AttributeSpec("counts", "sizes"),),
        _tile_rule,
        lambda x, attributes: np.tile(x, attributes["counts"]),
        "The tensor again and again along each axis, as often as the counts say. numpy.tile, torch.Tensor.repeat.",
        sample(floats(2, 3), counts=(2, 3)),
        sample(floats(2, 3), counts=(1, 2), name="one axis"),
        sample(floats(2, 1, 2), counts=(3, 4, 1), name="size 1"),
        sample(ints(0, 9, 3), counts=(2,), name="ints"),
        sample(bools(2, 2), counts=(1, 1), name="once"),
        sample(floats(2, 3), counts=(0, 1), name="none"),
        sample(floats(0, 3), counts=(2, 2), name="empty"),
        sample(floats(), counts=(), name="scalar"),
    ),
    _op(
        "repeat",
        (AttributeSpec("count", "size"), _AXIS),
        _repeat_rule,
        lambda x, attributes: np.repeat(x, attributes["count"], attributes["axis"]),
        "Each element count times in a row along an axis. numpy.repeat, torch.repeat_interleave.",
        sample(floats(2, 3), count=2, axis=1),
        sample(floats(2, 3), count=4, axis=0, name="first axis"),
        sample(floats(2, 3, 2), count=3, axis=-2, name="negative axis"),
        sample(ints(0, 9, 3), count=2, axis=0, name="ints"),
        sample(bools(2, 2), count=1, axis=0, name="once"),
        sample(floats(2, 3), count=0, axis=1, name="none"),
        sample(floats(0, 3), count=2, axis=0, name="empty"),
    ),
)
