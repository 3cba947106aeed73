"""Where the sizes of convolutions' and pools' results come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from dlc.backends.common.size_arithmetic import minus, over, plus, simplified, times
from dlc.backends.common.size_rule import Axes, Rule, Shape
from dlc.ir import Equation
from dlc.spec.syntax import Constant, Expr, ListLiteral


def spatial(rule: Rule) -> Rule:
    """In the spec's order of axes: a backend may have marked data as `[N, *S, C]`, weights as `[*K, I, O]`."""

    def apply(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
        marks = {name for name, _ in equation.attributes}
        data, *weights = operands
        if "channels_last" in marks:
            data = (data[0], data[-1], *data[1:-1])
        if "kernel" in marks:
            weights = [(axes[-1], axes[-2], *axes[:-2]) for axes in weights]
        found = rule(equation, [data, *weights], sizes, shape)
        return (found[0], *found[2:], found[1]) if "channels_last" in marks else found

    return apply


def conv(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    places = [_window(equation, operands[0][i + 2], operands[1][i + 2], i) for i in range(len(shape) - 2)]
    return (operands[0][0], operands[1][0], *places)


def conv_transpose(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    places = [_adjoint(equation, operands[0][i + 2], operands[1][i + 2], i) for i in range(len(shape) - 2)]
    return (operands[0][0], operands[1][1], *places)


def pool(equation: Equation, operands: Sequence[Axes], sizes: Sequence[Shape], shape: Shape) -> Axes:
    kernels = [_entry(equation, "kernel", i) for i in range(len(shape) - 2)]
    places = [_window(equation, operands[0][i + 2], kernel, i) for i, kernel in enumerate(kernels)]
    return (*operands[0][:2], *places)


def _entry(equation: Equation, name: str, axis: int) -> Expr | None:
    """The source of an attribute that is a number, or one per spatial axis; a plain number if it has none."""
    if name not in (word for word, _ in equation.attributes):
        return Constant(1 if name in ("stride", "dilation") else 0)
    static = equation.static(name)
    if isinstance(static.value, tuple):
        value = cast("tuple[object, ...]", static.value)[axis]
        source = static.source.items[axis] if isinstance(static.source, ListLiteral) else None
    else:
        value, source = static.value, static.source
    return simplified(source) if source is not None else Constant(value) if isinstance(value, int) else None


def _border(equation: Equation, axis: int) -> Expr | None:
    """Both ends' padding together."""
    match _entry(equation, "padding", axis):
        case ListLiteral((low, high)):
            return times(Constant(2), low) if low == high else plus(low, high)
        case None:
            return None
        case both:
            return times(Constant(2), both)


def _window(equation: Equation, size: Expr | None, kernel: Expr | None, axis: int) -> Expr | None:
    """(size + 2 padding - dilation (kernel - 1) - 1) // stride + 1, as far as it can be worked out."""
    stride, dilation = (_entry(equation, word, axis) for word in ("stride", "dilation"))
    given = [size, kernel, stride, _border(equation, axis), dilation]
    if any(one is None for one in given):
        return None
    s, k, t, p, d = (cast(Expr, one) for one in given)
    reach = minus(plus(s, p), times(d, minus(k, Constant(1))))
    return plus(over(minus(reach, Constant(1)), t), Constant(1))


def _adjoint(equation: Equation, size: Expr | None, kernel: Expr | None, axis: int) -> Expr | None:
    """(size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1."""
    stride, dilation, extra = (_entry(equation, word, axis) for word in ("stride", "dilation", "output_padding"))
    given = [size, kernel, stride, _border(equation, axis), dilation, extra]
    if any(one is None for one in given):
        return None
    s, k, t, p, d, o = (cast(Expr, one) for one in given)
    grown = plus(minus(times(minus(s, Constant(1)), t), p), times(d, minus(k, Constant(1))))
    return plus(plus(grown, o), Constant(1))
