"""Hyperparameters that decide on how long a list of tensors is, or which of its entries is meant.

`[k] * (heads // groups)` is printed as so many entries, `levels[depth]` as the entry that it is: modules have no trace
of what decided. So this looks at the block's text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlc.backends.common.evaluate import free_names
from dlc.ir import Bind, Module
from dlc.spec.record import names_of
from dlc.spec.syntax import Assign, Binary, Block, Constant, Expr, For, Index, ListLiteral, Name, Slice


def deciding(block: Block | None, module: Module) -> frozenset[str]:
    """The module's hyperparameters and dimensions behind lengths and places; no variables of loops."""
    if block is None:
        return frozenset()
    targets = (equation.target for equation in module.body)
    lists = {one.name for one in targets if isinstance(one, Bind) and isinstance(one.content, tuple)}
    nodes = list(_nodes(block.body))
    found = {name for node in nodes for name in _names(node, lists)}
    if not found:
        return frozenset()
    made = {name: node.value for node in nodes if isinstance(node, Assign) for name in node.targets}
    loops = {name for node in nodes if isinstance(node, For) for name in node.targets}
    known = {name for name, _ in (*module.hyperparameters, *module.dims)}
    return frozenset(_behind(found - loops, made) & known)


def behind(block: Block | None, module: Module, names: frozenset[str]) -> frozenset[str]:
    """The names, and those that local names among them come from: `sizes` for `tables = [dense(n) for n in sizes]`.

    Tensors are left alone: what their sizes depend on is told elsewhere.
    """
    nodes = [] if block is None else list(_nodes(block.body))
    targets = (equation.target for equation in module.body)
    tensors = {one.name for one in targets if isinstance(one, Bind) and isinstance(one.content, int)}
    made = {name: one.value for one in nodes if isinstance(one, Assign) for name in one.targets if name not in tensors}
    return frozenset(_behind({*names}, made))


def _names(node: object, lists: set[str]) -> Iterator[str]:
    match node:
        case Binary("*", ListLiteral(items), count) | Binary("*", count, ListLiteral(items)):
            if not all(isinstance(item, Constant) for item in items):
                yield from free_names(count)
        case Index(Name(word), items) if word in lists:
            for item in items:
                parts = (item.start, item.stop, item.step) if isinstance(item, Slice) else (item,)
                for part in parts:
                    if isinstance(part, Expr):
                        yield from free_names(part)
        case _:
            return


def _behind(names: set[str], made: Mapping[str, Expr]) -> set[str]:
    """The names, and those that local names among them come from."""
    found: set[str] = set()
    due = list(names)
    while due:
        name = due.pop()
        if name not in found:
            found.add(name)
            due += free_names(made[name]) if name in made else ()
    return found


def _nodes(node: object) -> Iterator[object]:
    """Everything in a tree."""
    if isinstance(node, tuple):
        for item in node:  # pyright: ignore[reportUnknownVariableType]
            yield from _nodes(item)  # pyright: ignore[reportUnknownArgumentType]
    elif hasattr(node, "__match_args__"):
        yield node
        for name in names_of(node):
            if name != "span":
                yield from _nodes(getattr(node, name))
