"""Hints that compute: how a call of an op whose sizes do not fit is mended.

Each takes the operands' types and the attributes as given, and says nothing where it is not sure. The ops themselves
only say what is wrong (`OpError`); here is what a person would try next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlc import dims
from dlc.dims import Size
from dlc.ir import TensorType

Rule = Callable[[Sequence[TensorType], Mapping[str, Any]], "str | None"]
MOST_DIVISORS = 12


def hint(name: str, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    """What would fit, or None."""
    rule = _RULES.get(name)
    return rule(types, attributes) if rule is not None else None


def divisors(number: int) -> str:
    """`1, 2, 4 and 8 divide 8`: those of a size, the largest ones where they are many."""
    found = [part for part in range(1, number + 1) if number % part == 0]
    shown = [str(part) for part in found[-MOST_DIVISORS:]]
    if len(shown) == 1:
        return f"1 divides {number}"
    return f"{', '.join(shown[:-1])} and {shown[-1]} divide {number}"


def does_not_divide(word: str, part: int, size: Size) -> str | None:
    """`groups = 3 does not divide 64; 1, 2, ... divide 64`; None where it does, or the size has no number."""
    if not isinstance(size, int) or not 0 < size <= 10**6 or part < 1 or size % part == 0:
        return None
    return f"{word} = {part} does not divide {size}; {divisors(size)}"


def _groups(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    groups = attributes.get("groups", 1)
    if not isinstance(groups, int) or len(types) < 2:
        return None
    sizes = (types[0].shape[1], types[1].shape[0]) if types[0].rank > 1 and types[1].rank > 0 else ()
    told = (does_not_divide("groups", groups, size) for size in sizes)
    return next((text for text in told if text is not None), None)


def _conv(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    kernel = types[1].shape[2:] if len(types) > 1 else ()
    return _groups(types, attributes) or _window(types[0], kernel, attributes)


def _pool(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    kernel = attributes.get("kernel", ())
    rank = types[0].rank - 2
    return _window(types[0], (kernel,) * rank if isinstance(kernel, int) else kernel, attributes)


def _window(x: TensorType, kernel: Sequence[Any], attributes: Mapping[str, Any]) -> str | None:
    """A window that is wider than what it goes over."""
    dilation = attributes.get("dilation", 1)
    steps = [dilation] * len(kernel) if isinstance(dilation, int) else list(dilation)
    for size, width, step in zip(x.shape[2:], kernel, steps, strict=False):
        if not isinstance(size, int) or not isinstance(width, int):
            continue
        reach = step * (width - 1) + 1
        if reach > size > 0:
            return f"a kernel of at most {(size - 1) // step + 1}, or padding={(reach - size + 1) // 2}, fits"
        if size == 0:
            return "nothing is left to go over: the layers before make the image smaller than this network needs"
    return None


def _broadcast(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    """Two values that are added, where a projection would make them one shape."""
    del attributes
    if len(types) != 2:
        return None
    (left, right) = (kind.shape for kind in types)
    if len(left) != len(right) or len(left) < 2 or left[0] != right[0]:
        return None
    if len(left) in (3, 4, 5):
        return _projection(left, right)
    if left[:-1] == right[:-1] and isinstance(right[-1], int):
        return f"where a residual is meant, `dense({right[-1]})` on the first makes both {_shape(right)}"
    return None


def _projection(left: Sequence[Size], right: Sequence[Size]) -> str | None:
    """`conv2d(64, 1, stride=2)`: the convolution that brings a residual's input to the shape of what is added."""
    channels, strides = right[1], set[int]()
    for before, after in zip(left[2:], right[2:], strict=True):
        if before == after:
            strides.add(1)
        elif isinstance(before, int) and isinstance(after, int) and after > 0:
            stride = -(-before // after)
            if (before - 1) // stride + 1 != after:
                return None
            strides.add(stride)
        else:
            return None
    if not isinstance(channels, int) or len(strides) != 1:
        return None
    (stride,) = strides
    step = "" if stride == 1 else f", stride={stride}"
    call = f"conv{len(left) - 2}d({channels}, 1{step})"
    return f"where a residual is meant, `{call}` on the first makes both {_shape(right)}"


def _matmul(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    del attributes
    left, right = (kind.shape for kind in types)
    if len(left) < 1 or len(right) < 2 or left[-1] != right[-1]:
        return None
    if len(right) == 2:
        return "the last axes are equal: `x @ transpose(y)` sums over them"
    return "the last axes are equal: transpose the second, or sum over them by `einsum`"


def _reshape(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    """`reshape(x, [N, 3136])` of [N, 64, 5, 5]."""
    shape, old = attributes.get("shape"), types[0].shape
    if not isinstance(shape, list | tuple) or len(shape) != 2 or len(old) < 2 or shape[0] != old[0]:
        return None
    return f"[{old[0]}, {dims.product(old[1:])}] fits; `flatten` does it without numbers"


def _concat(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    """The one axis along which the shapes differ."""
    del attributes
    ranks = {kind.rank for kind in types}
    if len(types) < 2 or len(ranks) != 1:
        return None
    differ = [axis for axis in range(ranks.pop()) if len({kind.shape[axis] for kind in types}) > 1]
    return f"they differ along axis {differ[0]}: `axis={differ[0]}` joins them" if len(differ) == 1 else None


def _stack(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    found = _concat(types, attributes)
    return None if found is None else found.replace("`axis", "`concat` with `axis")


def _reduction(types: Sequence[TensorType], attributes: Mapping[str, Any]) -> str | None:
    """`mean(x, 2, 3)`: the axes are one list."""
    del types
    axis, keepdims = attributes.get("axis"), attributes.get("keepdims")
    if not isinstance(axis, int) or not isinstance(keepdims, int) or isinstance(keepdims, bool):
        return None
    return f"several axes are one list: `axis=[{axis}, {keepdims}]`"


def _shape(shape: Sequence[Size]) -> str:
    return f"[{', '.join(map(str, shape))}]"


_RULES: dict[str, Rule] = {
    "conv": _conv,
    "conv_transpose": _groups,
    "max_pool": _pool,
    "avg_pool": _pool,
    "add": _broadcast,
    "matmul": _matmul,
    **dict.fromkeys(("mean", "sum", "max", "min", "prod", "variance"), _reduction),
    "reshape": _reshape,
    "concat": _concat,
    "stack": _stack,
}
