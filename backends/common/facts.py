"""What is known of a value whatever the inputs and parameters hold: that none of its entries is -inf.

A softmax over nothing but -inf is 0 in the language and NaN in the frameworks, so generated files carry a small helper
that tells; where the operand provably holds no -inf, the framework's own function is printed.

`bounded.py` says which ops give such results. A name is followed where it is bound once.
"""

from __future__ import annotations

from dlc.backends.common.bounded import gives_above
from dlc.backends.common.form import Bind, Form, Known, Ref, Run, Spread, Temp, Var, walk


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
        attributes = {name: value.value if isinstance(value, Known) else None for name, value in node.attributes}
        operands = [self.above(operand) for operand in node.operands]
        return gives_above(node.op, attributes, operands, bool(node.types) and node.types[0].dtype == "bool")
