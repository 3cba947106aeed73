"""What folding finds: the classes of a unit, and which module is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dlc.backends.api import Unit
from dlc.backends.common import held, sizes
from dlc.backends.common.form import PREPARE, Convention, Form, Target
from dlc.backends.common.native import Native, Natives
from dlc.backends.common.size_reasons import Reasons
from dlc.backends.common.structure import Prepared
from dlc.ir import BlockId, Call, Module, Program, Scan


@dataclass(frozen=True, slots=True)
class Member:
    program: int
    module: Module


@dataclass(frozen=True, slots=True)
class Folded:
    """One class (or function, or native layer). `dims` and `hyperparameters`: what its constructor takes, in order.

    Members that are what is computed once (`PREPARE`) come last.
    """

    index: int
    block: BlockId
    members: tuple[Member, ...]
    form: Form | None
    native: Native | None
    dims: tuple[str, ...]
    hyperparameters: tuple[str, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*self.dims, *self.hyperparameters)

    @property
    def fixed(self) -> frozenset[str]:
        """The names for one value of which it is written. A native has what its condition asks for."""
        if self.form is not None:
            return self.form.fixed
        names = (name for name, _ in self.members[0].module.hyperparameters)
        return frozenset(name for name in names if name not in self.hyperparameters)


@dataclass
class Folding:
    """All classes of a unit, callees before callers. `sized`: constructors take the dimensions that they need."""

    unit: Unit
    programs: tuple[Program, ...]
    natives: Natives
    sized: bool = True
    classes: list[Folded] = field(default_factory=list[Folded])
    assigned: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    prepared: dict[tuple[int, str], Prepared] = field(default_factory=dict[tuple[int, str], Prepared])
    tables: list[Mapping[str, Module]] = field(default_factory=list[Mapping[str, Module]])
    #: Per program: callees of each instance (see `held`), and modules that run as a given layer.
    uses: list[held.Uses] = field(default_factory=list[held.Uses])
    given: list[frozenset[str]] = field(default_factory=list[frozenset[str]])
    #: By the id of a printed form: its inputs' names in the code, where a word of the spec is none of Python's.
    words: dict[int, Mapping[str, str]] = field(default_factory=dict[int, "Mapping[str, str]"])

    @cached_property
    def sizes(self) -> sizes.Sizes:
        return sizes.Sizes(self.module, self.unit.declarations)

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons(self.sizes)

    def module(self, program: int, key: str) -> Module:
        return self.tables[program][key]

    def target(self, program: int, key: str) -> Target:
        return Target(self.assigned[program, key])

    def of(self, target: Target) -> Folded:
        return self.classes[target.index]

    def results(self, target: Target | Convention, part: str = "") -> tuple[str, ...]:
        """Outputs and next states of what is called."""
        if isinstance(target, Convention):
            return target.results
        module = next(m.module for m in self.of(target).members if (m.module.part == PREPARE) == (part == PREPARE))
        return tuple(port.name for port in (*module.outputs, *module.next_states))

    def owns(self, target: Target) -> bool:
        """True if objects of the class hold parameters or buffers, their own or those of a layer in them."""
        members = self.of(target).members
        if any(member.module.parameters for member in members):
            return True
        below = {
            self.assigned[member.program, equation.target.module]
            for member in members
            for equation in member.module.body
            if isinstance(equation.target, Call | Scan)
        }
        return any(self.owns(Target(index)) for index in below)

    def entry(self, program: int) -> Folded:
        return self.classes[self.assigned[program, self.programs[program].entry]]
