"""What a name stands for, merged: a value, a list of values, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from dlc.backends.common.context import Context, choose, spread
from dlc.backends.common.form import Listing, Ref, Reference, Spread, Var
from dlc.backends.common.values import Refused
from dlc.ir import Content

Names = Sequence[Mapping[str, Content]]


def merge(contexts: Sequence[Context], names: Names, found: Sequence[Content], word: str = "") -> Reference:
    """One reference for all. `word`: the name that will stand for it. Raises Refused."""
    if all(content is None for content in found):
        return None
    if all(isinstance(content, int) for content in found):
        return choose(contexts, names, [cast(int, content) for content in found])
    if not all(isinstance(content, tuple) for content in found):
        raise Refused("a name stands for unlike things")
    return _list(contexts, names, [cast("tuple[Content, ...]", content) for content in found], word)


def required(contexts: Sequence[Context], names: Names, found: Sequence[int | None]) -> Ref:
    if any(value is None for value in found):
        raise Refused("a required input is absent")
    return choose(contexts, names, [cast(int, value) for value in found])


def merge_optional(contexts: Sequence[Context], names: Names, found: Sequence[int | None]) -> Ref | None:
    """The reference of an optional input: None where no module gives it; a name that is sometimes none, if some do."""
    if all(value is None for value in found):
        return None
    if all(value is not None for value in found):
        return required(contexts, names, found)
    for name in reversed(tuple(names[0])):
        if all(name in scope and scope[name] == value for scope, value in zip(names, found, strict=True)):
            return Var(name)
    raise Refused("an optional input is given by some only")


def _list(contexts: Sequence[Context], names: Names, found: Sequence[tuple[Content, ...]], word: str = "") -> Listing:
    """The entries one by one, or a list that grew: an older list and more entries."""
    grown = _grown(contexts, names, found, word)
    return grown if grown is not None else _items(contexts, names, found)


def _items(contexts: Sequence[Context], names: Names, found: Sequence[tuple[Content, ...]]) -> Listing:
    """The entries one by one."""
    if any(len(content) != len(found[0]) for content in found):
        raise Refused("lists of different lengths")
    items: list[Ref | Spread | Listing] = []
    for position in range(len(found[0])):
        item = merge(contexts, names, [content[position] for content in found])
        if item is None:
            raise Refused("a list holds nothing at one place")
        items.append(item)
    return Listing(tuple(items))


def _grown(
    contexts: Sequence[Context], names: Names, found: Sequence[tuple[Content, ...]], word: str
) -> Listing | None:
    """An older list, that of the same name first, then the latest."""
    whole = _whole(contexts, names, found)
    if whole is not None:
        return Listing((whole,))
    others = [name for name in reversed(tuple(names[0])) if name != word]
    for name in (word, *others):
        olds = [scope.get(name) for scope in names]
        if not all(isinstance(old, tuple) for old in olds):
            continue
        lists = [cast("tuple[Content, ...]", old) for old in olds]
        if all(content[: len(old)] == old for old, content in zip(lists, found, strict=True)):
            rests = [content[len(old) :] for old, content in zip(lists, found, strict=True)]
            if not all(len(rest) == len(rests[0]) for rest in rests) or not (rests[0] or lists[0]):
                continue
            if not any(lists) and name != word:
                continue
            # Behind lists that are all empty stands the whole content: as a grown list it would be met again.
            rest = _list if any(lists) else _items
            tail = rest(contexts, names, rests) if rests[0] else Listing(())
            return Listing((Spread(name), *tail.items))
    return None


def _whole(contexts: Sequence[Context], names: Names, found: Sequence[tuple[Content, ...]]) -> Spread | None:
    if not all(all(isinstance(item, int) for item in content) and content for content in found):
        return None
    flat = [cast("tuple[int, ...]", content) for content in found]
    lists = [spread(*parts) for parts in zip(contexts, names, flat, strict=True)]
    return next((one for one in lists[0] if all(one in other for other in lists[1:])), None)
