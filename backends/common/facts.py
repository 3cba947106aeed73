"""What is known of a value whatever the inputs and parameters hold: that none of its entries is -inf.

A softmax over nothing but -inf is 0 in the language and NaN in the frameworks, so generated files carry a small helper
that tells; where the operand provably holds no -inf, the framework's own function is printed.

Provable is little, on purpose: inputs and parameters may hold infinities, and sums and products of finite numbers
overflow to them, so nothing is known of the result of a `dense`, a `matmul`, an `add`. Known are results of functions
that are bounded below (`tanh`, `relu`, `exp`, ...; NaN is no -inf), constants, `maximum` with something known, and what
only moves or chooses entries that are known. A name is followed where it is bound once. Left out, because they can give
-inf: `rsqrt` and division (of -0.0), casts of numbers (to f16), reductions, padding.
"""

from __future__ import annotations

from dlc.backends.common.form import Bind, Form, Known, Ref, Run, Spread, Temp, Value, Var, walk

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


class Facts:
    """Of one Form."""

    def __init__(self, form: Form):
        self.makers: dict[int, Run] = {}
        bound: dict[str, list[object]] = {}
        for node in walk(form.body):
            if isinstance(node, Run):
                self.makers.update(dict.fromkeys(node.results, node))
            if isinstance(node, Bind):
                bound.setdefault(node.name, []).append(node.content)
        own = {*(name for name, _ in form.inputs), *form.states, *(weight.name for weight in form.weights)}
        self.names = {name: one[0] for name, one in bound.items() if len(one) == 1 and name not in own}
        self.known: dict[int, bool] = {}

    def above(self, ref: Ref | Spread) -> bool:
        """True if no entry can be -inf."""
        match ref:
            case Temp(id) if id in self.makers:
                if id not in self.known:
                    self.known[id] = False  # what is met on the way to itself is not known
                    self.known[id] = self._result(self.makers[id])
                return self.known[id]
            case Var(name) if isinstance(self.names.get(name), Temp):
                return self.above(Temp(self.names[name].id))  # type: ignore[attr-defined]
            case _:
                return False

    def _result(self, node: Run) -> bool:
        attributes = dict(node.attributes)
        match node.op:
            case op if op in _BOUNDED:
                return True
            case "constant":
                return _number(attributes["value"])
            case "clip":
                return _number(attributes["low"])
            case "cast":
                return node.types[0].dtype == "bool"
            case "maximum":
                return any(map(self.above, node.operands))
            case "where":
                return all(map(self.above, node.operands[1:]))
            case op if op in _MOVING:
                return all(map(self.above, node.operands[: _INDICES.get(op)]))
            case _:
                return False


def _number(value: Value) -> bool:
    """True for a number above -inf."""
    known = value.value if isinstance(value, Known) else None
    return isinstance(known, int | float) and known > float("-inf")
