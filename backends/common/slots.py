"""Instances of merged modules: one Slot for all."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.backends.common.context import Context
from dlc.backends.common.form import Known, Slot, Turns, Value
from dlc.backends.common.values import Refused
from dlc.ir import Instance


def merge_slot(contexts: Sequence[Context], instances: Sequence[Instance]) -> Slot:
    """The site, and for each number of the path the turn that gives it (else the number itself)."""
    first = instances[0]
    parts = [_path_numbers(instance) for instance in instances]
    if any(
        instance.site != first.site or len(part) != len(parts[0])
        for instance, part in zip(instances, parts, strict=True)
    ):
        raise Refused("different instances")
    indices: list[Value] = []
    for position in range(len(parts[0])):
        numbers = [part[position] for part in parts]
        depths = [
            d
            for d in range(len(contexts[0].turns))
            if all(c.turns[d] == n for c, n in zip(contexts, numbers, strict=True))
        ]
        if position in depths:
            indices.append(Turns(position))
        elif depths:
            indices.append(Turns(depths[0]))
        elif all(number == numbers[0] for number in numbers):
            indices.append(Known(numbers[0]))
        else:
            raise Refused("instances of other turns")
    return Slot(first.site, tuple(indices))


def _path_numbers(instance: Instance) -> tuple[int, ...]:
    return tuple(int(part) for part in instance.path.split(".") if part.isdigit())
