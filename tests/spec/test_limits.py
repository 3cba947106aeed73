"""Large and deep input gives a tree or a diagnostic, in time and without recursion."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from dlc.diagnostics import DlcError
from dlc.spec import syntax as s
from dlc.spec.parser import MAX_DEPTH, parse, parse_expression
from dlc.spec.printer import print_expression
from dlc.spec.source import Source

DEEP: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "x" + ")" * n,
    "lists": lambda n: "[" * n + "]" * n,
    "calls": lambda n: "f(" * n + "x" + ")" * n,
    "applications": lambda n: "f" + "(x)" * n,
    "attributes": lambda n: "x" + ".y" * n,
    "sum": lambda n: " + ".join(["x"] * (n + 1)),
    "power": lambda n: " ** ".join(["x"] * (n + 1)),
    "signs": lambda n: "-" * n + "x",
    "not": lambda n: "not " * n + "x",
    "conditions": lambda n: "x if y else " * n + "z",
    "pipes": lambda n: "x" + " -> f" * n,
    "slices": lambda n: "x" + "[1:2]" * n,
}


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("count", [5_000, 20_000])
def test_too_deep_is_a_diagnostic_within_two_seconds(kind: str, count: int) -> None:
    started = time.monotonic()
    with pytest.raises(DlcError) as raised:
        parse_expression(DEEP[kind](count), "deep")
    assert raised.value.diagnostics[0].code == "E0107"
    assert time.monotonic() - started < 30  # against hangs; benchmarks/bad_input.py measures


@pytest.mark.parametrize("kind", DEEP)
def test_what_the_limit_allows_prints_compares_and_hashes(kind: str) -> None:
    depth = MAX_DEPTH - 2
    tree = parse_expression(DEEP[kind](depth), "deep")
    again = parse_expression(print_expression(tree), "deep")
    assert again == tree
    assert hash(again) == hash(tree)


@pytest.mark.parametrize(
    "text",
    [
        "f(" + "x, " * 20_000 + ")",
        "[" + "1, " * 20_000 + "]",
        "x < " * 20_000 + "y",
        '"' + "a" * 1_000_000 + '"',
        "f(" + "\n" * 100_000 + ")",
    ],
    ids=["arguments", "list", "comparison", "string", "lines"],
)
def test_long_is_fine(text: str) -> None:
    started = time.monotonic()
    parse_expression(text, "long")
    assert time.monotonic() - started < 30  # against hangs; benchmarks/bad_input.py measures


def test_deep_statements_are_a_diagnostic() -> None:
    lines = ["block b:"] + [" " * i + "if a:" for i in range(1, 700)] + [" " * 700 + "output x"]
    with pytest.raises(DlcError, match="nested too deeply"):
        parse(Source("deep", "\n".join(lines)))


def test_many_statements_are_fine() -> None:
    started = time.monotonic()
    spec = parse(Source("long", "block b:\n" + "    x = f(x)\n" * 10_000))
    declaration = spec.declarations[0]
    assert isinstance(declaration, s.Block)
    assert len(declaration.body) == 10_000
    assert time.monotonic() - started < 30  # against hangs; benchmarks/bad_input.py measures
