"""Factors and offsets per channel behind a convolution or a matrix product, moved into its weights.

At inference a batch norm multiplies each channel by a number and adds one. Where a call of a block that convolves is
all that a call of such a block reads, both become one convolution: its weight times the factor, then one offset.
The new weights are computed from the parameters by ops without inputs, which a runtime does once, when it loads the
model; parameters stay what they are. Nothing here knows a block by its name: what counts is which ops it is made of.

Cases: `conv` (any groups), `conv_transpose` without groups, `matmul` with a matrix; then additions, subtractions,
products and quotients with what has one number, or one for each channel. Not folded: what is also read elsewhere, and
what goes through any other op.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dlc import dims
from dlc.check_ir import renamed
from dlc.dims import Dim, Size
from dlc.ir import Bind, Call, Equation, Module, Origin, Program, Read, Static, TensorType
from dlc.passes.rewrite import Values, ids, reached, without_values
from dlc.spec.record import replace

_LINEAR = ("conv", "conv_transpose", "matmul")
_AFFINE = ("add", "subtract", "multiply", "divide")


def fold_norms(program: Program) -> Program:
    """A program for inference with what follows convolutions and products folded into their weights."""
    table = program.table
    modules = {module.key: _Folding(module, table).module_folded() for module in program.modules}
    return replace(program, modules=reached(modules, program.entry))


class _NotFoldableError(Exception):
    """These equations stay as they are."""


@dataclass(slots=True)
class _Folding:
    """One module: its equations with calls folded two by two."""

    module: Module
    table: Mapping[str, Module]
    values: Values = field(init=False)

    def __post_init__(self) -> None:
        self.values = Values(self.module.types)

    def module_folded(self) -> Module:
        body = self.module.body
        folded: dict[int, list[Equation]] = {}
        gone: set[int] = set()
        for number, equation in enumerate(body):
            first = self._only_source(equation)
            if first is None or first in folded:
                continue
            known = len(self.values.types)
            try:
                folded[number] = _Pair(self.values).folded([*self._inlined(body[first]), *self._inlined(equation)])
                gone.add(first)
            except _NotFoldableError:
                del self.values.types[known:]
        if not folded:
            return self.module
        lines = [line for at, one in enumerate(body) if at not in gone for line in folded.get(at, [one])]
        made = {head.value for head in (*self.module.inputs, *self.module.parameters, *self.module.states)}
        made |= {draw.value for draw in self.module.draws} | {value for line in lines for value in line.outputs}
        kept = [one for one in lines if not isinstance(one.target, Bind) or made.issuperset(ids(one.target.content))]
        module = replace(self.module, types=tuple(self.values.types), body=tuple(kept))
        return without_values(module, set(range(len(module.types))) - made)

    def _only_source(self, equation: Equation) -> int | None:
        """The number of the equation whose result is all that this call reads, and which nothing else reads."""
        module = self.module
        if not isinstance(equation.target, Call) or len(equation.inputs) != 1:
            return None
        value = equation.inputs[0]
        ports = (*module.outputs, *module.next_states, *module.next_buffers)
        readers = sum(one.inputs.count(value) for one in module.body) + sum(port.value == value for port in ports)
        makers = (number for number, one in enumerate(module.body) if one.outputs == (value,))
        return next(makers, None) if readers == 1 else None

    def _inlined(self, equation: Equation) -> list[Equation]:
        """What a call does, on this module's values; an op stays."""
        target = equation.target
        if target is None:
            return [equation]
        if not isinstance(target, Call) or self.module.instances[target.instance].given is not None:
            raise _NotFoldableError
        callee, sizes = self.table[target.module], dict(target.dims)
        if len(callee.inputs) != 1 or callee.states or callee.draws or len(callee.outputs) != 1 or callee.next_buffers:
            raise _NotFoldableError
        number = {callee.inputs[0].value: equation.inputs[0]}
        lines: list[Equation] = []
        for parameter in callee.parameters:
            value = number[parameter.value] = self.values.new(callee.types[parameter.value])
            read = Read(target.instance, parameter.name)
            lines.append(_made("read", (), value, equation.origin, target=read))
        result = callee.outputs[0].value
        for inner in callee.body:
            if isinstance(inner.target, Bind):
                continue
            if inner.target is not None or len(inner.outputs) != 1:
                raise _NotFoldableError
            out = inner.outputs[0]
            here = equation.outputs[0] if out == result else self.values.new(renamed(callee.types[out], sizes))
            number[out] = here
            attributes = tuple((name, Static(_bound(value.value, sizes))) for name, value in inner.attributes)
            inputs = tuple(number[value] for value in inner.inputs if value is not None)
            lines.append(_made(inner.op, inputs, here, equation.origin, attributes))
        if number.get(result) != equation.outputs[0]:
            raise _NotFoldableError
        return lines


