"""What a rule is: from one primitive equation to ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.sizes import Sizes
from dlc.ir import TensorType


@dataclass(frozen=True, slots=True)
class Apply:
    """One use of a primitive: operands and their types, attributes as plain values, the types of the results."""

    op: str
    inputs: Sequence[Value]
    types: Sequence[TensorType]
    results: Sequence[TensorType]
    attributes: Mapping[str, Any]
    sizes: Sizes
    #: Of each operand, whether no entry of it can be -inf.
    above: Sequence[bool]


Rule = Callable[[Builder, Apply], Value | list[Value]]


@dataclass(frozen=True, slots=True)
class Same:
    """The op is an ONNX op under another name: same operands, same meaning, these attributes always."""

    op: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])

    def __call__(self, b: Builder, use: Apply) -> Value:
        return b.many(self.op, use.inputs, [""], self.attributes)[0]
