"""Which ops give results without an entry of -inf, whatever the inputs and parameters hold.

Provable is little, on purpose: inputs and parameters may hold infinities, and sums and products of finite numbers
overflow to them, so nothing is known of the result of a `dense`, a `matmul`, an `add`. Known are results of functions
that are bounded below (`tanh`, `relu`, `exp`, ...; NaN is no -inf), constants, `maximum` with something known, and what
only moves or chooses entries that are known. Left out, because they can give -inf: `rsqrt` and division (of -0.0),
casts of numbers (to f16), reductions, padding, pools (a dilated window may hold padding alone).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_BOUNDED = frozenset(
    [
        "tanh",
        "sigmoid",
        "erf",
        "sin",
        "cos",
        "exp",
        "relu",
        "abs",
        "square",
        "sqrt",
        "softmax",
        "segment_softmax",
        "one_hot",
    ]
)
_MOVING = frozenset(
    [
        "reshape",
        "expand_dims",
        "squeeze",
        "transpose",
        "broadcast_to",
        "flip",
        "roll",
        "slice",
        "gather",
        "take_along_axis",
        "concat",
        "stack",
        "split",
        "unstack",
        "stop_gradient",
        "minimum",
    ]
)
#: Operands that only choose among others.
_INDICES = {"gather": 1, "take_along_axis": 1}


def gives_above(op: str, attributes: Mapping[str, object], operands: Sequence[bool], from_bool: bool) -> bool:
    """True if no entry of the results can be -inf.

    `attributes`: plain values; what is no number counts as unknown. `operands`: the same of each operand. `from_bool`:
    the first operand is a bool.
    """
    match op:
        case op if op in _BOUNDED:
            return True
        case "constant":
            return _number(attributes["value"])
        case "clip":
            return _number(attributes["low"])
        case "cast":
            return from_bool
        case "maximum":
            return any(operands)
        case "where":
            return all(operands[1:])
        case op if op in _MOVING:
            return all(operands[: _INDICES.get(op)])
        case _:
            return False


def _number(value: object) -> bool:
    """True for a number above -inf."""
    return isinstance(value, int | float) and value > float("-inf")
