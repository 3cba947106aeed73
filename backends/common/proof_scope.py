"""What names and references stand for while a merged form is run with one module's arguments.

Constants, references and sizes are evaluated here; `prove` compares them with the module. Raises Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from dlc.backends.common.evaluate import Unknown
from dlc.backends.common.form import Bind, Element, Listing, Own, Ref, Reference, Spread, Temp, Value, Var
from dlc.backends.common.ranks import Rank
from dlc.backends.common.structure import Prepared
from dlc.backends.common.values import Refused, agrees, value_of
from dlc.ir import Content, Module, TensorType


@dataclass(slots=True)
class ProofScope:
    """`variables`: the spec's names; `temps`: results of nodes, `collected`: those of all turns of a loop."""

    prepared: Prepared
    names: dict[str, object]
    turns: tuple[int, ...] = ()
    variables: dict[str, Content] = field(default_factory=dict[str, Content])
    temps: dict[int, int] = field(default_factory=dict[int, int])
    collected: dict[int, list[int]] = field(default_factory=dict[int, "list[int]"])
    own: dict[str, int] = field(default_factory=dict[str, int])
    extents: dict[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        module = self.module
        inputs = {port.name: port.value for port in module.inputs}
        self.own = {
            **{p.name: p.value for p in module.parameters},
            **{s.name: s.value for s in module.states},
            **inputs,
        }
        self.variables = {**inputs, **dict.fromkeys(module.absent)}
        self.variables.update({s.name: s.value for s in module.states if s.name.isidentifier()})

    @property
    def module(self) -> Module:
        return self.prepared.module

    def evaluate(self, value: Value, size: Callable[[str], object] | None = None) -> object:
        """The constant; `size` tells the sizes that an `Extent` reads, which else are those that `__init__` keeps."""
        return value_of(value, self.names, self.module.homes, self.turns, size or self._extent)

    def size_here(self, word: str) -> object:
        """The size of what a name stands for now, as `forward` reads it."""
        name, axis = word.rsplit(".", 1)
        content = self.variables.get(name)
        if not isinstance(content, int):
            raise Unknown(f"{name} is no tensor here")
        return self.type_of(content).shape[int(axis)]

    def _extent(self, word: str) -> object:
        if word not in self.extents:
            raise Unknown(f"the size {word} is not known here")
        return self.extents[word]

    def keep_extents(self, node: Bind) -> None:
        """Sizes that `__init__` keeps for what is bound: each must be the size of that axis."""
        if not node.extents:
            return
        content = self.variables[node.name]
        if not isinstance(content, int):
            raise Refused(f"sizes of {node.name}, which is no tensor")
        shape = self.type_of(content).shape
        for axis, value in node.extents:
            self.constant(f"size of {node.name}", value, shape[axis], None)
            self.extents[f"{node.name}.{axis}"] = shape[axis]

    def require_extents(self) -> None:
        """The sizes that are kept are those of what the names stand for now."""
        for key, size in self.extents.items():
            name, axis = key.rsplit(".", 1)
            content = self.variables.get(name)
            if isinstance(content, int):
                self.same(f"size of {name}", size, self.type_of(content).shape[int(axis)])

    def constant(
        self, what: str, value: Value, wanted: object, rank: Rank, size: Callable[[str], object] | None = None
    ) -> None:
        try:
            found = self.evaluate(value, size)
        except Unknown as problem:
            raise Refused(f"{what}: {problem}") from problem
        if not agrees(found, wanted, rank):
            raise Refused(f"{what}: {found!r} instead of {wanted!r}")

    def operands(self, operands: Sequence[Ref | Spread]) -> tuple[int | None, ...]:
        out: list[int | None] = []
        for operand in operands:
            out.extend(self._spread(operand) if isinstance(operand, Spread) else (self.value(operand),))
        return tuple(out)

    def _spread(self, spread: Spread) -> tuple[int, ...]:
        if isinstance(spread.source, int):
            return tuple(self.collected[spread.source])
        content = self.variables[spread.source]
        if not isinstance(content, tuple):
            raise Refused(f"{spread.source} is no list")
        return cast("tuple[int, ...]", content)

    def value(self, ref: Ref) -> int:
        value = self.maybe(ref)
        if not isinstance(value, int):
            raise Refused(f"{ref} is no tensor")
        return value

    def maybe(self, ref: Ref) -> Content:
        match ref:
            case Own(name):
                return self.own[name]
            case Temp(id):
                return self.temps[id]
            case Var(name):
                return self.variables[name]
            case Element(name, index):
                content = self.variables[name]
                if not isinstance(content, tuple):
                    raise Refused(f"{name} is no list")
                return content[cast(int, self.evaluate(index))]

    def content(self, content: Reference) -> Content:
        if content is None:
            return None
        if not isinstance(content, Listing):
            return self.maybe(content)
        out: list[Content] = []
        for item in content.items:
            out.extend(self._spread(item) if isinstance(item, Spread) else (self.content(item),))
        return tuple(out)

    def results(self, temps: Sequence[int], values: Sequence[int]) -> None:
        for temp, value in zip(temps, values, strict=True):
            self.temps[temp] = value

    def type_of(self, value: int) -> TensorType:
        return self.module.types[value]

    def same(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise Refused(f"{what}: {found!r} instead of {wanted!r}")
