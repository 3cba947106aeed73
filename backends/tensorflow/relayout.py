"""Rewrites one module for given layouts of its inputs. See `layout`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlc import ir
from dlc.backends.tensorflow.axes import (
    ALIGNED,
    ASKING,
    ELEMENTWISE,
    REDUCING,
    eligible,
    permutation,
    place,
    reduced_axes,
    renamed_axes,
)
from dlc.backends.tensorflow.conversions import Conversions, Forms, vector_size
from dlc.backends.tensorflow.demand import scan_names
from dlc.spec.record import replace

if TYPE_CHECKING:
    from dlc.backends.tensorflow.layout import Pass

SHAPING = frozenset({"reshape", "expand_dims", "squeeze"})


class Relayout(Conversions):
    """One use: `run` gives the new module, and which outputs and next states are channels-last."""

    def __init__(
        self, owner: Pass, module: ir.Module, inputs: frozenset[int], outputs: frozenset[int], spec_outputs: bool
    ) -> None:
        super().__init__(module, owner.demands.values(module, outputs))
        self._owner, self._inputs, self._spec_outputs = owner, inputs, spec_outputs

    def run(self) -> tuple[ir.Module, frozenset[int], frozenset[int]]:
        """The new module; its channels-last outputs (then next states); inputs better given in the spec's order."""
        old = self._old
        ports = [*(port.value for port in old.inputs), *(state.value for state in old.states)]
        for index, value in enumerate(ports):
            self._define(value, last=index in self._inputs)
        for value in [*(p.value for p in old.parameters), *(d.value for d in old.draws)]:
            self._define(value)
        for equation in old.body:
            self._origin = equation.origin
            self._equation(equation)
        self._origin = ir.Origin()
        outputs = [self._output(port) for port in old.outputs]
        count = len(old.inputs)
        states = [self._forced(port, last=count + index in self._inputs) for index, port in enumerate(old.next_states)]
        last = frozenset(index for index, (_, flag) in enumerate([*outputs, *states]) if flag)
        buffers = tuple(replace(port, value=self._first(port.value)) for port in old.next_buffers)
        next_states = tuple(port for port, _ in states)
        body = self._swept(
            [*(p.value for p, _ in outputs), *(p.value for p in next_states), *(p.value for p in buffers)]
        )
        module = replace(
            old,
            homes=tuple(self._home(home) for home in old.homes),
            inputs=tuple(replace(port, value=self._forms[port.value].main) for port in old.inputs),
            parameters=tuple(replace(p, value=self._forms[p.value].main) for p in old.parameters),
            states=tuple(replace(s, value=self._forms[s.value].main) for s in old.states),
            draws=tuple(replace(d, value=self._forms[d.value].main) for d in old.draws),
            types=tuple(self._types),
            body=body,
            outputs=tuple(port for port, _ in outputs),
            next_states=next_states,
            next_buffers=buffers,
        )
        return module, last, self._regrets(body, ports)

    # --- equations ---------------------------------------------------------------------------------------------

    def _equation(self, equation: ir.Equation) -> None:
        op, target = equation.op, equation.target
        if isinstance(target, ir.Bind):
            self._emit(replace(equation, target=ir.Bind(target.name, self._content(target.content))))
        elif isinstance(target, ir.Call):
            self._call(equation, target)
        elif isinstance(target, ir.Scan):
            self._scan(equation, target)
        elif op in ASKING:
            self._ask(equation)
        elif op in ELEMENTWISE:
            self._elementwise(equation)
        elif op in ALIGNED and self._aligned(equation):
            self._follow(equation)
        elif op in REDUCING:
            self._reduce(equation)
        elif op == "stack":
            self._stack(equation)
        elif op == "transpose":
            self._transpose(equation)
        elif not (op in SHAPING and self._to_vector(equation)):
            self._plain(equation)

    def _content(self, content: ir.Content) -> ir.Content:
        if isinstance(content, tuple):
            return tuple(self._content(item) for item in content)
        if content is None:
            return None
        return self._last(content) if self._enters_loop(content) else self._forms[content].main

    def _enters_loop(self, value: int) -> bool:
        """Whether a value that is bound here is wanted channels-last by the first turn of a loop after this."""
        if value not in self._wanted or self._forms[value].last is not None:
            return False
        here = self._origin.frames
        uses = [equation.origin.frames for equation in self._old.body if value in equation.inputs]
        inner = [frames[len(here) :] for frames in uses if frames[: len(here)] == here]
        return any(frames and all(isinstance(frame, ir.Turn) for frame in frames) for frames in inner)

    def _present(self, equation: ir.Equation) -> list[int]:
        return [value for value in equation.inputs if value is not None]

    def _plain(self, equation: ir.Equation) -> None:
        inputs = tuple(None if value is None else self._first(value) for value in equation.inputs)
        self._emit(replace(equation, inputs=inputs, outputs=tuple(self._define(value) for value in equation.outputs)))

    def _ask(self, equation: ir.Equation) -> None:
        data, *rest = self._present(equation)
        self._emit(
            replace(
                equation,
                inputs=(self._last(data), *(self._first(value) for value in rest)),
                outputs=(self._define(equation.outputs[0], last=True),),
                attributes=(*equation.attributes, ("channels_last", ir.Static(True))),
            )
        )

    def _goes_last(self, equation: ir.Equation, operands: Sequence[int]) -> bool:
        """Wanted so later, or so already; where forms are mixed and nobody wants either, the spec's order."""
        if any(value in self._wanted for value in equation.outputs):
            return True
        rank = self._type(equation.outputs[0]).rank
        full = [value for value in operands if self._type(value).rank == rank and self._wide(value)]
        return bool(full) and all(self._has_last(value) for value in full)

    def _elementwise(self, equation: ir.Equation) -> None:
        (output,) = equation.outputs
        operands = self._present(equation)
        if not eligible(self._shape(output)):
            self._plain(equation)
        elif (vectors := self._vectors(operands)) is not None:
            result = self._new(ir.TensorType(self._type(output).dtype, (vector_size(self._shape(output)),)))
            self._old_of[result] = output
            self._forms[output] = Forms(result, vector=result)
            self._emit(replace(equation, inputs=vectors, outputs=(result,)))
        elif self._goes_last(equation, operands):
            inputs = self._broadcastable(operands, self._type(output).rank)
            self._emit(replace(equation, inputs=inputs, outputs=(self._define(output, last=True),)))
        else:
            self._plain(equation)

    def _aligned(self, equation: ir.Equation) -> bool:
        ranks = {self._type(value).rank for value in (*self._present(equation), *equation.outputs)}
        return len(ranks) == 1 and min(ranks) >= 3

    def _follow(self, equation: ir.Equation) -> None:
        operands = self._present(equation)
        if not self._goes_last(equation, operands):
            self._plain(equation)
            return
        self._emit(
            replace(
                equation,
                inputs=tuple(self._last(value) for value in operands),
                outputs=tuple(self._define(value, last=True) for value in equation.outputs),
                attributes=renamed_axes(equation, self._type(operands[0]).rank),
            )
        )

    def _reduce(self, equation: ir.Equation) -> None:
        (source,), (output,) = self._present(equation), equation.outputs
        rank = self._type(source).rank
        kept = self._type(output).rank == rank
        if not eligible(self._shape(source)) or not (self._has_last(source) or (kept and output in self._wanted)):
            self._plain(equation)
            return
        gone = () if kept else reduced_axes(equation, rank)
        left = tuple(axis for axis in permutation(rank) if axis not in gone)
        order = tuple(sorted(left).index(axis) for axis in left)
        as_last = len(order) >= 3 and order == permutation(len(order))
        if not as_last and order != tuple(range(len(order))):
            self._plain(equation)
            return
        attributes = renamed_axes(equation, rank)
        inputs = (self._last(source),)
        self._emit(replace(equation, inputs=inputs, outputs=(self._define(output, as_last),), attributes=attributes))

    def _stack(self, equation: ir.Equation) -> None:
        """Along a new axis of positions: channels stay behind it. Where the operands are so already (each might else be
        turned by itself, outside of the loop that makes them), or have no positions yet."""
        operands, (output,) = self._present(equation), equation.outputs
        rank, axis = self._type(output).rank, equation.attribute("axis")
        assert isinstance(axis, int)
        ready = output in self._wanted if rank == 3 else all(map(self._has_last, operands))
        if axis % rank < 2 or not ready:
            self._plain(equation)
            return
        inputs = tuple(operand if rank == 3 else self._last(operand) for operand in operands)
        attributes = renamed_axes(equation, rank)
        self._emit(replace(equation, inputs=inputs, outputs=(self._define(output, last=True),), attributes=attributes))

    def _transpose(self, equation: ir.Equation) -> None:
        """A transpose of a channels-last value is another transpose, or none; one that moves channels to their place in
        the spec's order is none until that order is needed (of three axes, it may be a matrix that is transposed).
        """
        (source,), (output,) = self._present(equation), equation.outputs
        rank = self._type(source).rank
        value = equation.attribute("axes")
        axes = tuple(range(rank))[::-1] if value is None else tuple(int(a) % rank for a in value)  # type: ignore[union-attr]
        forms = self._forms[source]
        if axes == permuted_back(rank) and (rank > 3 or output in self._wanted):
            value = self._first(source)
            self._defined_in[output] = self._origin.frames
            self._forms[output] = Forms(value, last=value)
            return
        if forms.first is None and forms.last is not None:
            order = tuple(permutation(rank).index(axis) for axis in axes)
            if order == tuple(range(rank)):
                self._forms[output] = Forms(forms.last, first=forms.last)
                return
            source_value, attributes = forms.last, (("axes", ir.Static(order)),)
        else:
            source_value, attributes, order = self._first(source), equation.attributes, axes
        result = self._define(output)
        self._transposed[result] = (source_value, order)
        self._emit(replace(equation, inputs=(source_value,), outputs=(result,), attributes=attributes))

    def _to_vector(self, equation: ir.Equation) -> bool:
        """`[C]` given more axes of 1 stays a vector until something needs the axes."""
        (source,), (output,) = self._present(equation), equation.outputs
        shape = self._shape(output)
        if not eligible(shape) or sum(size != 1 for size in shape) > 1:
            return False
        forms, size = self._forms[source], vector_size(shape)
        vector = forms.first if self._shape(source) == (size,) else forms.vector
        if vector is None or self._types[vector].shape != (size,):
            return False
        self._forms[output] = Forms(vector, vector=vector)
        return True

    # --- calls -------------------------------------------------------------------------------------------------

    def _call(self, equation: ir.Equation, target: ir.Call) -> None:
        wishes = frozenset(index for index, value in enumerate(equation.outputs) if value in self._wanted)
        asked = self._owner.demands.inputs(target.module, wishes)
        given = frozenset(
            index
            for index, value in enumerate(equation.inputs)
            if value is not None and eligible(self._shape(value)) and (index in asked or self._has_last(value))
        )
        variant = self._owner.settle(target.module, given, wishes)
        inputs = tuple(
            None if value is None else self._last(value) if index in variant.inputs else self._first(value)
            for index, value in enumerate(equation.inputs)
        )
        outputs = tuple(self._define(value, index in variant.last) for index, value in enumerate(equation.outputs))
        self._emit(replace(equation, inputs=inputs, outputs=outputs, target=replace(target, module=variant.key)))

    def _scan(self, equation: ir.Equation, target: ir.Scan) -> None:
        """Stacked values are transposed outside the loop; captured values and states as in a call."""
        cell = self._owner.table[target.module]
        ports = [*(port.name for port in cell.inputs), *(state.name for state in cell.states)]
        fed = scan_names(cell, target)
        asked = self._owner.demands.inputs(target.module, frozenset())
        given: set[int] = set()
        for name, value in zip(fed, equation.inputs, strict=False):
            index = ports.index(name)
            scanned = any(lane.name == name for lane in target.scanned)
            follows = not scanned and value is not None and self._has_last(value)
            if value is None or not (index in asked or follows):
                continue
            given.add(index)
        variant = self._owner.settle(target.module, frozenset(given), frozenset())
        names = [*fed, "lengths"]
        inputs = tuple(
            self._scan_input(
                target, names[index], value, index < len(fed) and ports.index(names[index]) in variant.inputs
            )
            for index, value in enumerate(equation.inputs)
        )
        # A stacked output goes by its place among the cell's outputs, a final state by the one behind them.
        made = [port.name for port in cell.outputs]
        lanes = {**dict(enumerate(target.stacked))}
        shift = len(made) - len(target.stacked)
        places = [made.index(lane.name) for lane in target.stacked]
        places += range(len(made), len(equation.outputs) + shift)
        outputs = tuple(
            self._scan_output(lanes.get(index), value, places[index] in variant.last)
            for index, value in enumerate(equation.outputs)
        )
        self._emit(replace(equation, inputs=inputs, outputs=outputs, target=replace(target, module=variant.key)))
        for index, (old, new) in enumerate(zip(equation.outputs, outputs, strict=True)):
            if old not in self._forms:
                order = stacked_order(self._type(old).rank, lanes[index].axis)
                back = tuple(order.index(axis) for axis in range(len(order)))
                self._forms[old] = Forms(new)
                self._forms[old].first = self._forms[old].main = self._reordered(new, back, old)

    def _scan_input(self, target: ir.Scan, name: str, value: int | None, last: bool) -> int | None:
        if value is None:
            return None
        if not last:
            return self._first(value)
        lane = next((lane for lane in target.scanned if lane.name == name), None)
        if lane is None:
            return self._last(value)
        return self._reordered(self._first(value), stacked_order(self._type(value).rank, lane.axis), value)

    def _scan_output(self, lane: ir.Lane | None, old: int, last: bool) -> int:
        """`lane`: of a stacked output, None for a final state."""
        if not last or lane is None:
            return self._define(old, last)
        type_ = self._type(old)
        order = stacked_order(type_.rank, lane.axis)
        return self._new(ir.TensorType(type_.dtype, tuple(type_.shape[axis] for axis in order)), old)

    # --- the module's border -----------------------------------------------------------------------------------

    def _output(self, port: ir.Port) -> tuple[ir.Port, bool]:
        last = not self._spec_outputs and self._has_last(port.value)
        return self._forced(port, last)

    def _forced(self, port: ir.Port, last: bool) -> tuple[ir.Port, bool]:
        return replace(port, value=self._last(port.value) if last else self._first(port.value)), last

    def _home(self, home: ir.Home) -> ir.Home:
        ports = [*(port.name for port in self._old.inputs), *(state.name for state in self._old.states)]
        values = [*(port.value for port in self._old.inputs), *(state.value for state in self._old.states)]
        index = ports.index(home.port)
        return replace(home, axis=place(home.axis, self._type(values[index]).rank)) if index in self._inputs else home

    def _swept(self, kept: Sequence[int]) -> tuple[ir.Equation, ...]:
        """The body without transposes and reshapes that nothing reads any more."""
        used = set(kept)
        body: list[ir.Equation] = []
        for equation in reversed(self._body):
            if equation.op in ("transpose", "reshape") and equation.outputs[0] not in used:
                continue
            used.update(value for value in equation.inputs if value is not None)
            body.append(equation)
        body.reverse()
        defined = self._defined(body)
        return tuple(self._rebound(equation, defined) for equation in body)

    def _defined(self, body: Sequence[ir.Equation]) -> set[int]:
        old = self._old
        ports = (*old.inputs, *old.states, *old.parameters, *old.draws)
        return {self._forms[port.value].main for port in ports} | {v for equation in body for v in equation.outputs}

    def _rebound(self, equation: ir.Equation, defined: set[int]) -> ir.Equation:
        """A bind of a value that is gone names another form of it, if there is one."""
        target = equation.target
        if not isinstance(target, ir.Bind):
            return equation
        return replace(equation, target=ir.Bind(target.name, self._alive(target.content, defined)))

    def _alive(self, content: ir.Content, defined: set[int]) -> ir.Content:
        if isinstance(content, tuple):
            return tuple(self._alive(item, defined) for item in content)
        if content is None or content in defined:
            return content
        old = self._old_of[content]
        return next((value for value in sorted(defined) if self._old_of.get(value) == old), None)

    def _regrets(self, body: Sequence[ir.Equation], ports: Sequence[int]) -> frozenset[int]:
        """Inputs given channels-last that are only turned back."""
        regrets: set[int] = set()
        for index in self._inputs:
            old = ports[index]
            uses = [equation for equation in body if self._forms[old].main in equation.inputs]
            back = {value for _, value in self._converted.get((old, "first", 0), [])}
            if uses and all(back.issuperset(equation.outputs) for equation in uses if equation.op != "bind"):
                regrets.add(index)
        return frozenset(regrets)


def permuted_back(rank: int) -> tuple[int, ...]:
    """The axes of a transpose from channels-last to the spec's order."""
    return tuple(permutation(rank).index(axis) for axis in range(rank))


def stacked_order(rank: int, axis: int) -> tuple[int, ...]:
    """Channels-last order of each step of a stacked value whose time axis is `axis`."""
    steps = [index for index in range(rank) if index != axis]
    order = [steps[index] for index in permutation(rank - 1)]
    order.insert(axis, axis)
    return tuple(order)
