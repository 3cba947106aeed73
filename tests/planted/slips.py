"""Slips of the pen, derived from what each op declares: operands swapped, an attribute forgotten, the wrong axis, one
too many.

A slip counts for a sample where the op takes it (the results keep their types, so nothing else gives it away) and where
NumPy then gives something else: at least 1 % of the largest value away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from dlc.backends.common.quote import literal
from dlc.backends.common.rule import Site
from dlc.ir import TensorType
from dlc.ops import OPS
from dlc.ops.api import AttributeSpec, Op, OpError, Sample
from dlc.ops.attributes import normalise_attributes
from dlc.ops.samples import Case, draw
from dlc.spec.record import replace as changed_record
from wrong_rules import RULES, apply_plainly

Change = Callable[[Op, str, Any, Sequence[TensorType], Mapping[str, Any]], Any]


SIZE = 4
#: What says that an op does not take something.
REFUSED = (OpError, ValueError, IndexError, TypeError, KeyError, AssertionError, ZeroDivisionError)


@dataclass(frozen=True)
class Slip:
    """`order`: where each operand is taken from. `change` gives another value of the attribute `attribute`."""

    op: str
    name: str
    order: tuple[int, int] | None = None
    attribute: str = ""
    change: Change | None = None

    def swapped(self, items: Sequence[Any]) -> tuple[Any, ...]:
        """`items`, one per operand, as the slip has them."""
        found = list(items)
        if self.order is not None and found:
            first, second = self.order
            found[first], found[second] = found[second], found[first]
        return tuple(found)

    def changed(self, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> dict[str, Any]:
        if self.change is None:
            return {}
        value = attributes[self.attribute]
        return {self.attribute: self.change(OPS[self.op], self.attribute, value, types, attributes)}


def _default(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
    known = {spec.name for spec in op.attributes} - {name}  # a layout adds some of its own
    others = {key: one for key, one in attributes.items() if key in known and one is not None}
    return normalise_attributes(op, others, types)[name]


def _next_axis(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
    rank = types[0].rank
    if isinstance(value, tuple):
        return tuple(sorted((axis + 1) % rank for axis in value))
    return (value + 1) % rank


def _more(amount: int) -> Change:
    def change(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
        return (value[0] + amount, *value[1:]) if isinstance(value, tuple) else value + amount

    return change


def _turned(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
    """Each pair the other way round; a list of sizes from the end; two axes of a permutation for each other."""
    if value and isinstance(value[0], tuple):
        return tuple(tuple(reversed(pair)) for pair in value)
    return (*value[:-2], *reversed(value[-2:]))


def _shifted(amount: int) -> Change:
    """Every slice and index of a `slice` begins and ends by `amount` later."""

    def of(item: tuple[Any, ...]) -> tuple[Any, ...]:
        return (item[0], *(one + amount if isinstance(one, int) else one for one in item[1:3]), *item[3:])

    def change(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
        return tuple(of(item) for item in value)

    return change


def _other_number(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
    return value * 1.5 + 0.25


def _not(op: Op, name: str, value: Any, types: Sequence[TensorType], attributes: Mapping[str, Any]) -> Any:
    return not value


#: By kind of attribute: what is done to it, in words.
CHANGES: dict[str, dict[str, Change]] = {
    "axis": {"the next": _next_axis},
    "new_axis": {"the next": _next_axis},
    "axes": {"the next": _next_axis},
    "permutation": {"two swapped": _turned},
    "bool": {"the opposite": _not},
    "int": {"one more": _more(1), "one less": _more(-1)},
    "size": {"one more": _more(1), "one less": _more(-1)},
    "ints": {"one more": _more(1), "one less": _more(-1), "turned": _turned},
    "pairs": {"turned": _turned},
    "number": {"another": _other_number},
}
#: The same for attributes of the kind `any`.
SPECIAL: dict[tuple[str, str], dict[str, Change]] = {
    ("slice", "items"): {"one later": _shifted(1), "one earlier": _shifted(-1)},
    ("pad", "pairs"): {"turned": _turned},
    ("split", "parts"): {"turned": _turned},
}


def slips(op: Op) -> Iterator[Slip]:
    """All slips of an op that at least one of its samples shows."""
    for slip in _all(op):
        if any(shown(slip, sample) for sample in samples(op)):
            yield slip


def samples(op: Op) -> tuple[Sample, ...]:
    """The op's samples, and the same with 4 along every axis, so that no size tells a wrong axis."""
    return (*op.samples, *(_square(sample) for sample in op.samples if _is_drawn(sample)))


