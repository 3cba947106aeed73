"""Comparisons and logic give no floats; a choice hands back what was chosen."""

from __future__ import annotations

from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradients
from dlc.ops.gradients.shaping import summed_to


def _where(b: Builder, use: Applied) -> Cotangents:
    condition, x, z = use.operands
    g = use.cotangent
    to_x = summed_to(b, b("where", condition, g, 0), x.shape)
    return None, to_x, summed_to(b, b("where", condition, 0, g), z.shape)


GRADIENTS: Gradients = {
    "equal": None,
    "not_equal": None,
    "less": None,
    "less_equal": None,
    "greater": None,
    "greater_equal": None,
    "logical_and": None,
    "logical_or": None,
    "logical_xor": None,
    "where": _where,
}
