"""Comparisons, logic and choice."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule, Same
from dlc.backends.onnx.rules.elementwise import select


def _not_equal(b: Builder, use: Apply) -> Value:
    return b("Not", b("Equal", *use.inputs))


def _where(b: Builder, use: Apply) -> Value:
    condition, one, other = use.inputs
    return select(b, condition, one, other, use.types[1].dtype)


RULES: Mapping[str, Rule] = {
    "equal": Same("Equal"),
    "not_equal": _not_equal,
    "less": Same("Less"),
    "less_equal": Same("LessOrEqual"),
    "greater": Same("Greater"),
    "greater_equal": Same("GreaterOrEqual"),
    "logical_and": Same("And"),
    "logical_or": Same("Or"),
    "logical_xor": Same("Xor"),
    "where": _where,
}
