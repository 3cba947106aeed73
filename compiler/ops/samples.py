"""Samples: short ways to write them, and `draw`, which turns one into arrays, types and normalised attributes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from dlc.ir import TensorType
from dlc.ops.api import Op, Sample
from dlc.ops.attributes import normalise_attributes
from dlc.ops.dtypes import family_of, numpy_dtype
from dlc.ops.lazy_numpy import np
from dlc.ops.promotion import promote
from dlc.spec.record import record

INF = float("inf")
NAN = float("nan")


def floats(*shape: int) -> tuple[Any, ...]:
    """Normal draws."""
    return ("float", shape)


def between(low: float, high: float, *shape: int) -> tuple[Any, ...]:
    """Uniform draws from [low, high)."""
    return ("float", shape, low, high)


def ints(low: int, high: int, *shape: int) -> tuple[Any, ...]:
    """Integers low <= i < high."""
    return ("int", shape, low, high)


def bools(*shape: int) -> tuple[Any, ...]:
    return ("bool", shape)


def value(dtype: str, nested: object) -> tuple[Any, ...]:
    """The numbers themselves."""
    return ("value", dtype, nested)


def sample(*operands: tuple[Any, ...], name: str = "", **attributes: object) -> Sample:
    return Sample(operands, tuple(attributes.items()), name)


@record
class Case:
    """A drawn sample, ready for `op.infer(types, attributes)`; `evaluate` gives what the op makes of it."""

    operands: tuple[Any, ...]
    types: tuple[TensorType, ...]
    attributes: dict[str, Any]
    op: Op
    precision: str

    def evaluate(self) -> tuple[Any, ...]:
        """The NumPy results."""
        return self.op.evaluate(self.operands, self.attributes | {"precision": self.precision})


def draw(op: Op, chosen: Sample, precision: str = "f64") -> Case:
    """The sample's arrays (the same at every call), promoted as the elaborator would, floats in width `precision`."""
    seed = zlib.crc32(f"{op.name} {op.samples.index(chosen) if chosen in op.samples else chosen!r}".encode())
    generator = np.random.default_rng(seed)
    arrays = [_draw_operand(described, generator, precision) for described in chosen.operands]
    arrays = _promoted(op, arrays, precision)
    types = tuple(TensorType(family_of(array), tuple(map(int, array.shape))) for array in arrays)
    attributes = normalise_attributes(op, dict(chosen.attributes), types)
    return Case(tuple(arrays), types, attributes, op, precision)


def _draw_operand(described: Sequence[Any], generator: Any, precision: str) -> Any:
    if described[0] == "value":
        return np.asarray(described[2], dtype=numpy_dtype(described[1], precision))
    dtype, shape = described[0], described[1]
    if dtype == "bool":
        return np.asarray(generator.random(shape) < 0.5)
    if dtype == "int":
        return np.asarray(generator.integers(described[2], described[3], shape), dtype=numpy_dtype("int"))
    drawn = generator.uniform(described[2], described[3], shape) if len(described) > 2 else generator.normal(size=shape)
    return np.asarray(drawn, dtype=numpy_dtype("float", precision))


def _promoted(op: Op, arrays: list[Any], precision: str) -> list[Any]:
    first = 1 if op.promotion == "select" else 0
    if op.promotion == "none" or len(arrays) <= first:
        return arrays
    dtype = numpy_dtype(promote([family_of(array) for array in arrays[first:]], op.promotion), precision)
    return arrays[:first] + [array.astype(dtype) for array in arrays[first:]]
