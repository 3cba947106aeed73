"""Ops of one statement that follow each other are one box: `einsum, where, softmax`.

A sum or product of values from elsewhere, the end of a residual, stays alone: it is drawn as a circle. A group never
closes a circle: nothing outside may stand between two of its ops.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlc.ir import Equation

#: Ops that join what comes from several places, and the sign in their circle.
JOINS: Mapping[str, str] = {"add": "+", "multiply": "×", "subtract": "−"}


def groups(equations: Mapping[int, Equation], sources: Mapping[int, tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Numbers of equations, in order; `sources` are those that each reads, or negative numbers for values that no
    equation gives. Calls stay alone."""
    reaches: dict[int, int] = {}  # equation -> bits of all that it depends on
    home: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    for number in equations:
        reaches[number] = 0
        for source in sources[number]:
            if source in reaches:
                reaches[number] |= reaches[source] | 1 << source
        near = _joinable(number, equations, sources, home)
        for chosen in (near, near[:1], []):
            group = sorted([number, *(member for other in chosen for member in members[other])])
            if _convex(group, reaches):
                for other in chosen:
                    del members[other]
                members[number] = group
                home.update(dict.fromkeys(group, number))
                break
    return sorted((tuple(group) for group in members.values()), key=lambda group: group[-1])


def is_join(number: int, equations: Mapping[int, Equation], sources: Mapping[int, tuple[int, ...]]) -> bool:
    """Whether it joins several values that each come from another statement, or through a call."""
    equation = equations[number]
    if equation.op not in JOINS or len(sources[number]) < 2:
        return False
    return all(
        _statement(equations.get(source)) != _statement(equation) or _called(source, equations, sources)
        for source in sources[number]
    )


def _called(number: int, equations: Mapping[int, Equation], sources: Mapping[int, tuple[int, ...]]) -> bool:
    """Whether it is a call, or ops of one statement upon a call."""
    stack = [number]
    while stack:
        number = stack.pop()
        here = equations.get(number)
        if here is not None and here.target is not None:
            return True
        if here is not None:
            stack += [s for s in sources[number] if _statement(equations.get(s)) == _statement(here)]
    return False


def _alone(number: int, equations: Mapping[int, Equation], sources: Mapping[int, tuple[int, ...]]) -> bool:
    return equations[number].target is not None or is_join(number, equations, sources)


def _joinable(
    number: int, equations: Mapping[int, Equation], sources: Mapping[int, tuple[int, ...]], home: Mapping[int, int]
) -> list[int]:
    """The groups of the ops before it in the same statement and turn, the last one first."""
    if _alone(number, equations, sources):
        return []
    found: dict[int, None] = {}
    for source in sorted(sources[number], reverse=True):
        if source not in equations or _alone(source, equations, sources):
            continue
        if _statement(equations[source]) == _statement(equations[number]):
            found[home[source]] = None
    return list(found)


def _convex(group: list[int], reaches: Mapping[int, int]) -> bool:
    """Whether no equation outside of the group needs one of it and is needed by another."""
    bits = needed = 0
    for member in group:
        bits |= 1 << member
        needed |= reaches[member]
    between = needed & ~bits
    while between:
        low = between & -between
        if reaches[low.bit_length() - 1] & bits:
            return False
        between ^= low
    return True


def _statement(equation: Equation | None) -> object:
    if equation is None or equation.origin.statement < 0:
        return equation
    return equation.origin.statement, equation.origin.frames
