"""What a gradient is written in: values with types, and a builder that applies ops of the table to them.

A gradient is a function `(Builder, Applied) -> one cotangent per operand`. It uses nothing but ops of `dlc.ops.OPS`, so
that it exists on every backend and has a gradient itself. It runs on types, so sizes may be symbolic: a size is never
asked what number it is, but for 1 and 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlc.dims import Size
from dlc.ir import FLOATS, TensorType
from dlc.ops import OPS
from dlc.ops.api import Attributes, Op
from dlc.ops.attributes import normalise_attributes

#: Makes an equation: op, contents of the operands, normal attributes, result types -> contents of the results.
Emit = Callable[[Op, Sequence[Any], Attributes, Sequence[TensorType]], Sequence[Any]]


class Value:
    """A tensor: its type, and what the builder knows it by (`content`: a value id, an array)."""

    __slots__ = ("builder", "content", "type")

    def __init__(self, builder: Builder, type: TensorType, content: Any) -> None:
        self.builder, self.type, self.content = builder, type, content

    @property
    def shape(self) -> tuple[Size, ...]:
        return self.type.shape

    def __add__(self, other: Operand) -> Value:
        return self.builder("add", self, other)

    def __radd__(self, other: float) -> Value:
        return self.builder("add", other, self)

    def __sub__(self, other: Operand) -> Value:
        return self.builder("subtract", self, other)

    def __rsub__(self, other: float) -> Value:
        return self.builder("subtract", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self.builder("multiply", self, other)

    def __rmul__(self, other: float) -> Value:
        return self.builder("multiply", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return self.builder("divide", self, other)

    def __rtruediv__(self, other: float) -> Value:
        return self.builder("divide", other, self)

    def __neg__(self) -> Value:
        return self.builder("negative", self)


#: A number takes the element type of the last tensor beside it.
Operand = Value | float


class Builder:
    """Applies ops by name, typed by their own rules; `emit` says what an application becomes."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def __call__(self, name: str, *operands: Operand, **attributes: Any) -> Value:
        """The result of an op that has one. Raises OpError where the types do not fit."""
        (result,) = self.many(name, *operands, **attributes)
        return result

    def many(self, name: str, *operands: Operand, **attributes: Any) -> tuple[Value, ...]:
        """All results of an op."""
        op = OPS[name]
        values = self._values(operands)
        types = [value.type for value in values]
        normal = normalise_attributes(op, attributes, types)
        results = op.infer(types, normal)
        contents = self._emit(op, [value.content for value in values], normal, results)
        return tuple(Value(self, type, content) for type, content in zip(results, contents, strict=True))

    def constant(self, number: float, dtype: str, shape: Sequence[Size] = ()) -> Value:
        return self("constant", value=number, dtype=dtype, shape=shape)

    def zeros(self, type: TensorType) -> Value:
        return self.constant(0, type.dtype, type.shape)

    def count(self, size: Size, dtype: str) -> Operand:
        """A size as an operand."""
        if isinstance(size, int):
            return size
        return self("cast", self("dimension", size=size), dtype=dtype)

    def _values(self, operands: Sequence[Operand]) -> list[Value]:
        dtypes = [operand.type.dtype for operand in operands if isinstance(operand, Value)]
        return [item if isinstance(item, Value) else self.constant(item, dtypes[-1]) for item in operands]


@dataclass(frozen=True, slots=True)
class Applied:
    """An op at work. `cotangents`: one per result, None where it is 0; the first is there where there is one result."""

    operands: tuple[Value, ...]
    results: tuple[Value, ...]
    attributes: Attributes
    cotangents: tuple[Value | None, ...]

    @property
    def cotangent(self) -> Value:
        """Of the first result."""
        found = self.cotangents[0]
        assert found is not None
        return found

    def every_cotangent(self, b: Builder) -> tuple[Value, ...]:
        """With zeros where nothing arrives."""
        pairs = zip(self.results, self.cotangents, strict=True)
        return tuple(b.zeros(result.type) if found is None else found for result, found in pairs)


#: The cotangent of each operand, of the operand's type; None where it is 0 or the operand is no float.
Cotangents = tuple[Value | None, ...]
Gradient = Callable[[Builder, Applied], Cotangents]

#: By op name. None: nothing flows back, as no float comes out, or none goes in, or the derivative is 0.
Gradients = Mapping[str, Gradient | None]


def is_float(value: Value) -> bool:
    return value.type.dtype in FLOATS


def unary(rule: Callable[[Builder, Value, Value, Value], Value]) -> Gradient:
    """The gradient of y = f(x), from rule(b, x, y, cotangent of y)."""

    def gradient(b: Builder, use: Applied) -> Cotangents:
        return (rule(b, use.operands[0], use.results[0], use.cotangent),)

    return gradient
