"""Buffers whose old value is still needed when the next one is stored.

A module sees its buffers as they stood when it was called (see `dlc.ir.Module`); Python code that stores a buffer in
the middle of a body would read the new value after that, also through a name that stands for the buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dlc.backends.common.form import Bind, Branch, Form, Loop, Own, Ref, Store
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.reading import used
from dlc.ir import Call, Module, Read, Scan


def is_stored(callee: Callable[[str], Module], module: Module, read: Read) -> bool:
    """Whether a call of the instance that `module` reads from may store what is read."""
    return _stores(callee, module, read.instance, read.parameter)


def _stores(callee: Callable[[str], Module], module: Module, instance: int, path: str) -> bool:
    targets = [equation.target for equation in module.body]
    for key in {one.module for one in targets if isinstance(one, Call | Scan) and one.instance == instance}:
        found = callee(key)
        if any(port.name == path for port in found.next_buffers):
            return True
        for index, inner in enumerate(found.instances):
            below = path.removeprefix(f"{inner.path}.")
            if below != path and _stores(callee, found, index, below):
                return True
    return False


def overwritten(form: Form) -> list[str]:
    """Their names, in the order in which they are met."""
    walk = _Walk()
    walk.sequence(form.body)
    for _, ref in (*form.outputs, *form.next_states):
        walk.read(ref)
    return list(walk.found)


@dataclass(slots=True)
class _Walk:
    """What has happened on the way to a place: buffers stored, and buffers that a name stands for."""

    stored: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    found: dict[str, None] = field(default_factory=dict[str, None])

    def sequence(self, nodes: Nodes) -> None:
        for node in nodes:
            for ref in used(node):
                self.read(ref)
            match node:
                case Bind(name=name, content=Own(word)) if name != word:
                    self.named |= {word}
                case Store(name=name):
                    if name in self.named:
                        self.found[name] = None
                    self.stored |= {name}
                case Loop(body=body):
                    self.sequence(body)
                    self.sequence(body)  # what a turn stores, the next one reads
                case Branch(arms=arms):
                    self.arms([arm for arm in arms if arm is not None])
                case _:
                    pass

    def arms(self, arms: list[Nodes]) -> None:
        """Only one of them is gone through."""
        before = self.stored, self.named
        after = [before]
        for arm in arms:
            self.stored, self.named = before
            self.sequence(arm)
            after.append((self.stored, self.named))
        self.stored = frozenset[str]().union(*(stored for stored, _ in after))
        self.named = frozenset[str]().union(*(named for _, named in after))

    def read(self, ref: Ref) -> None:
        if isinstance(ref, Own) and ref.name in self.stored:
            self.found[ref.name] = None
