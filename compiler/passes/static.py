"""Compile-time arithmetic on constants and sizes, with limits so that no spec can hang the compiler."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from dlc import dims
from dlc.diagnostics import DlcError, error
from dlc.dims import Dim
from dlc.spec.source import Span

MAX_BITS = 4096
MAX_LIST = 100_000
MAX_TEXT = 100_000
MAX_TERMS = 256  # of a dynamic size
#: Of sizes, axes and bounds: sums of two still are 64-bit integers.
MAX_SIZE = 2**61

_SIZES: dict[str, Callable[[dims.Size, dims.Size], dims.Size]] = {
    "+": dims.add,
    "-": dims.subtract,
    "*": dims.multiply,
    "//": dims.floor_divide,
    "%": dims.modulo,
}

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
}

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "is": lambda a, b: a is b,
    "is not": lambda a, b: a is not b,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}

#: Functions of constants. `sqrt(width)` is computed by the compiler.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "maximum": max,
    "min": min,
    "minimum": min,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "sum": sum,
    "tanh": math.tanh,
}


def binary(op: str, left: object, right: object, span: Span) -> object:
    """`left op right` for constants and sizes. Raises DlcError (E05xx)."""
    if isinstance(left, Dim) or isinstance(right, Dim):
        return _size_operation(op, left, right, span)
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    texts = op == "+" and isinstance(left, str) and isinstance(right, str)
    whole = isinstance(left, int) and isinstance(right, int)
    fits = op in _NUMBERS and (whole or op not in ("&", "|"))
    if not (fits and (numbers or texts or op in ("and", "or"))):
        raise error("E0502", f"`{op}` does not fit these constants", span, found=f"{_kind(left)} {op} {_kind(right)}")
    if op in ("**", "*") and isinstance(left, int) and isinstance(right, int):
        _check_growth(op, left, right, span)
    try:
        value = _NUMBERS[op](left, right)
    except ZeroDivisionError:
        raise error("E0504", "division by 0", span) from None
    except OverflowError:
        raise error("E0505", "this number is too large", span, found=f"the result of `{op}`") from None
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise error("E0505", "this text is too long", span, expected=f"at most {MAX_TEXT:,} characters")
    if isinstance(value, complex):
        raise error("E0502", "this power is no real number", span, found=f"{left} ** {right}")
    return value


def compare(op: str, left: object, right: object, span: Span) -> bool:
    """`left op right`. Raises DlcError: a dynamic dimension can't be compared, nor can unlike kinds be ordered."""
    if isinstance(left, Dim) or isinstance(right, Dim):
        if op in ("is", "is not"):
            return op == "is not"
        dynamic = left if isinstance(left, Dim) else right
        raise error(
            "E0503",
            "a dynamic dimension can't decide at compile time",
            span,
            found=f"`{dynamic}`, known only when the network runs",
            expected="a constant",
            hint="give the dimension a size at the border (`F = 1433`), or choose between tensors with `where`",
        )
    try:
        return _COMPARISONS[op](left, right)
    except TypeError:
        raise error(
            "E0502", f"`{op}` does not fit these constants", span, found=f"{_kind(left)} {op} {_kind(right)}"
        ) from None


def function(name: str, arguments: Sequence[Any], span: Span) -> object:
    """A function of constants, by name. Raises DlcError where an argument is outside of its domain."""
    try:
        return FUNCTIONS[name](*arguments)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError) as problem:
        shown = ", ".join(map(str, arguments))
        raise error(
            "E0502", f"`{name}` can't take these constants", span, found=f"{name}({shown}): {problem}"
        ) from None


def check_length(length: int, span: Span) -> None:
    """Raises DlcError for a list that would be longer than the compiler makes."""
    if length > MAX_LIST:
        raise error(
            "E0506", "this list is too long", span, found=f"{length} items", expected=f"at most {MAX_LIST:,} items"
        )


def _size_operation(op: str, left: object, right: object, span: Span) -> object:
    if op == "**" and isinstance(left, Dim) and type(right) is int and 0 <= right <= 8:
        power: dims.Size = 1
        for _ in range(right):
            power = _checked_size("*", power, left, span)
        return power
    known = op in _SIZES and isinstance(left, int | Dim) and isinstance(right, int | Dim)
    if not known:
        raise error(
            "E0503",
            f"`{op}` on a dynamic dimension gives no size",
            span,
            found=f"{_kind(left)} {op} {_kind(right)}",
            expected="+ - * // % between integers",
        )
    assert isinstance(left, int | Dim)
    assert isinstance(right, int | Dim)
    return _checked_size(op, left, right, span)


def _checked_size(op: str, left: dims.Size, right: dims.Size, span: Span) -> dims.Size:
    """Sizes stay small enough to work with. Raises DlcError E0504, E0505."""
    counts = [len(size.terms) if isinstance(size, Dim) else 1 for size in (left, right)]
    numbers = [factor for size in (left, right) if isinstance(size, Dim) for _, factor in size.terms]
    numbers += [size for size in (left, right) if isinstance(size, int)]
    if (op == "*" and counts[0] * counts[1] > MAX_TERMS) or max(counts) > MAX_TERMS:
        raise error("E0505", "this size has too many terms", span, expected=f"at most {MAX_TERMS}")
    if max(abs(number).bit_length() for number in numbers) > MAX_BITS:
        raise error("E0505", "this number is too large", span, expected=f"at most {MAX_BITS} bits")
    try:
        found = _SIZES[op](left, right)
    except ZeroDivisionError:
        raise error("E0504", "division by 0", span) from None
    check_size(found, span)
    return found


def check_size(size: object, span: Span) -> None:
    """Raises DlcError E0505 for a size that no machine integer holds, also within a tuple; others are fine."""
    match size:
        case int() if abs(size) > MAX_SIZE:
            raise error("E0505", "this number is too large", span, expected=f"at most {MAX_SIZE}")
        case Dim(terms=terms):
            for _, factor in terms:
                check_size(factor, span)
        case tuple():
            parts: tuple[object, ...] = size
            for part in parts:
                check_size(part, span)
        case _:
            return


def as_float(value: float, span: Span) -> float:
    """An integer or float as a float. Raises DlcError E0505 where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        raise error("E0505", "this number is too large", span, expected="at most about 1.8e308") from None


def _check_growth(op: str, left: int, right: int, span: Span) -> None:
    bits = left.bit_length() * right if op == "**" else left.bit_length() + right.bit_length()
    if right > 0 and bits > MAX_BITS:
        raise error(
            "E0505", "this number is too large", span, found=f"about {bits} bits", expected=f"at most {MAX_BITS} bits"
        )


def _kind(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "a truth value"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a text"
        case Dim():
            return f"the dynamic dimension {value}"
        case _:
            return "a list"


__all__ = ["FUNCTIONS", "DlcError", "binary", "check_length", "compare", "function"]
