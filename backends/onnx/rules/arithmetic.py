"""Functions of two tensors. ONNX broadcasts as NumPy does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Value, is_float
from dlc.backends.onnx.rule import Apply, Rule, Same


def _signed_rest(b: Builder, x: Value, y: Value, dtype: str) -> tuple[Value, Value]:
    """C's remainder, which has x's sign, and whether that is not 0 and not y's sign."""
    zero = b.number(0.0, dtype)
    rest = b("Mod", x, y, hint="rest", fmod=1)
    opposite = b("Xor", b("Less", rest, zero), b("Less", y, zero), hint="opposite")
    inexact = b("Not", b("Equal", rest, zero), hint="inexact")
    return rest, b("And", inexact, opposite, hint="turned")


def _floor_divide(b: Builder, use: Apply) -> Value:
    """Integer `Div` truncates, but `Mod` has the divisor's sign. Floats as NumPy: by way of the exact remainder, since
    floor(a / b) is one too high where a / b rounds up (1.0 // 0.1 is 9)."""
    x, y = use.inputs
    dtype = use.types[0].dtype
    if not is_float(dtype):
        return b("Div", b("Sub", x, b("Mod", x, y, hint="rest"), hint="whole"), y)

    def build(b: Builder, given: Sequence[Value]) -> Value:
        x, y = given
        rest, turned = _signed_rest(b, x, y, dtype)
        whole = b("Round", b("Div", b("Sub", x, rest, hint="whole"), y))
        floor = b("Where", turned, b("Sub", whole, b.number(1.0, dtype), hint="below"), whole, hint="floor")
        return b("Where", b("Equal", y, b.number(0.0, dtype), hint="by_zero"), b("Div", x, y), floor)

    doc = "The largest integer <= a / b; by 0 it is a / b."
    return b.library.helper(b, "floor_divide", dtype, [("a", x), ("b", y)], build, doc)


def _remainder(b: Builder, use: Apply) -> Value:
    """`Mod` of floats has the dividend's sign, the language's remainder the divisor's."""
    x, y = use.inputs
    dtype = use.types[0].dtype
    if not is_float(dtype):
        return b("Mod", x, y)

    def build(b: Builder, given: Sequence[Value]) -> Value:
        x, y = given
        rest, turned = _signed_rest(b, x, y, dtype)
        return b("Where", turned, b("Add", rest, y), rest)

    doc = "a - b * floor(a / b), with the sign of b."
    return b.library.helper(b, "remainder", dtype, [("a", x), ("b", y)], build, doc)


RULES: Mapping[str, Rule] = {
    "add": Same("Add"),
    "subtract": Same("Sub"),
    "multiply": Same("Mul"),
    "divide": Same("Div"),
    "maximum": Same("Max"),  # NaN if either is
    "minimum": Same("Min"),
    "power": Same("Pow"),  # of ints by way of doubles in ONNX Runtime: exact below 2 ** 53
    "floor_divide": _floor_divide,
    "remainder": _remainder,
}
