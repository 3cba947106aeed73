"""Several tensors into one, and one into several."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule


def _concat(b: Builder, use: Apply) -> Value:
    return b("Concat", *use.inputs, axis=use.attributes["axis"]) if len(use.inputs) > 1 else use.inputs[0]


def _stack(b: Builder, use: Apply) -> Value:
    axis = use.attributes["axis"]
    items = [b("Unsqueeze", value, b.integers([axis]), hint=value.hint) for value in use.inputs]
    return b("Concat", *items, axis=axis) if len(items) > 1 else items[0]


def _split(b: Builder, use: Apply) -> list[Value]:
    parts, axis, hints = use.attributes["parts"], use.attributes["axis"], [""] * len(use.results)
    if len(hints) == 1:
        return [use.inputs[0]]
    if isinstance(parts, int):
        return b.many("Split", use.inputs, hints, {"axis": axis, "num_outputs": parts})
    return b.many("Split", [*use.inputs, use.sizes.vector(parts, "sizes")], hints, {"axis": axis})


def _unstack(b: Builder, use: Apply) -> list[Value]:
    axis = use.attributes["axis"]
    return [b("Gather", use.inputs[0], b.number(place, "int"), axis=axis) for place in range(len(use.results))]


RULES: Mapping[str, Rule] = {"concat": _concat, "stack": _stack, "split": _split, "unstack": _unstack}
