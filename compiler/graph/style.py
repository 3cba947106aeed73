"""Colours and sizes of a picture. Dark text on light fills, on a white card: readable on any page, and in print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Paint:
    fill: str
    stroke: str


INK, FAINT, LINE, MINOR = "#1f2328", "#59636e", "#57606a", "#9aa4af"
PAPER = "#ffffff"

#: Boxes by the file of the standard library that their block stands in; "own" is the user's, "op" an operation.
FAMILIES: Mapping[str, Paint] = MappingProxyType(
    {
        "convolution": Paint("#dceafc", "#5b8fd0"),
        "linear": Paint("#e6e2fb", "#8a7fd3"),
        "attention": Paint("#fde6d2", "#d98d4b"),
        "recurrence": Paint("#d9f0e0", "#57a673"),
        "normalisation": Paint("#fbf3cd", "#c3a63d"),
        "activation": Paint("#fbe0e0", "#d17a7a"),
        "pooling": Paint("#d6eef1", "#4f9eaa"),
        "graph": Paint("#e8f1cf", "#8fa84a"),
        "shape": Paint("#edf0f2", "#98a5af"),
        "losses": Paint("#f4e0ef", "#bb76a8"),
        "own": Paint("#eef1f6", "#7a8699"),
        "op": Paint("#ffffff", "#a3adb8"),
    }
)
#: Operations that are drawn like the blocks of a family.
OPS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("relu", "tanh", "sigmoid", "softmax", "log softmax"), "activation")
)
PORT = Paint("#ffffff", "#6e7781")
#: Open boxes, by how deep they are.
LEVELS = (Paint("#f6f7f9", "#c3cad3"), Paint("#eceff3", "#b6bfca"), Paint("#e3e7ed", "#a9b4c0"))
BADGE = Paint("#39424e", "#39424e")
BADGE_INK = "#ffffff"

TITLE, DETAIL, SMALL, HEAD = 13.0, 10.5, 10.0, 18.0


def family(name: str, title: str) -> Paint:
    return FAMILIES.get(OPS.get(title, name), FAMILIES["own"])


def level(depth: int) -> Paint:
    return LEVELS[min(depth, len(LEVELS) - 1)]
