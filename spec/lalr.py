"""Walks the LALR(1) table that lark made of `grammar.lark` (see build_table.py). No recursion."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dlc.spec.record import record
from dlc.spec.token import Token

END = "$END"

Action = Callable[[list[Any]], Any]


class Items(list[Any]):
    """The values of a rule that only groups; they are spliced into the rule around it."""


@record
class Table:
    """`rules`: (left side, length, action name); `states`: symbol to the next state, or ~rule to reduce by."""

    rules: list[tuple[str, int, str | None]]
    states: list[dict[str, int]]
    starts: dict[str, int]
    ends: dict[str, int]


class Unexpected(Exception):  # noqa: N818 - becomes a diagnostic in syntax_errors.py
    """`token`, number `at`, cannot stand here; `expected` are the kinds of token that could."""

    def __init__(self, at: int, token: Token, expected: frozenset[str]) -> None:
        super().__init__(at, token, expected)
        self.at, self.token, self.expected = at, token, expected


class TooDeep(Exception):  # noqa: N818
    """The tree of `values` is deeper than the limit."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__(values)
        self.values = values


@cache
def load_table() -> Table:
    data = json.loads((Path(__file__).parent / "_table.json").read_text(encoding="utf-8"))
    return Table(data["rules"], data["states"], data["starts"], data["ends"])


def run(start: str, tokens: Sequence[Token], actions: Mapping[str, Action], max_depth: int) -> Any:
    """The value of `start` over `tokens` (the last one is of kind END).

    A rule with an action (its alias, else its own name) has the action's value; a rule of one symbol has that symbol's
    value; any other rule groups. Raises Unexpected, TooDeep, and whatever an action raises.
    """
    table = load_table()
    states, rules, end = table.states, table.rules, table.ends[start]
    stack = [table.starts[start]]
    values: list[Any] = []
    depths: list[int] = []
    for at, token in enumerate(tokens):
        kind = token.kind
        while True:
            entry = states[stack[-1]].get(kind)
            if entry is None:
                raise Unexpected(at, token, _accepted(table, _stack_before(table, start, tokens[:at]), end))
            if entry >= 0:
                stack.append(entry)
                values.append(token)
                depths.append(0)
                break
            name, length, alias = rules[~entry]
            first = len(values) - length
            action = actions.get(alias or name)
            if action is None and length == 1:  # the value stands for itself
                stack.pop()
            else:
                children, depth = values[first:], max(depths[first:], default=0)
                del stack[first + 1 :], values[first:], depths[first:]
                if action is None:
                    value: Any = _group(children)
                else:
                    depth += 1
                    if depth > max_depth:
                        raise TooDeep(_flat(children))
                    value = action(_flat(children))
                values.append(value)
                depths.append(depth)
            stack.append(states[stack[-1]][name])
            if kind == END and stack[-1] == end:
                return values[-1]
    raise AssertionError("the tokens must end with END")


def _group(children: list[Any]) -> Items:
    """The children as Items; a list that grows by one is extended in place, so that long lists cost linear time."""
    if children and isinstance(children[0], Items):
        first = children[0]
        first.extend(_flat(children[1:]))
        return first
    return Items(_flat(children))


def _flat(children: list[Any]) -> list[Any]:
    """The children with Items spliced in."""
    if not any(isinstance(child, Items) for child in children):
        return children
    flat: list[Any] = []
    for child in children:
        if isinstance(child, Items):
            flat.extend(child)
        else:
            flat.append(child)
    return flat


def _stack_before(table: Table, start: str, tokens: Sequence[Token]) -> list[int]:
    """The states after `tokens`, before the next token made any rule reduce (which would hide what could follow)."""
    stack = [table.starts[start]]
    for token in tokens:
        while (entry := table.states[stack[-1]][token.kind]) < 0:
            name, length, _ = table.rules[~entry]
            if length:
                del stack[-length:]
            stack.append(table.states[stack[-1]][name])
        stack.append(entry)
    return stack


def _accepted(table: Table, stack: list[int], end: int) -> frozenset[str]:
    """The kinds of token that could be shifted next: those whose reductions lead to a shift."""
    kinds = table.states[stack[-1]].keys() - {name for name, _, _ in table.rules}
    return frozenset(kind for kind in kinds if _leads_to_shift(table, stack, kind, end))


def _leads_to_shift(table: Table, stack: list[int], kind: str, end: int) -> bool:
    states = list(stack)
    while True:
        entry = table.states[states[-1]].get(kind)
        if entry is None:
            return False
        if entry >= 0:
            return True
        name, length, _ = table.rules[~entry]
        if length:
            del states[-length:]
        states.append(table.states[states[-1]][name])
        if kind == END and states[-1] == end:
            return True
