"""The rule interface: how a backend spells an op.

A backend's rules are a table `{op name: rule}`. A rule is

- a string, the quasi-quote of the result: `$0`, `$1` are the operands, `*$operands` all of them, `$axis` the attribute
  `axis`: `"relu": "F.relu($0)"`, `"concat": "torch.cat([*$operands], dim=$axis)"`;
- or a function `(Site) -> ast.expr` where more has to be looked at.

A rule is asked once per *merged* equation: the same statement of all the modules that were folded into one class. So an
attribute has code (`site.attribute("axis")`), and a plain value only where all modules agree (`site.value("axis")`).
An op with several outputs gives one expression that unpacks into them. A rule never validates: types are checked.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dlc.backends.common.quote import quote
from dlc.dims import Size
from dlc.ir import TensorType


class _Varies:
    """The value of an attribute that differs between the merged modules."""

    def __repr__(self) -> str:
        return "VARIES"


VARIES = _Varies()


class Tools(Protocol):
    """What a rule may ask of the file and function that it writes into."""

    def helper(self, word: str) -> ast.expr:
        """The named helper function of the backend's helper table; it will be printed at the top of the file."""
        ...

    def module(self, word: str) -> ast.expr:
        """An imported module (`math`, `torch`); the import will be printed."""
        ...

    def size(self, size: Size) -> ast.expr:
        """A run-time size as code (`x.shape[0] * 4`)."""
        ...

    def anchor(self) -> ast.expr | None:
        """A tensor that says where new tensors go (device), or None where the function has none."""
        ...

    def device(self) -> list[ast.keyword]:
        """Keywords that put a new tensor where the others are."""
        ...

    def full(self, code: ast.expr, value: object, shape: list[ast.expr], kind: TensorType) -> ast.expr:
        """A tensor filled with a number (its code, and its plain value or None)."""
        ...

    @property
    def precision(self) -> str:
        """What the family `float` is: `f32`, `f64`, ..."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """One merged equation.

    `operands`: code of each operand; `types`, `results`: types of operands and results in the first merged module
    (element types and ranks are the same in all unless `ranks_vary`; sizes may differ). `attributes`: code by name.
    `values`: plain values by name, VARIES where modules differ; a `Dim` stands for a run-time size.
    `above[i]`: operand i provably holds no -inf (see `facts`). `numbers[i]`: operand i is this plain number (an inlined
    rank-0 constant), else None.
    """

    op: str
    operands: tuple[ast.expr, ...]
    types: tuple[TensorType, ...]
    results: tuple[TensorType, ...]
    attributes: Mapping[str, ast.expr]
    values: Mapping[str, object]
    tools: Tools
    above: tuple[bool, ...] = ()
    numbers: tuple[object, ...] = ()
    ranks_vary: bool = False
    #: Entries of tuple attributes that have no source in the spec: what the compiler worked out.
    derived: Mapping[str, tuple[bool, ...]] = field(default_factory=dict[str, "tuple[bool, ...]"])
    #: Types of operands and results in each merged module.
    everywhere: tuple[tuple[tuple[TensorType, ...], tuple[TensorType, ...]], ...] = field(default=())

    def attribute(self, name: str) -> ast.expr:
        return self.attributes[name]

    def value(self, name: str) -> object:
        """The plain value, or VARIES."""
        return self.values[name]

    def known(self, name: str) -> bool:
        return self.values[name] is not VARIES


Rule = str | Callable[[Site], ast.expr]
Rules = Mapping[str, Rule]

#: Attributes that choose what is written, not a number or a size in it: a rule finds their plain values always, as
#: modules that differ in one are not merged.
CHOOSING: Mapping[str, tuple[str, ...]] = {
    "pad": ("mode",),
    "prod": ("axis",),
    "resize": ("mode",),
    "scatter": ("reduction",),
    "triangular": ("upper",),
    "variance": ("correction",),
}

#: Ops that frameworks answer with a sequence, also where it has just one item.
_SEQUENCES = frozenset({"split", "unstack"})


def apply(rule: Rule, site: Site) -> ast.expr:
    """The code of the equation's result, or of several, to be unpacked."""
    code = _applied(rule, site)
    if site.op in _SEQUENCES and len(site.results) == 1:
        return ast.Subscript(code, ast.Constant(0), ast.Load())
    return code


def _applied(rule: Rule, site: Site) -> ast.expr:
    if isinstance(rule, str):
        holes: dict[str, object] = {**site.attributes, "operands": list(site.operands)}
        return quote(rule, *site.operands, **holes)
    return rule(site)
