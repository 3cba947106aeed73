"""Runs a Program with NumPy: what a network means, written as directly as possible.

Each (module, instance, sizes) is planned once: sizes in attributes become ints, constants are computed, operands become
list positions, and values are dropped after their last use. Running a plan is then a loop over its steps, so that a
scan costs no more per time step than its NumPy calls.

Precision: the family float has the width `precision`; `exact` makes every float, of fixed width too, a float64: that
is the oracle. `Perturbation` makes the f64 run tell how much rounding may move its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from dlc.backends.reference.noise import Noise
from dlc.backends.reference.plan import Array, Drawing, Node, Perturbation, Plan, Planner, Values
from dlc.backends.reference.sizes import shape_of, solve_sizes
from dlc.diagnostics import error
from dlc.ir import FLOATS, Module, Program, TensorType
from dlc.ops.dtypes import numpy_dtype
from dlc.parameters import parameters as network_parameters

__all__ = ["Interpreter", "Perturbation", "solve_sizes"]


class Interpreter:
    """A network with its parameters, ready to run.

    `parameters`: arrays by canonical path. `drawing` answers random draws, of programs whose draws are not inputs.
    """

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, Array],
        *,
        precision: str = "f32",
        exact: bool = False,
        perturbation: Perturbation | None = None,
        drawing: Drawing | None = None,
    ):
        self.program = program
        self.table = program.table
        self.entry = self.table[program.entry]
        self.precision = "f64" if exact else precision
        self.exact = exact
        self.perturbation = perturbation
        self.drawing = drawing
        self.initial = {path: self.float_as(array) for path, array in parameters.items()}
        self.store: dict[str, Array] = {}
        self.noise = Noise(0)
        self._plans: dict[tuple[str, int, tuple[tuple[str, int], ...]], Plan] = {}
        self._root = Node("")
        self.buffers = tuple(p.path for p in network_parameters(program) if p.kind == "buffer")

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Outputs by name, next states as `next <state>`; in training also every `buffer <path>` after the step.

        `inputs` holds inputs and states by name; a state may be left out where it has an initial value. Each run
        starts from the parameters given at first. Raises DlcError (E0810) for inputs that do not fit.
        """
        if self.perturbation is not None:
            self.noise = Noise(self.perturbation.seed)
        self.store = dict(self.initial)
        dims = self.sizes(inputs)
        plan = self.plan(self.entry, self._root, dims)
        with np.errstate(all="ignore"):
            results = plan.run(self.arguments(inputs, dims))
        names = [port.name for port in self.entry.outputs] + [f"next {port.name}" for port in self.entry.next_states]
        named = {name: np.asarray(result) for name, result in zip(names, results, strict=True)}
        if self.program.training:
            named.update({f"buffer {path}": np.asarray(self.store[path]) for path in self.buffers})
        return named

    # --- borders ---------------------------------------------------------------------------------------------------

    def dtype(self, name: str) -> Any:
        """NumPy's type for one of dlc's."""
        return np.dtype(np.float64) if self.exact and name in FLOATS else numpy_dtype(name, self.precision)

    def float_as(self, array: Array) -> Array:
        """A parameter in this run's width; integers as they are."""
        return array.astype(self.dtype("float"), copy=False) if array.dtype.kind not in "iub" else array

    def sizes(self, inputs: Mapping[str, Any]) -> dict[str, int]:
        """The dynamic dimensions, read at their homes. A dimension that only an absent state has is 0."""
        known = {port.name for port in (*self.entry.inputs, *self.entry.states)}
        for name in inputs:
            if name not in known:
                raise error(
                    "E0810", f"`{self.program.network}` has no input `{name}`", expected=", ".join(sorted(known))
                )
        return solve_sizes(self.entry, {name: np.shape(value) for name, value in inputs.items()})

    def arguments(self, inputs: Mapping[str, Any], dims: Mapping[str, int]) -> Values:
        """Inputs, then states, converted and checked."""
        found: Values = []
        for port in self.entry.inputs:
            if port.name not in inputs:
                raise error("E0810", f"`{self.program.network}` needs the input `{port.name}`")
            found.append(self.convert(port.name, inputs[port.name], self.entry.types[port.value], dims))
        for state in self.entry.states:
            type_ = self.entry.types[state.value]
            if state.name in inputs:
                found.append(self.convert(state.name, inputs[state.name], type_, dims))
                continue
            shape, start = shape_of(type_, dims), state.initial
            if start is None and 0 not in shape:
                raise error("E0810", f"`{self.program.network}` needs the state `{state.name}`")
            found.append(np.full(shape, 0 if start is None else start.value, self.dtype(type_.dtype)))
        return found

    def convert(self, name: str, value: Any, type_: TensorType, dims: Mapping[str, int]) -> Array:
        array = np.asarray(value)
        shape = shape_of(type_, dims)
        if array.shape != shape:
            raise error(
                "E0810", f"`{name}` has the wrong shape", found=str(list(array.shape)), expected=f"{type_} = {shape}"
            )
        if array.dtype.kind == "f" and type_.dtype not in FLOATS:
            raise error("E0810", f"`{name}` has the wrong type", found=str(array.dtype), expected=type_.dtype)
        return array.astype(self.dtype(type_.dtype), copy=False)

    # --- plans -----------------------------------------------------------------------------------------------------

    def plan(self, module: Module, node: Node, dims: Mapping[str, int]) -> Plan:
        """The steps of a module at an instance and sizes; made once."""
        key = (module.key, id(node), tuple(sorted(dims.items())))
        if key not in self._plans:
            self._plans[key] = Planner(self, module, node, dims).plan()
        return self._plans[key]
