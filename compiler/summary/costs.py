"""What a network costs: multiply-adds, and the bytes of its activations, as polynomials in its dynamic dimensions.

Multiply-adds are those of the contractions, as papers count them: `MULTIPLY_ADDS` has one formula for each op that
contracts, and everything else (sums, activations, norms, pools, draws) counts as 0.

Activations are what a training step keeps for its way back, as summaries of other libraries count it: the results of
the innermost blocks, and of the operations between them. A view of another value (`VIEWS`) costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dlc.dims import Dim, Size, add, floor_divide, multiply, product, substitute
from dlc.ir import Call, Equation, Module, Program, Scan, TensorType

#: As stored; all others have 8.
BYTES: Mapping[str, int] = MappingProxyType({"float": 4, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "bool": 1})

#: Ops whose result is another way to look at their operand, or a constant.
VIEWS = frozenset(
    ("reshape", "expand_dims", "squeeze", "transpose", "broadcast_to", "slice", "split", "unstack", "stop_gradient")
) | frozenset(("constant", "dimension", "read", "bind"))

_Types = Sequence[TensorType]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one module or call: multiply-adds, and bytes of activations."""

    multiply_adds: Size = 0
    activations: Size = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(add(self.multiply_adds, other.multiply_adds), add(self.activations, other.activations))

    def times(self, count: Size) -> Cost:
        return Cost(multiply(self.multiply_adds, count), multiply(self.activations, count))

    def at(self, dims: Mapping[str, Size]) -> Cost:
        return Cost(substitute(self.multiply_adds, dims), substitute(self.activations, dims))


def _matmul(inputs: _Types, output: TensorType, equation: Equation) -> Size:
    return multiply(product(output.shape), inputs[0].shape[-1])


def _einsum(inputs: _Types, output: TensorType, equation: Equation) -> Size:
    """Operands are joined from left to right; a letter goes as soon as nothing after needs it. One operand: 0."""
    left, _, result = str(equation.attribute("pattern")).partition("->")
    terms = left.split(",")
    sizes = {
        letter: size
        for term, operand in zip(terms, inputs, strict=True)
        for letter, size in zip(term, operand.shape, strict=True)
    }
    total: Size = 0
    held = set(terms[0])
    for index, term in enumerate(terms[1:], start=2):
        held |= set(term)
        total = add(total, product([sizes[letter] for letter in sorted(held)]))
        held &= set(result).union(*terms[index:])
    return total


def _conv(inputs: _Types, output: TensorType, equation: Equation) -> Size:
    return multiply(product(output.shape), product(inputs[1].shape[1:]))


def _conv_transpose(inputs: _Types, output: TensorType, equation: Equation) -> Size:
    return multiply(product(inputs[0].shape), product(inputs[1].shape[1:]))


def _solve(inputs: _Types, output: TensorType, equation: Equation) -> Size:
    """An LU decomposition, n^3 / 3, and two substitutions for each right-hand side."""
    n = inputs[0].shape[-1]
    once = floor_divide(product((n, n, n)), 3)
    return add(multiply(product(inputs[0].shape[:-2]), once), multiply(product(output.shape), n))


#: Multiply-adds of an op from its operands' types, its first result's and the equation.
MULTIPLY_ADDS: Mapping[str, Callable[[_Types, TensorType, Equation], Size]] = MappingProxyType(
    {"matmul": _matmul, "einsum": _einsum, "conv": _conv, "conv_transpose": _conv_transpose, "solve": _solve}
)


def costs(program: Program) -> dict[str, Cost]:
    """The cost of one call of each module, in the module's own dimensions."""
    found: dict[str, Cost] = {}
    for module in program.modules:  # callees come before callers
        found[module.key] = _module(module, found)
    return found


def call_cost(target: Call | Scan, known: Mapping[str, Cost]) -> Cost:
    """Of one call, in the caller's dimensions; a scan's cell runs once per step."""
    inner = known[target.module].at(dict(target.dims))
    if isinstance(target, Call):
        return inner
    return inner.times(steps(target))


def steps(target: Scan) -> Size:
    value = target.steps.value
    assert isinstance(value, int | Dim)
    return value


def type_bytes(type_: TensorType) -> Size:
    return multiply(product(type_.shape), BYTES.get(type_.dtype, 8))


def _module(module: Module, known: Mapping[str, Cost]) -> Cost:
    total = Cost()
    innermost = not any(isinstance(equation.target, Call | Scan) for equation in module.body)
    for equation in module.body:
        target = equation.target
        if isinstance(target, Call | Scan):
            total += call_cost(target, known)
            continue
        total += Cost(_multiply_adds(module, equation), 0 if innermost else _results(module, equation))
    return total + Cost(0, _outputs(module)) if innermost else total


def _multiply_adds(module: Module, equation: Equation) -> Size:
    rule = MULTIPLY_ADDS.get(equation.op)
    if rule is None:
        return 0
    inputs = [module.types[value] for value in equation.inputs if value is not None]
    return rule(inputs, module.types[equation.outputs[0]], equation)


def _results(module: Module, equation: Equation) -> Size:
    if equation.op in VIEWS:
        return 0
    return _sum([type_bytes(module.types[value]) for value in equation.outputs])


def _outputs(module: Module) -> Size:
    """What an innermost block gives: an output that is an input, or a view of one, is nothing new."""
    given = {port.value for port in module.inputs} | {state.value for state in module.states}
    for equation in module.body:
        if equation.op in VIEWS and all(value in given for value in equation.inputs):
            given.update(equation.outputs)
    values = {port.value for port in (*module.outputs, *module.next_states)} - given
    return _sum([type_bytes(module.types[value]) for value in sorted(values)])


def _sum(sizes: Sequence[Size]) -> Size:
    total: Size = 0
    for size in sizes:
        total = add(total, size)
    return total
