"""Paddings given as a word: `"same"`, of conv, conv_transpose and the pools."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.dims import Size
from dlc.ir import TensorType
from dlc.ops.api import Attributes, OpError
from dlc.ops.windows import extent

SAME = "same"


def complete_window(
    types: Sequence[TensorType], attributes: Attributes, kernel: Sequence[Size], what: str
) -> Attributes:
    """`padding="same"` as pairs: ceil(size / stride) windows, the odd zero at the end. tf.nn.convolution, SAME; with a
    stride of 1 PyTorch's, too. Raises OpError where the stride is larger and the size is dynamic."""
    if attributes["padding"] != SAME:
        return {}
    rows = _rows(types, attributes, kernel)
    return {"padding": tuple(_halves(_missing(what, types[0], *row)) for row in rows)}


def complete_transposed(types: Sequence[TensorType], attributes: Attributes) -> Attributes:
    """`padding="same"` as pairs: size * stride results. Raises OpError where the kernel is shorter than a stride."""
    if attributes["padding"] != SAME:
        return {}
    pairs: list[tuple[int, int]] = []
    for _, reach, stride in _rows(types, attributes, types[1].shape[2:]):
        if reach < stride:
            raise OpError(
                f'conv_transpose\'s padding "same" needs a kernel that reaches over the stride, {stride}',
                found=f"a reach of {reach}",
                expected=f"at least {stride}",
            )
        pairs.append(_halves(reach - stride))
    return {"padding": tuple(pairs)}


def _rows(types: Sequence[TensorType], attributes: Attributes, kernel: Sequence[Size]) -> list[tuple[int, int, int]]:
    """(axis, reach, stride) of each spatial axis; none where the kernel has another rank, which `infer` refuses."""
    stride = attributes["stride"]
    dilation = attributes.get("dilation", (1,) * len(stride))
    if len(kernel) != len(stride):
        return []
    rows: list[tuple[int, int, int]] = []
    for axis, (size, step, gap) in enumerate(zip(kernel, stride, dilation, strict=True)):
        reach = extent(size, gap)
        if not isinstance(reach, int):
            raise OpError('padding "same" needs a kernel of known size', found=str(size), expected="an integer")
        rows.append((axis + 2, reach, max(step, 1)))
    return rows


def _missing(what: str, x: TensorType, axis: int, reach: int, stride: int) -> int:
    """How many zeros an axis needs."""
    size = x.shape[axis]
    if stride == 1:
        return reach - 1
    if not isinstance(size, int):
        raise OpError(
            f'{what}\'s padding "same" with a stride of {stride} depends on the size of axis {axis}, {size}',
            found=f"{x}, of any size along it",
            expected="a known size, or a padding in numbers",
            operand=0,
        )
    return max((-(-size // stride) - 1) * stride + reach - size, 0)


def _halves(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2