@dataclass(slots=True)
class _Pair:
    """A linear op and what follows it, as equations; `lines` grows with what computes the new weights."""

    values: Values
    lines: list[Equation] = field(default_factory=list[Equation])
    origin: Origin = field(default_factory=Origin)

    def folded(self, found: Sequence[Equation]) -> list[Equation]:
        """Raises _NotFoldableError."""
        constants: set[int | None] = set()
        before: list[Equation] = []
        chain: list[Equation] = []
        for line in found:
            if constants.issuperset(line.inputs):
                constants.update(line.outputs)
                self.lines.append(line)
            elif chain or (line.op in _LINEAR and line.inputs[1] in constants):
                chain.append(line)
            else:
                before.append(line)
        if len(chain) < 2:
            raise _NotFoldableError
        linear, *rest = chain
        self.origin = linear.origin
        scale, offset = self._affine(linear, rest, constants)
        if scale is None:
            raise _NotFoldableError
        final = rest[-1].outputs[0]
        weight = self._scaled(linear, scale)
        result = final if offset is None else self.values.new(self._type(linear.outputs[0]))
        self.lines.append(replace(linear, inputs=(linear.inputs[0], weight), outputs=(result,)))
        if offset is not None:
            shaped = self._reshaped(offset, self._channel_shape(linear))
            self.lines.append(_made("add", (result, shaped), final, self.origin))
        return _read([*before, *self.lines], final)

    def _affine(
        self, linear: Equation, rest: Sequence[Equation], constants: Collection[int | None]
    ) -> tuple[int | None, int | None]:
        """What the rest multiplies each channel by, and what it adds."""
        scale: int | None = None
        offset: int | None = None
        current = linear.outputs[0]
        for line in rest:
            if line.op not in _AFFINE or current not in line.inputs or line.inputs[0] == line.inputs[1]:
                raise _NotFoldableError
            if line.inputs[0] != current and line.op in ("subtract", "divide"):
                raise _NotFoldableError
            other = line.inputs[1] if line.inputs[0] == current else line.inputs[0]
            if other is None or other not in constants:
                raise _NotFoldableError
            number = self._per_channel(linear, other)
            match line.op:
                case "multiply" | "divide":
                    scale = self._joined(line.op, scale, number)
                    offset = None if offset is None else self._joined(line.op, offset, number)
                case _:
                    offset = self._joined(line.op, offset, number)
            current = line.outputs[0]
        return scale, offset

    def _joined(self, op: str, left: int | None, right: int) -> int:
        if left is not None:
            return self._emit(op, (left, right), self._type(left))
        if op in ("add", "multiply"):
            return right
        if op == "subtract":
            return self._emit("negative", (right,), self._type(right))
        kind = self._type(right)
        attributes = (("value", Static(1.0)), ("dtype", Static(kind.dtype)), ("shape", Static(())))
        one = self._emit("constant", (), TensorType(kind.dtype, ()), attributes)
        return self._emit("divide", (one, right), kind)

    def _per_channel(self, linear: Equation, value: int) -> int:
        """A constant as one number for each channel."""
        kind, shape = self._type(value), self._channel_shape(linear)
        if kind.shape == shape:
            return self._reshaped(value, shape[:1])
        if kind.rank > len(shape) or any(size != 1 for size in kind.shape):
            raise _NotFoldableError
        flat = self._reshaped(value, (1,))
        return self._emit("broadcast_to", (flat,), replace(kind, shape=shape[:1]), (("shape", Static(shape[:1])),))

    def _channel_shape(self, linear: Equation) -> tuple[Size, ...]:
        """One number for each channel, as it broadcasts over the result: `[C, 1, 1]` behind a 2d convolution."""
        result = self._type(linear.outputs[0])
        if linear.op == "matmul":
            return result.shape[-1:]
        return (result.shape[1], *[1] * (result.rank - 2))

    def _scaled(self, linear: Equation, scale: int) -> int:
        """The weight with each channel's part multiplied."""
        weight = linear.inputs[1]
        assert weight is not None
        kind, count = self._type(weight), self._type(scale).shape[0]
        if linear.op == "conv":
            shape: tuple[Size, ...] = (count, *[1] * (kind.rank - 1))
        elif linear.op == "conv_transpose" and linear.attribute("groups") == 1:
            shape = (1, count, *[1] * (kind.rank - 2))
        elif linear.op == "matmul" and kind.rank == 2:
            shape = (count,)
        else:
            raise _NotFoldableError
        return self._emit("multiply", (weight, self._reshaped(scale, shape)), kind)

    def _reshaped(self, value: int, shape: tuple[Size, ...]) -> int:
        sources = {line.outputs[0]: line.inputs[0] for line in self.lines if line.op == "reshape"}
        value = sources.get(value) or value
        kind = self._type(value)
        if kind.shape == shape:
            return value
        return self._emit("reshape", (value,), TensorType(kind.dtype, shape), (("shape", Static(shape)),))

    def _type(self, value: int) -> TensorType:
        return self.values.types[value]

    def _emit(
        self, op: str, inputs: tuple[int, ...], kind: TensorType, attributes: tuple[tuple[str, Static], ...] = ()
    ) -> int:
        value = self.values.new(kind)
        self.lines.append(_made(op, inputs, value, self.origin, attributes))
        return value


def _read(lines: Sequence[Equation], final: int) -> list[Equation]:
    """The lines that the final value comes from."""
    wanted: set[int | None] = {final}
    out: list[Equation] = []
    for line in reversed(lines):
        if wanted.intersection(line.outputs):
            wanted.update(line.inputs)
            out.append(line)
    return out[::-1]


def _made(
    op: str,
    inputs: tuple[int | None, ...],
    output: int,
    origin: Origin,
    attributes: tuple[tuple[str, Static], ...] = (),
    target: Read | None = None,
) -> Equation:
    return Equation(op, inputs, (output,), attributes, target, origin)


def _bound(value: object, sizes: Mapping[str, Size]) -> object:
    """An attribute in the caller's dimensions."""
    if isinstance(value, tuple):
        return tuple(_bound(item, sizes) for item in value)
    return dims.substitute(value, sizes) if isinstance(value, Dim) else value
