"""Numbers that a name may stand for as plain numbers: `total = 0.0` before the loop that adds tensors to it."""

from __future__ import annotations

from dlc.backends.common.form import Bind, Branch, Loop, Node, Run, Sequence, Var
from dlc.backends.common.reading import used

#: Ops that take a Python number beside a tensor.
_BESIDE = frozenset({"add", "subtract", "multiply", "divide"})


def is_plain(start: Bind, rest: Sequence) -> bool:
    """True if `rest` binds the name anew, and until then only arithmetic with other tensors reads it."""
    return _met(rest, start) is True


def _met(body: Sequence, start: Bind) -> bool | None:
    """True where the name is bound anew, False where it is read as a tensor before that, None if neither."""
    for node in body:
        if not _reads_well(node, start):
            return False
        if isinstance(node, Bind) and node.name == start.name:
            return True
        inner = (node.body,) if isinstance(node, Loop) else node.arms if isinstance(node, Branch) else ()
        found = [_met(one or (), start) for one in inner]
        if False in found:
            return False
        if found and all(found):
            return True
    return None


def _reads_well(node: Node, start: Bind) -> bool:
    if not isinstance(node, Run):
        return Var(start.name) not in used(node)
    read = [ref == Var(start.name) for ref in node.operands]
    return not any(read) or (node.op in _BESIDE and not all(read))
