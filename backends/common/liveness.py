"""What of a Form's body is worth printing: nothing computes what nobody reads."""

from __future__ import annotations

from dlc.backends.common.evaluate import free_names
from dlc.backends.common.form import (
    Bind,
    Branch,
    Element,
    Form,
    Invoke,
    Loop,
    Make,
    Node,
    Ref,
    Step,
    Store,
    Temp,
    Var,
    walk,
)
from dlc.backends.common.reading import used


class Live:
    """Names and results that something reads, all places of the body taken together."""

    def __init__(self, form: Form):
        self.names: set[str] = set()
        self.temps: set[int] = set()
        for _, ref in (*form.outputs, *form.next_states):
            self._read(ref)
        for node in walk(form.body):
            if isinstance(node, Branch):
                self.names |= {name for test in node.tests for name in free_names(test)}
        nodes = list(walk(form.body))
        size = -1
        while size != len(self.names) + len(self.temps):
            size = len(self.names) + len(self.temps)
            for node in reversed(nodes):
                if self.keeps(node):
                    for ref in used(node):
                        self._read(ref)

    def keeps(self, node: Node) -> bool:
        match node:
            case Store() | Invoke() | Step() | Loop() | Branch() | Make():
                return True
            case Bind():
                return node.name in self.names
            case _:
                return any(temp in self.temps for temp in node.results)

    def _read(self, ref: Ref) -> None:
        match ref:
            case Var(name) | Element(name, _):
                self.names.add(name)
            case Temp(id):
                self.temps.add(id)
            case _:
                return
