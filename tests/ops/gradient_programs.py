"""Ops recorded as a list of equations, run with the NumPy meanings, and differentiated backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dlc.check_ir import check_program
from dlc.dims import Dim, Size, evaluate, is_symbol, symbol
from dlc.ir import FLOATS, BlockId, Equation, Home, Module, Port, Program, Static, TensorType
from dlc.ops.api import Attributes, Op, OpError, Sample
from dlc.ops.gradients import cotangents
from dlc.ops.gradients.api import Applied, Builder, Value
from dlc.ops.samples import Case, draw


@dataclass
class Recorded:
    """An equation: values are numbers in order of their making."""

    op: Op
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Attributes


@dataclass
class Tape:
    """A program that grows while ops are applied through `builder`."""

    types: list[TensorType] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    equations: list[Recorded] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.builder = Builder(self._emit)

    def _emit(
        self, op: Op, operands: Sequence[int], attributes: Attributes, results: Sequence[TensorType]
    ) -> Sequence[int]:
        outputs = tuple(map(self._new, results))
        self.equations.append(Recorded(op, tuple(operands), outputs, attributes))
        return outputs

    def _new(self, type: TensorType) -> int:
        self.types.append(type)
        return len(self.types) - 1

    def input(self, type: TensorType) -> Value:
        self.inputs.append(self._new(type))
        return self.value(self.inputs[-1])

    def value(self, number: int) -> Value:
        return Value(self.builder, self.types[number], number)

    def run(
        self, arrays: Sequence[Any], wanted: Sequence[Value], sizes: Mapping[str, int] = {}, precision: str = "f64"
    ) -> list[Any]:
        """The wanted values, from arrays for the inputs; `sizes` gives what symbols are. Results are what types say."""
        values: dict[int, Any] = dict(zip(self.inputs, arrays, strict=True))
        for equation in self.equations:
            attributes = {name: concrete(value, sizes) for name, value in equation.attributes.items()}
            operands = [values[number] for number in equation.inputs]
            results = equation.op.evaluate(operands, attributes | {"precision": precision})
            for number, result in zip(equation.outputs, results, strict=True):
                expected = concrete(self.types[number].shape, sizes)
                assert result.shape == expected, f"{equation.op.name} gave {result.shape}, its type {expected}"
                values[number] = result
        return [values[item.content] for item in wanted]


def concrete(value: Any, sizes: Mapping[str, int]) -> Any:
    """With numbers for symbols, in tuples too."""
    if isinstance(value, tuple):
        return tuple(concrete(item, sizes) for item in value)
    return evaluate(value, sizes) if isinstance(value, Dim) else value


def backwards(tape: Tape, seeds: Mapping[int, Value], wanted: Sequence[Value]) -> list[Value | None]:
    """What flows back to `wanted` from the cotangents `seeds` of values: reverse mode over all equations so far."""
    b = tape.builder
    flowing = dict(seeds)
    for equation in reversed(tape.equations.copy()):
        use = Applied(
            tuple(map(tape.value, equation.inputs)),
            tuple(map(tape.value, equation.outputs)),
            equation.attributes,
            tuple(flowing.get(number) for number in equation.outputs),
        )
        for number, found in zip(equation.inputs, cotangents(b, equation.op, use), strict=True):
            if found is None:
                continue
            assert found.type == tape.types[number], f"{equation.op.name}: {found.type} for a {tape.types[number]}"
            flowing[number] = flowing[number] + found if number in flowing else found
    return [flowing.get(value.content) for value in wanted]


@dataclass
class OneOp:
    """An op on inputs, and its gradient: `seeds` are inputs for the cotangents of its float results."""

    tape: Tape
    operands: list[Value]
    results: tuple[Value, ...]
    seeds: list[Value]
    found: list[Value | None]


def one_op(op: Op, types: Sequence[TensorType], attributes: Attributes) -> OneOp:
    tape = Tape()
    operands = [tape.input(type) for type in types]
    results = tape.builder.many(op.name, *operands, **attributes)
    seeds = {item.content: tape.input(item.type) for item in results if item.type.dtype in FLOATS}
    found = backwards(tape, seeds, operands)
    return OneOp(tape, operands, results, list(seeds.values()), found)


def drawn(arrays: Sequence[Any], seed: int) -> list[Any]:
    """Cotangents for float arrays."""
    generator = np.random.default_rng(seed)
    return [
        np.asarray(generator.normal(size=array.shape)).astype(array.dtype)
        for array in arrays
        if array.dtype.kind == "f"
    ]


@dataclass
class Form:
    """A case with the symbol S for a size wherever it stands."""

    case: Case
    size: int
    types: tuple[TensorType, ...]
    attributes: Attributes


def symbolic_forms(case: Case) -> list[Form]:
    """One for each size of the operands that can be a symbol, in order."""
    sizes = sorted({size for item in case.types for size in item.shape if isinstance(size, int) and size > 0})
    forms = [_form(case, size) for size in sizes]
    return [form for form in forms if form is not None]


def _form(case: Case, size: int) -> Form | None:
    types = tuple(TensorType(item.dtype, tuple(_renamed(n, size) for n in item.shape)) for item in case.types)
    attributes = dict(case.attributes)
    for spec in case.op.attributes:
        if spec.kind == "size":
            attributes[spec.name] = _renamed(attributes[spec.name], size)
        if spec.kind == "sizes":
            attributes[spec.name] = tuple(_renamed(item, size) for item in attributes[spec.name])
    shapes = [item.shape for item in case.evaluate()]
    for chosen in (attributes, case.attributes):
        try:
            results = case.op.infer(types, chosen)
        except OpError:
            continue
        # The type rule may find another size than there is: a slice that is clamped.
        if [concrete(item.shape, {"S": size}) for item in results] == shapes:
            return Form(case, size, types, chosen)
    return None


def _renamed(size: Any, replaced: int) -> Size:
    return symbol("S") if size == replaced else size


def flows(op: Op, sample: Sample) -> bool:
    """Whether something flows back in this sample."""
    if op.gradient is None:
        return False
    case = draw(op, sample)
    return any(item is not None for item in one_op(op, case.types, case.attributes).found)


def network_of(program: OneOp) -> Program:
    """The gradient as a network: operands and seeds are inputs `x0`, ..., what flows back are outputs `g0`, ...

    A symbol is read from the first input axis that is just it.
    """
    tape = program.tape
    flowing = [item.content for item in program.found if item is not None]
    body = needed(tape.equations, flowing)
    homes: dict[str, Home] = {}
    for index, number in enumerate(tape.inputs):
        for axis, size in enumerate(tape.types[number].shape):
            name = is_symbol(size)
            if name is not None:
                homes.setdefault(name, Home(name, f"x{index}", axis, size))
    module = Module(
        key="m",
        block=BlockId("test.dl", "Net"),
        doc=None,
        hyperparameters=(),
        dims=(),
        homes=tuple(homes.values()),
        training=False,
        inputs=tuple(Port(f"x{index}", number) for index, number in enumerate(tape.inputs)),
        absent=(),
        parameters=(),
        states=(),
        draws=(),
        instances=(),
        types=tuple(tape.types),
        body=tuple(
            Equation(item.op.name, item.inputs, item.outputs, tuple((k, Static(v)) for k, v in item.attributes.items()))
            for item in body
        ),
        outputs=tuple(Port(f"g{index}", number) for index, number in enumerate(flowing)),
        next_states=(),
        next_buffers=(),
        signature=tuple((f"x{index}", False) for index in range(len(tape.inputs))),
    )
    network = Program("Net", (module,), "m")
    check_program(network)
    return network


def needed(equations: Sequence[Recorded], wanted: Sequence[int]) -> list[Recorded]:
    """The equations that lead to the wanted values, in order."""
    reached, kept = set(wanted), []
    for equation in reversed(equations):
        if reached.intersection(equation.outputs):
            reached.update(equation.inputs)
            kept.append(equation)
    return kept[::-1]


@dataclass
class Expected:
    """A gradient in float32, as a backend runs it: the network, its inputs, and the results in float64."""

    network: Program
    inputs: dict[str, Any]
    results: dict[str, Any]
    #: What to allow, as a part of the largest result: 8 times the error of NumPy's float32, 32 eps at least.
    slack: float


def expected(case: Case, types: Sequence[TensorType], attributes: Attributes, sizes: Mapping[str, int]) -> Expected:
    """Of a case whose float operands are float32; `types` and `attributes` may hold symbols of `sizes`."""
    program = one_op(case.op, types, attributes)
    single = [*case.operands, *drawn(case.evaluate(), seed=9)]
    exact = [array.astype("float64") if array.dtype.kind == "f" else array for array in single]
    wanted = [item for item in program.found if item is not None]
    slack = 32 * float(np.finfo("float32").eps)
    results = program.tape.run(exact, wanted, sizes)
    for a, b in zip(program.tape.run(single, wanted, sizes, "f32"), results, strict=True):
        fine = np.isfinite(a) & np.isfinite(b)
        scale = np.abs(b[fine]).max(initial=0.0)
        slack = max(slack, 8 * float(np.abs(a[fine] - b[fine]).max(initial=0.0) / scale)) if scale > 0 else slack
    inputs = {f"x{index}": array for index, array in enumerate(single)}
    return Expected(network_of(program), inputs, {f"g{i}": array for i, array in enumerate(results)}, slack)
