"""What is printed means what the Form means: lists of what is bound anew, and prints that are spoilt."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from agreement import require_agreement, written
from dlc.backends.common import replay
from dlc.backends.common.body import Body

REBOUND = {
    "an entry whose name is bound again": """
network Case:
    input x: float[N, 4]
    a = x -> relu
    keep = [a]
    a = x -> tanh
    output y = concat(keep + [a], axis=-1)
""",
    "a list turned round": """
network Case:
    input x: float[N, 4]
    states = []
    for i in range(3):
        x = x -> dense(4)
        states = states + [x]
    output y = concat(reversed(states), axis=-1)
    output z = states[0]
""",
    "the first entry after a loop": """
network Case:
    input x: float[N, 4]
    states = [x]
    first = x
    for i in range(3):
        x = x -> dense(4) -> tanh
        states = states + [x]
    output y = states[0] + 2 * first
    output z = states[3] - states[1]
""",
    "skips": """
network Case(levels: int = 3):
    input x: float[N, 4]
    skips = []
    for level in range(levels):
        x = x -> dense(4)
        skips = skips + [x]
        x = x -> tanh
    for skip in reversed(skips):
        x = concat([x -> dense(4), skip], axis=-1) -> dense(4)
    output y = x
""",
    "an older list": """
network Case:
    input x: float[N, 4]
    a = [x]
    b = a
    a = a + [x -> relu]
    x = x -> tanh
    b = b + [x]
    output y = concat(a, axis=-1)
    output z = concat(b, axis=-1)
""",
    "two names change places": """
network Case:
    input x: float[N, 4]
    a = x -> relu
    b = x -> tanh
    for i in range(3):
        old = a
        a = b -> dense(4)
        b = old
    output y = a - 2 * b
""",
    "a list that grows in some turns": """
network Case:
    input x: float[N, 4]
    states = [x]
    for i in range(3):
        states = states + [x]
        if i % 2 == 0:
            x = x -> dense(4)
            states = states + [x]
    output y = concat(states, axis=-1)
""",
    "an input bound again under a choice": """
block masked:
    input x: float[N, 4]
    input mask: float[N, 4] = none
    y = x
    if mask is not none:
        x = x * mask
    output y + 3 * x

network Case:
    input x: float[N, 4]
    w = masked
    output y = w(x) + 2 * w(x, mask=x -> relu)
""",
}


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("what", REBOUND)
def test_agrees(what: str, natives: bool, tmp_path: Path):
    require_agreement(written(tmp_path, REBOUND[what]), tmp_path, natives)


@pytest.mark.parametrize("what", REBOUND)
def test_a_spoilt_print_is_not_used(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A printer that reads each result by the name that it was once bound to: the plain print stands in."""
    caught: list[replay.Misprint] = []
    check = replay.require_same

    def noted(*parts: object) -> None:
        try:
            check(*parts)  # type: ignore[arg-type]
        except replay.Misprint as problem:
            caught.append(problem)
            raise

    monkeypatch.setattr(replay, "require_same", noted)
    monkeypatch.setattr(Body, "_may_alias", lambda self, node, results: not self.plainly)
    require_agreement(written(tmp_path, REBOUND[what]), tmp_path)
    if what == "an entry whose name is bound again":
        assert caught


SPOILT = {
    "a name read too late": ("a = f(x)\nb = a\na = g(x)\nreturn h(a, b)", "a = f(x)\na = g(x)\nreturn h(a, a)"),
    "a call left out": ("a = f(x)\nb = g(x)\nreturn a", "a = f(x)\nreturn a"),
    "a call twice": ("a = f(x)\nreturn h(a, a)", "return h(f(x), f(x))"),
    "a shared list": (
        "a = [x]\nb = [*a]\na.append(f(x))\nreturn h(*b)",
        "a = [x]\nb = a\na.append(f(x))\nreturn h(*b)",
    ),
    "another order": ("return h(*reversed([x, f(x)]))", "return h(*[x, f(x)])"),
    "a turn's value": (
        "for i in r:\n    y = f(x)\n    x = g(y)\nreturn h(x, y)",
        "for i in r:\n    x = f(x)\n    x = g(x)\nreturn h(x, x)",
    ),
    "the other arm": ("if t:\n    x = f(x)\nreturn x", "x = f(x)\nreturn x"),
    "a buffer written before": ("y = f(s.b)\ns.b.copy_(x)\nreturn y", "s.b.copy_(x)\ny = f(s.b)\nreturn y"),
    "a list shared before a choice": (
        "a = [x]\nb = [*a]\nif t:\n    a = [*a, y]\na = [*a, z]\nreturn h(*b)",
        "a = [x]\nb = a\nif t:\n    a.append(y)\na.append(z)\nreturn h(*b)",
    ),
    "one draw for two": ("a = torch.rand(2)\nb = torch.rand(2)\nreturn h(a, b)", "a = torch.rand(2)\nreturn h(a, a)"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_replay_tells_them_apart(what: str):
    right, wrong = (ast.parse(text).body for text in SPOILT[what])
    replay.require_same(right, right, ["x"])
    with pytest.raises(replay.Misprint):
        replay.require_same(right, wrong, ["x"])


def test_replay_sees_through_names_and_lists():
    one = "a = f(x)\nitems = [a]\nitems.append(g(a))\nreturn h(*items[::-1])"
    other = "b = f(x)\nc = g(b)\nreturn h(*reversed([b, c]))"
    replay.require_same(ast.parse(one).body, ast.parse(other).body, ["x"])


def test_a_list_that_grows_in_some_turns_is_appended_to(tmp_path: Path):
    code = require_agreement(written(tmp_path, REBOUND["a list that grows in some turns"]), tmp_path)
    assert code.count("states.append(x)") == 2
