"""Functions of one tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Value, element, is_float
from dlc.backends.onnx.rule import Apply, Rule, Same


def select(b: Builder, condition: Value, one: Value, other: Value, dtype: str) -> Value:
    """`Where`, which ONNX Runtime lacks for bools: there it is logic."""
    if dtype != "bool":
        return b("Where", condition, one, other)
    return b("Or", b("And", condition, one), b("And", b("Not", condition), other), hint="where")


def _rounding(op: str) -> Rule:
    """`Floor` and its kin, which ONNX has for floats only; an int is its own floor. `Round` rounds halves to even."""

    def rule(b: Builder, use: Apply) -> Value:
        return b(op, use.inputs[0]) if is_float(use.types[0].dtype) else use.inputs[0]

    return rule


def _rsqrt(b: Builder, use: Apply) -> Value:
    return b("Reciprocal", b("Sqrt", use.inputs[0]))


def _square(b: Builder, use: Apply) -> Value:
    return b("Mul", use.inputs[0], use.inputs[0])


def _log1p(b: Builder, use: Apply) -> Value:
    """ONNX has none, and log(1 + x) loses a small x: log(u) * x / (u - 1) with u = 1 + x as rounded (Kahan)."""
    dtype = use.types[0].dtype

    def build(b: Builder, given: Sequence[Value]) -> Value:
        (x,) = given
        one = b.number(1.0, dtype)
        u = b("Add", x, one, hint="u")
        log = b("Log", u)
        correction = b("Div", x, b("Sub", u, one), hint="correction")
        unchanged = b("Equal", u, x, hint="huge")  # inf / inf would be NaN
        corrected = b("Where", unchanged, log, b("Mul", log, correction))
        return b("Where", b("Equal", u, one, hint="tiny"), x, corrected)

    return b.library.helper(b, "log1p", dtype, [("x", use.inputs[0])], build, "log(1 + x), exact near 0.")


def _expm1(b: Builder, use: Apply) -> Value:
    """ONNX has none, and exp(x) - 1 loses a small x; tanh(x / 2) * (exp(x) + 1) is the same and does not."""
    dtype = use.types[0].dtype

    def build(b: Builder, given: Sequence[Value]) -> Value:
        (x,) = given
        half = b("Tanh", b("Mul", x, b.number(0.5, dtype)))
        return b("Mul", half, b("Add", b("Exp", x), b.number(1.0, dtype)))

    return b.library.helper(b, "expm1", dtype, [("x", use.inputs[0])], build, "exp(x) - 1, exact near 0.")


def _clip(b: Builder, use: Apply) -> Value:
    """`Clip` keeps NaN and takes ints; its bounds are scalars of x's own type."""
    dtype = use.types[0].dtype
    low, high = (b.number(use.attributes[name], dtype, name) for name in ("low", "high"))
    return b("Clip", use.inputs[0], low, high)


def _cast(b: Builder, use: Apply) -> Value:
    """A cast between two names of one element type (`float` and `f32`) is nothing. Floats truncate towards 0."""
    source, target = use.types[0].dtype, use.attributes["dtype"]
    if element(source, b.precision) == element(target, b.precision):
        return use.inputs[0]
    return b.cast(use.inputs[0], target)


def _same(b: Builder, use: Apply) -> Value:
    return use.inputs[0]


def _against_infinity(op: str) -> Rule:
    """|x| compared with inf: false where x is NaN."""

    def rule(b: Builder, use: Apply) -> Value:
        return b(op, b("Abs", use.inputs[0], hint="size"), b.number(float("inf"), use.types[0].dtype))

    return rule


RULES: Mapping[str, Rule] = {
    "exp": Same("Exp"),
    "log": Same("Log"),
    "log1p": _log1p,
    "expm1": _expm1,
    "sqrt": Same("Sqrt"),
    "rsqrt": _rsqrt,
    "sin": Same("Sin"),
    "cos": Same("Cos"),
    "tan": Same("Tan"),
    "tanh": Same("Tanh"),
    "sigmoid": Same("Sigmoid"),
    "erf": Same("Erf"),
    "relu": Same("Relu"),
    "negative": Same("Neg"),
    "abs": Same("Abs"),
    "sign": Same("Sign"),
    "floor": _rounding("Floor"),
    "ceil": _rounding("Ceil"),
    "round": _rounding("Round"),
    "square": _square,
    "clip": _clip,
    "cast": _cast,
    "stop_gradient": _same,
    "logical_not": Same("Not"),
    "isnan": Same("IsNaN"),
    "isinf": _against_infinity("Equal"),
    "isfinite": _against_infinity("Less"),
}
