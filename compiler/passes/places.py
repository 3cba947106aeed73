"""Where an equation stands in a block's text, for passes that decide for all modules of a block together."""

from __future__ import annotations

from collections import Counter

from dlc.ir import Call, Module, Scan, Turn

#: A statement's number, what the equation is (an op, or an instance's name in the text), how often that came before.
Place = tuple[int, str, int]


def places(module: Module) -> list[Place]:
    """The place of each equation in the text; all turns of a loop have the same places."""
    counts: Counter[tuple[object, ...]] = Counter()
    out: list[Place] = []
    for equation in module.body:
        word = equation.op
        if isinstance(equation.target, Call | Scan):
            word = module.instances[equation.target.instance].site
        turns = tuple(frame for frame in equation.origin.frames if isinstance(frame, Turn))
        key = (equation.origin.statement, word, turns)
        out.append((equation.origin.statement, word, counts[key]))
        counts[key] += 1
    return out