def _is_drawn(sample: Sample) -> bool:
    return all(described[0] != "value" and min(described[1], default=1) > 0 for described in sample.operands)


def _square(sample: Sample) -> Sample:
    operands = tuple((kind, (SIZE,) * len(shape), *rest) for kind, shape, *rest in sample.operands)
    return changed_record(sample, operands=operands, name=f"{sample.name} square".strip())


def _all(op: Op) -> Iterator[Slip]:
    names = [name.lstrip("*") for name in op.operands]
    count = 2 if op.operands and op.operands[-1].startswith("*") else len(names)
    for first, second in combinations(range(count), 2):
        yield Slip(op.name, f"operands {first} and {second} swapped", (first, second))
    for spec in op.attributes:
        for words, change in _changes(op, spec).items():
            yield Slip(op.name, f"{spec.name}: {words}", attribute=spec.name, change=change)


def _changes(op: Op, spec: AttributeSpec) -> dict[str, Change]:
    found = dict(SPECIAL.get((op.name, spec.name), CHANGES.get(spec.kind, {})))
    if spec.default is not ...:
        found["forgotten"] = _default
    return found


def shown(slip: Slip, sample: Sample) -> tuple[bool, ...]:
    """For each result of a sample, whether the slip changes it; () where the op does not take it."""
    op = OPS[slip.op]
    try:
        case = draw(op, sample, "f32")
        wrong = slipped(slip, case)
        if op.infer(case.types, case.attributes) != op.infer(wrong.types, wrong.attributes):
            return ()
        with np.errstate(all="ignore"):
            pairs = list(zip(case.evaluate(), wrong.evaluate(), strict=True))
    except REFUSED:
        return ()
    found = tuple(_differ(np.asarray(right), np.asarray(other)) for right, other in pairs)
    return found if any(found) else ()


def slipped(slip: Slip, case: Case) -> Case:
    return changed_record(
        case,
        operands=slip.swapped(case.operands),
        types=slip.swapped(case.types),
        attributes={**case.attributes, **slip.changed(case.types, case.attributes)},
    )


def _differ(right: Any, other: Any) -> bool:
    if right.dtype.kind != "f":
        return not np.array_equal(right, other)
    finite = np.isfinite(right)
    if not np.array_equal(right[~finite], other[~finite], equal_nan=True) or not np.isfinite(other[finite]).all():
        return True
    if not finite.any():
        return False
    return bool(np.abs(right[finite] - other[finite]).max() > 0.01 * np.abs(right[finite]).max())


def planted_rule(backend: str, slip: Slip) -> Any:
    """The backend's rule of the op, with the slip."""
    right = RULES[backend][slip.op]
    if backend == "onnx":
        return lambda b, use: right(
            b,
            replace(
                use,
                inputs=slip.swapped(use.inputs),
                types=slip.swapped(use.types),
                above=slip.swapped(use.above),
                attributes={**use.attributes, **slip.changed(use.types, use.attributes)},
            ),
        )

    def wrong(site: Site) -> Any:
        changed = slip.changed(site.types, site.values)
        return apply_plainly(
            right,
            replace(
                site,
                operands=slip.swapped(site.operands),
                types=slip.swapped(site.types),
                above=slip.swapped(site.above),
                numbers=slip.swapped(site.numbers),
                values={**site.values, **changed},
                attributes={**site.attributes, **{name: literal(value) for name, value in changed.items()}},
            ),
        )

    return wrong
