"""Values that a conditional expression chooses: `x -> conv if stride != 1 else x`.

The IR has no trace of the choice where its result is used: modules, and turns of a loop, just use different values.
Where these have no common name, a conditional expression of the block may tell them apart. Then its arms bind a name to
them: the name that the spec binds, or a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.common import contents, presence
from dlc.backends.common import context as places
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import Unknown, evaluate
from dlc.backends.common.form import Bind, Branch, Node, Ref, Spread, Var
from dlc.backends.common.merging import Bound, Merging
from dlc.backends.common.values import Refused
from dlc.ir import Bind as BindTarget
from dlc.ir import Choice, Content
from dlc.spec.syntax import Expr

Names = Sequence[Mapping[str, Content]]


def choose(merging: Merging, contexts: Sequence[Context], names: Names, values: Sequence[int], wish: str) -> Ref:
    """One reference that holds each context's value, if need be a new name. Raises Refused."""
    try:
        return places.choose(contexts, names, values)
    except Refused:
        word = _fresh(merging, contexts, wish)
        branch = _joined(merging, contexts, names, values, word)
        if branch is None:
            raise
    merging.joins.append(branch)
    for context, value in zip(contexts, values, strict=True):
        context.define(value, Var(word))
    return Var(word)


def choose_list(
    merging: Merging, contexts: Sequence[Context], names: Names, lists: Sequence[tuple[int, ...]], wish: str
) -> Spread | None:
    """A new name for the lists of values that the arms of a conditional expression give: `[a, b] if c else [b, a]`."""
    word = _fresh(merging, contexts, wish)
    branch = _joined(merging, contexts, names, lists, word)
    if branch is None:
        merging.joined.discard(word)
        return None
    merging.joins.append(branch)
    return Spread(word)


def bind(
    merging: Merging, contexts: Sequence[Context], names: Names, found: Sequence[Content], word: str, statement: int
) -> Node:
    """The name stands for one thing in all contexts, or for one in each arm of a conditional expression."""
    try:
        return _bind(merging, contexts, names, found, word, statement)
    except Refused:
        branch = _joined(merging, contexts, names, found, word)
        if branch is None:
            raise
        return branch


def appended(out: list[Node], node: Node) -> None:
    """Adds a node; what an expression's arms bind goes to the arms of the branch just before."""
    last = out[-1] if out else None
    if not isinstance(node, Branch) or not isinstance(last, Branch) or node.tests != last.tests or not _binds(node):
        out.append(node)
        return
    arms = tuple((*(one or ()), *(other or ())) for one, other in zip(last.arms, node.arms, strict=True))
    out[-1] = Branch(last.tests, arms, last.statement, last.late)


def _binds(node: Branch) -> bool:
    return all(arm is not None and len(arm) == 1 and isinstance(arm[0], Bind) for arm in node.arms)


def _bind(
    merging: Merging, contexts: Sequence[Context], names: Names, found: Sequence[Content], word: str, statement: int
) -> Bind:
    node = Bind(word, contents.merge(contexts, names, found, word), (), statement)
    values = tuple(content for content in found if isinstance(content, int))
    if len(values) == len(found):
        merging.binds[id(node)] = (node, Bound(tuple(contexts), values, tuple(names)))
    return node


def _joined(
    merging: Merging, contexts: Sequence[Context], names: Names, found: Sequence[Content], word: str
) -> Branch | None:
    """A branch on a conditional expression whose arms bind the name; None if there is none that serves."""
    if any(content is None for content in found):
        return None
    for choice in _expressions(contexts):
        try:
            return _branch(merging, contexts, names, found, word, choice)
        except (Refused, Unknown):
            continue
    return None


def _expressions(contexts: Sequence[Context]) -> list[Choice]:
    """Conditional expressions of the text, the latest first; a module that does nothing in its arm has none."""
    modules = {id(context.module): context.module for context in contexts}.values()
    found = {choice.statement: choice for module in modules for choice in module.choices if choice.expression}
    return [found[statement] for statement in sorted(found, reverse=True)]


def _branch(
    merging: Merging, contexts: Sequence[Context], names: Names, found: Sequence[Content], word: str, choice: Choice
) -> Branch:
    arms = [_arm(context, choice.tests) for context in contexts]
    taken = sorted(set(arms))
    if len(taken) == 1:
        raise Refused("no choice here")
    bodies: list[tuple[Node, ...]] = []
    for arm in taken:
        here = [i for i, one in enumerate(arms) if one == arm]
        inside = [contexts[i] for i in here]
        bodies.append(
            (_bind(merging, inside, [names[i] for i in here], [found[i] for i in here], word, choice.statement),)
        )
    known = presence.given(contexts)
    tests = tuple(presence.specialised(choice.tests[arm], known) for arm in taken[:-1])
    return Branch(tests, tuple(bodies), choice.statement, presence.is_late(contexts[0], tests))


def _arm(context: Context, tests: Sequence[Expr]) -> int:
    return next((index for index, test in enumerate(tests) if evaluate(test, context.names)), len(tests))


def _fresh(merging: Merging, contexts: Sequence[Context], wish: str) -> str:
    """A name that the block has nowhere, and no other join."""
    module = contexts[0].module
    taken = {e.target.name for c in contexts for e in c.module.body if isinstance(e.target, BindTarget)}
    taken.update(contexts[0].names, (port.name for port in (*module.inputs, *module.parameters, *module.states)))
    word = wish
    number = 1
    while word in taken or word in merging.joined:
        number += 1
        word = f"{wish}_{number}"
    merging.joined.add(word)
    return word
