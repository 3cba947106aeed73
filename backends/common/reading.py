"""What nodes of a form read."""

from __future__ import annotations

from collections.abc import Iterator

from dlc.backends.common.evaluate import free_names
from dlc.backends.common.form import (
    Bind,
    Extent,
    Invoke,
    Items,
    Listing,
    Loop,
    Node,
    Ref,
    Reference,
    Run,
    Spread,
    Step,
    Store,
    Temp,
    Value,
    Var,
)


def used(node: Node) -> Iterator[Ref]:
    """The references that a node itself reads."""
    match node:
        case Run():
            yield from (_spread(item) if isinstance(item, Spread) else item for item in node.operands)
            yield from (Var(word) for _, value in node.attributes for word in _measured(value))
        case Invoke():
            yield from (ref for _, ref in node.inputs if ref is not None)
            yield from node.states
        case Step():
            yield from (*node.scanned, *node.captured, *node.states)
            if node.lengths is not None:
                yield node.lengths
        case Bind():
            yield from _inside(node.content)
        case Store():
            yield node.value
        case Loop():
            yield from (Var(word) for _, source in node.lists for word in free_names(source))
        case _:
            return


def _measured(value: Value) -> Iterator[str]:
    """The variables whose sizes a value reads."""
    match value:
        case Extent(source):
            yield from (word.rsplit(".", 1)[0] for word in free_names(source) if "." in word)
        case Items(items):
            for item in items:
                yield from _measured(item)
        case _:
            return


def _spread(item: Spread) -> Ref:
    return Var(item.source) if isinstance(item.source, str) else Temp(item.source)


def _inside(content: Reference | Spread) -> Iterator[Ref]:
    match content:
        case Listing(items):
            for item in items:
                yield from _inside(item)
        case Spread():
            yield _spread(content)
        case None:
            return
        case _:
            yield content


__all__ = ["used"]
