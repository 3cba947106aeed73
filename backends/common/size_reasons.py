"""What a size depends on: the hyperparameters and dimensions of its module, where no expression tells the size.

A class prints a size that nothing tells as a number. Then it is written for one value of each of these names, and takes
none of them as an argument (see `fold`). An answer may name too much, never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from dlc.backends.common.evaluate import free_names
from dlc.backends.common.frozen import names_behind
from dlc.backends.common.sizes import Sizes
from dlc.ir import Arm, Call, Equation, Frame, Instance, Module, Static, Template
from dlc.spec.syntax import Expr, Name

Reason = frozenset[str]
_NOTHING: Reason = frozenset()


@dataclass
class Reasons:
    """Asked for rarely: what most sizes depend on is what their expressions read."""

    sizes: Sizes
    known: dict[tuple[int, str], list[list[Reason]]] = field(
        default_factory=dict[tuple[int, str], "list[list[Reason]]"]
    )

    def size(self, program: int, module: Module, value: int, axis: int) -> Reason:
        """What an axis of a value depends on, wherever it is read."""
        found = self._of(program, module)[value][axis]
        frames = self.sizes.leaving(program, module).frames.get(value, ())
        return found | self._around(module, frames)

    def value(self, program: int, module: Module, value: int) -> Reason:
        """The same, of all axes."""
        rows = self._of(program, module)[value]
        return _NOTHING.union(*(self.size(program, module, value, axis) for axis in range(len(rows))))

    def expression(self, module: Module, source: Expr | None) -> Reason:
        """What an expression in the module's names depends on; everything, if there is none."""
        if source is None:
            return self.everything(module)
        targets = {target for loop in module.loops for target in loop.targets}
        known = {"training", "pi"}.union(targets, (name for name, _ in (*module.hyperparameters, *module.dims)))
        known.update(name for name, _ in module.signature)
        if not known.issuperset(free_names(source)):  # a local name: nobody knows what it comes from
            return self.everything(module)
        dims = {name for name, size in module.dims if isinstance(size, int)}
        return names_behind(module, source) | dims.intersection(free_names(source))

    def everything(self, module: Module) -> Reason:
        names = (name for name, _ in module.hyperparameters)
        return frozenset((*names, *(name for name, size in module.dims if isinstance(size, int))))

    def _around(self, module: Module, frames: Iterable[Frame]) -> Reason:
        """What decides on whether, and how often, this happens."""
        found = _NOTHING
        for frame in frames:
            if isinstance(frame, Arm):
                found = found.union(*(self.expression(module, test) for test in module.choices[frame.choice].tests))
            else:
                found |= self.expression(module, module.loops[frame.loop].iterable)
        return found

    def _of(self, program: int, module: Module) -> list[list[Reason]]:
        key = (program, module.key)
        if key not in self.known:
            self.known[key] = self._trace(program, module)
        return self.known[key]

    def _trace(self, program: int, module: Module) -> list[list[Reason]]:
        sources = self.sizes.of(program, module)
        found = [[_NOTHING if one is None else self.expression(module, one) for one in axes] for axes in sources]
        for equation in module.body:
            for place, value in enumerate(equation.outputs):
                for axis, source in enumerate(sources[value]):
                    if source is None:
                        found[value][axis] = self._unknown(program, module, equation, place, axis, found)
        return found

    def _unknown(
        self, program: int, module: Module, equation: Equation, place: int, axis: int, found: list[list[Reason]]
    ) -> Reason:
        """All that goes in; of a call, what the callee's own size depends on, in the caller's names."""
        read = [self._read(program, module, value, found) for value in equation.inputs if value is not None]
        everything = _NOTHING.union(*read)
        target = equation.target
        if not isinstance(target, Call):
            statics = [static for _, static in equation.attributes]
            return everything.union(*(self.expression(module, one.source) for one in statics if one.source is not None))
        callee = self.sizes.module(program, target.module)
        port = (*callee.outputs, *callee.next_states)[place]
        inner = self.size(program, callee, port.value, axis)
        instance = module.instances[target.instance]
        names = [name for name, _ in instance.hyperparameters if name in inner]
        bound = _NOTHING
        if inner & {name for name, _ in callee.dims}:
            bound = self._bound(program, module, callee, equation, found, inner) or everything
        return bound.union(*(self.given(module, instance, name) for name in names))

    def _read(self, program: int, module: Module, value: int, found: list[list[Reason]]) -> Reason:
        frames = self.sizes.leaving(program, module).frames.get(value, ())
        return self._around(module, frames).union(*found[value])

    def _bound(
        self,
        program: int,
        module: Module,
        callee: Module,
        equation: Equation,
        found: list[list[Reason]],
        names: Reason,
    ) -> Reason:
        """What the caller's sizes that bind these dimensions depend on; nothing if some can't be seen to be bound."""
        declared = self.sizes.declared(callee)
        ports = [*callee.inputs, *callee.states]
        out, bound = _NOTHING, set[str]()
        for port, value in zip(ports, equation.inputs, strict=False):
            for axis, entry in enumerate(declared.get(port.name, ())):
                if value is not None and isinstance(entry, Name) and entry.id in names and axis < len(found[value]):
                    frames = self.sizes.leaving(program, module).frames.get(value, ())
                    out |= found[value][axis] | self._around(module, frames)
                    bound.add(entry.id)
        return out if {name for name, _ in callee.dims} & names <= bound else _NOTHING

    def given(self, module: Module, instance: Instance, name: str) -> Reason:
        """What a hyperparameter of an instance depends on; a default, on those that it is made of."""
        return self.constant(module, self.sizes.given(instance, name))

    def constant(self, module: Module, static: Static) -> Reason:
        """What a constant depends on: a number that the spec writes, on nothing; a template, on its constants."""
        if static.source is not None:
            return self.expression(module, static.source)
        return _NOTHING.union(*(self.constant(module, one) for one in _statics(static.value)))


def _statics(value: object) -> Iterator[Static]:
    match value:
        case tuple():
            for item in cast("tuple[object, ...]", value):
                yield from _statics(item)
        case Template(_, bound):
            yield from (static for _, static in bound)
        case _:
            return
