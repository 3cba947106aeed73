"""The header of a loop, taken apart: what counts at compile time, and the lists of tensors gone over beside it.

`for level, skip in zip(reversed(range(levels)), reversed(skips))` counts `level in reversed(range(levels))`; `skip`
goes over the list `reversed(skips)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from dlc.backends.common.evaluate import Environment, Unknown, evaluate
from dlc.backends.common.structure import Item, Leaf, LoopTree, Tree
from dlc.ir import Content, Loop
from dlc.spec.syntax import Call, Expr, Name

Lists = tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Header:
    """`iterable` is None where the loop only counts its turns; `lists`: targets that stand for a list's entries."""

    targets: tuple[str, ...]
    iterable: Expr | None
    lists: Lists = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor as an entry of a list."""

    value: int


def split(loop: Loop, names: Environment) -> Header:
    """Targets that are no constant in any turn are taken for entries of lists, unless these are lists of constants."""
    open_ = [all(turn[place] is None for turn in loop.values) for place in range(len(loop.targets))]
    if not loop.values or not any(open_) or _is_constant(loop.iterable, names):
        return Header(loop.targets, loop.iterable)
    match loop.iterable:
        case Call(Name("zip"), args, ()) if len(args) == len(loop.targets):
            return _zipped(loop.targets, args, open_)
        case Call(Name("enumerate"), (inner,), ()) if open_ == [False, True]:
            return Header(loop.targets[:1], None, ((loop.targets[1], inner),))
        case _ if len(open_) == 1:
            return Header(("_",), None, ((loop.targets[0], loop.iterable),))
        case _:
            return Header(("_",), None) if all(open_) else Header(loop.targets, loop.iterable)


def _is_constant(iterable: Expr, names: Environment) -> bool:
    try:
        return _is_plain(tuple(evaluate(iterable, names)))
    except (Unknown, TypeError):
        return False


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, cast("tuple[object, ...]", value)))
    return value is None or isinstance(value, bool | int | float | str)


def _zipped(targets: tuple[str, ...], args: tuple[Expr, ...], open_: list[bool]) -> Header:
    lists = tuple((word, arg) for word, arg, is_open in zip(targets, args, open_, strict=True) if is_open)
    known = [(word, arg) for word, arg, is_open in zip(targets, args, open_, strict=True) if not is_open]
    if not known:
        return Header(("_",), None, lists)
    words = tuple(word for word, _ in known)
    iterable = known[0][1] if len(known) == 1 else Call(Name("zip"), tuple(arg for _, arg in known), ())
    return Header(words, iterable, lists)


def entries(source: Expr, names: Mapping[str, object], variables: Mapping[str, Content]) -> tuple[int, ...]:
    """The values that a list of tensors holds. Raises Unknown."""
    known = {**names, **{word: _held(content) for word, content in variables.items() if content is not None}}
    found = evaluate(source, known)
    if not isinstance(found, tuple) or not all(isinstance(one, Held) for one in cast("tuple[object, ...]", found)):
        raise Unknown("no list of tensors")
    return tuple(one.value for one in cast("tuple[Held, ...]", found))


def _held(content: Content) -> object:
    if isinstance(content, tuple):
        return tuple(_held(item) for item in content)
    return None if content is None else Held(content)


def first_item(head: LoopTree) -> Item | None:
    """What happens first in a loop."""
    stack: list[Tree] = [tree for turn in reversed(head.turns) for tree in reversed(turn)]
    while stack:
        tree = stack.pop()
        if isinstance(tree, Leaf):
            return tree.item
        bodies = tree.turns if isinstance(tree, LoopTree) else (tree.body,)
        stack += [one for body in reversed(bodies) for one in reversed(body)]
    return None
