"""A module's body on its way to ONNX: its values, weights and sizes, and how its callees look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.natives import Native
from dlc.backends.onnx.sizes import Sizes
from dlc.ir import Equation, Module, TensorType
from dlc.parameters import join, layer_references

#: The width in which the weights file holds the family float, whatever the compile's precision.
STORED_PRECISION = "f32"


@dataclass(frozen=True, slots=True)
class Passed:
    """A result that is the operand at this place as it came (dropout at inference)."""

    place: int


@dataclass(frozen=True, slots=True)
class Made:
    """A result that is the function's output at this place."""

    place: int


@dataclass(frozen=True, slots=True)
class Callee:
    """A module as its callers see it: `weights` and `buffers` are paths below the instance, in order.

    `gives`: where its outputs, next states and next buffers are found. A function gives no value twice, and none that
    it was given; where nothing is left to make, there is no function, and no `name`. `native`: ONNX's own op, which
    stands for the call.
    """

    module: Module
    name: str
    weights: Sequence[str] = ()
    buffers: Sequence[str] = ()
    gives: Sequence[Passed | Made] = ()
    native: Native | None = None


@dataclass(eq=False, slots=True)
class Scope:
    """A module's body. `ports` are its inputs and states by name; `buffers` stand as calls so far have left them."""

    module: Module
    b: Builder
    callees: Mapping[str, Callee]
    natives: bool
    #: The values of the module that hold no entry of -inf.
    above: frozenset[int]
    #: The entry's weights as the file holds them; in other modules weights come in the compile's precision.
    stored: Mapping[str, TensorType] = field(default_factory=dict[str, TensorType])
    values: dict[int, Value] = field(default_factory=dict[int, Value])
    ports: dict[str, Value] = field(default_factory=dict[str, Value])
    weights: dict[str, Value] = field(default_factory=dict[str, Value])
    buffers: dict[str, Value] = field(default_factory=dict[str, Value])
    casts: dict[str, Value] = field(default_factory=dict[str, Value])
    sizes: Sizes = field(init=False)

    def __post_init__(self) -> None:
        for port in (*self.module.inputs, *self.module.states):
            self.values[port.value] = self.ports[port.name] = Value(port.name)
        for parameter in self.module.parameters:
            self.values[parameter.value] = self.weight(parameter.name)
        self.b.graph.inputs += self.ports.values()
        self.sizes = Sizes(self.b, self.module.homes, self.ports)

    def path(self, instance: int, path: str) -> str:
        """Where a callee's weight belongs in this module.

        A layer that came by a hyperparameter is its giver's: `@hyperparameter/weight` until it is resolved there.
        """
        owner = self.module.instances[instance]
        if owner.given is not None:
            return f"@{owner.given}/{path}"
        if path.startswith("@"):
            name, rest = path[1:].split("/", 1)
            return self.path(layer_references(owner)[name], rest)
        return join(owner.path, path)

    def weight(self, path: str) -> Value:
        """The parameter or buffer at a path below this module's instance, as it stands now."""
        if path in self.buffers:
            return self.buffers[path]
        held = self.weights.setdefault(path, Value(weight_name(path)))
        if path not in self.stored or self.stored[path].dtype != "float" or self.b.precision == STORED_PRECISION:
            return held
        if path not in self.casts:
            self.casts[path] = self.b.cast(held, "float")
        return self.casts[path]

    def given(self, equation: Equation) -> list[Value]:
        return [self.values[index] for index in equation.inputs if index is not None]


def weight_name(path: str) -> str:
    """A weight's name inside a function."""
    return path.replace("@", "").replace("/", ".")
