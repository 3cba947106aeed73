"""What a long statement runs keeps its order in steps: a shared layer updates its buffers call by call."""

from __future__ import annotations

import ast

from dlc.backends.common.outline import outline

CALL = (
    "return loss(self.g(self.f(ops.transpose(left, (0, 2, 3, 1)))), self.g(self.f(ops.transpose(right, (0, 2, 3, 1)))))"
)


def test_the_left_one_runs_first():
    """The right one is the longer: taken out alone, it would run first."""
    free = iter(("a", "b", "c", "d"))
    lines = outline(ast.parse(CALL).body, 2, lambda _: next(free))
    text = ast.unparse(ast.fix_missing_locations(ast.Module(lines, [])))
    assert text.index("left") < text.index("right")
    assert text.count("self.f") == 2
