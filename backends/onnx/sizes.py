"""Sizes at run time: a symbolic dimension becomes `Shape` of its home, arithmetic on sizes int64 nodes.

A size is a vector of one number, as `Concat`, `Slice` and `Reshape` want it. Each is computed once per function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc import dims
from dlc.backends.onnx.graph import Builder, Literal, Value
from dlc.dims import Size
from dlc.ir import ITSELF, Home


class Sizes:
    """The sizes of one function. `ports` are its inputs and states by name, as the homes of dimensions name them."""

    def __init__(self, builder: Builder, homes: Sequence[Home], ports: Mapping[str, Value]):
        self._builder, self._ports = builder, ports
        self._homes = {home.symbol: home for home in reversed(homes)}
        self._known: dict[Size, Value] = {}
        self._scalars: dict[Size, Value] = {}
        self._positions: dict[Size, Value] = {}
        self._filled: dict[tuple[tuple[Size, ...], str], Value] = {}
        self._vectors: dict[tuple[Size, ...], Value] = {}
        self._results: dict[tuple[str, Value, Value], Value] = {}
        self._nonnegative: set[Value] = set()

    def one(self, size: Size) -> Value:
        """The size as an int64 vector of length 1."""
        if isinstance(size, int):
            return self._builder.integers([size])
        if size not in self._known:
            self._known[size] = self._make(size)
        return self._known[size]

    def scalar(self, size: Size) -> Value:
        """The size as an int64 scalar."""
        if isinstance(size, int):
            return self._builder.number(size, "int")
        if size not in self._scalars:
            value = self.one(size)
            self._scalars[size] = self._builder("Squeeze", value, hint=f"{value.hint}_scalar")
        return self._scalars[size]

    def positions(self, count: Size) -> Value:
        """0, 1, ... count - 1."""
        if count not in self._positions:
            zero, one = self._builder.number(0, "int"), self._builder.number(1, "int")
            self._positions[count] = self._builder("Range", zero, self.scalar(count), one, hint="positions")
        return self._positions[count]

    def filled(self, shape: Sequence[Size], number: Literal) -> Value:
        """A tensor of one number."""
        key = (tuple(shape), repr(number))
        if key not in self._filled:
            hint = "zeros" if number.numbers[0] == 0 else "filled"
            self._filled[key] = self._builder("ConstantOfShape", self.vector(shape), hint=hint, value=number)
        return self._filled[key]

    def vector(self, sizes: Sequence[Size], hint: str = "shape") -> Value:
        """Several sizes as one int64 vector; runs of constants stay together."""
        if all(isinstance(size, int) for size in sizes):
            return self._builder.integers([size for size in sizes if isinstance(size, int)])
        if len(sizes) == 1:
            return self.one(sizes[0])
        parts: list[Value] = []
        run: list[int] = []
        for size in sizes:
            if isinstance(size, int):
                run.append(size)
                continue
            parts += [self._builder.integers(run)] if run else []
            parts.append(self.one(size))
            run = []
        parts += [self._builder.integers(run)] if run else []
        key = tuple(sizes)
        if key not in self._vectors:
            self._vectors[key] = self._builder.many("Concat", parts, [hint], {"axis": 0})[0]
        return self._vectors[key]

    def _make(self, size: dims.Dim) -> Value:
        name = dims.is_symbol(size)
        if name is not None:
            return self._symbol(name)
        found = dims.fold(size, self._leaf, self._operate)
        assert isinstance(found, Value)
        found.hint = "size"
        return found

    def _symbol(self, name: str) -> Value:
        home = self._homes[name]
        if home.axis == ITSELF:
            self._nonnegative.add(value := self._builder("Reshape", self._ports[home.port], self.one(1), hint=name))
            return value
        axis = self._builder("Shape", self._ports[home.port], hint=name, start=home.axis, end=home.axis + 1)
        self._nonnegative.add(axis)
        solved = dims.solve(home.size, name, dims.symbol(_AXIS))
        if solved is not None and dims.is_symbol(solved):
            return axis
        return self._solve(home, name, axis)

    def _solve(self, home: Home, name: str, axis: Value) -> Value:
        """`2*T + 1` stands on the axis: T is `(axis - 1) / 2`, which comes out even."""
        found = dims.linear(home.size, name)
        assert found is not None, "a home is linear in its symbol"
        slope, start = found
        value = axis if start == 0 else self._builder("Sub", axis, self.one(start), hint=name)
        return value if slope == 1 else self._builder("Div", value, self.one(slope), hint=name)

    def _leaf(self, leaf: str | int) -> object:
        value = self.one(leaf if isinstance(leaf, int) else dims.symbol(leaf))
        if isinstance(leaf, str) or leaf >= 0:
            self._nonnegative.add(value)
        return value

    def _operate(self, op: str, left: object, right: object) -> object:
        assert isinstance(left, Value)
        assert isinstance(right, Value)
        key = (op, left, right)
        if key in self._results:
            return self._results[key]
        positive = left in self._nonnegative and right in self._nonnegative and op != "-"
        if op == "//" and not positive:
            # Div truncates, sizes floor; Mod without fmod has the divisor's sign, as Python's.
            left = self._builder("Sub", left, self._builder("Mod", left, right, hint="rest"), hint="whole")
        value = self._builder(_OPERATIONS[op], left, right, hint="size")
        if positive:
            self._nonnegative.add(value)
        self._results[key] = value
        return value


_OPERATIONS = {"+": "Add", "-": "Sub", "*": "Mul", "//": "Div", "**": "Pow"}
_AXIS = "axis "
