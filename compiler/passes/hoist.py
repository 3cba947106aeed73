"""What a scanned cell computes from captured inputs and parameters alone is computed once, before the scan.

The cell's module is split in `prepare` and `step`, both on the cell's instance; the caller calls `prepare` with what
the cell captures and hands the results to the scan. A block inside the cell that is called with captured inputs (an
attention with its memory) is split in the same way: its `prepare` is called by the cell's.

Only what is worth it moves: matrix products, convolutions, scans, what they read and what is made of them. Left as they
are: cells that are also called in another way (each such instance has one class, with one `forward`); what is given
layers or sizes by its caller; values that cross from a turn of a loop into the same loop; an inner scan's part computed
once stays inside of an outer scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.ir import Call, Equation, Module, Program, Scan
from dlc.parameters import join, layer_references
from dlc.passes.invariance import Callees, Invariance, Way, invariance, splittable
from dlc.passes.parts import Cut, Parts, scanned
from dlc.passes.places import Place, places
from dlc.passes.rewrite import Values, reached
from dlc.spec.record import replace

#: A module of one of the programs: the program's number and the module's key.
_Key = tuple[int, str]
#: Where an instance is: the network's number and the instance's path.
_Spot = tuple[int, str]


def hoist(programs: Sequence[Program], early: bool = False) -> tuple[Program, ...]:
    """Both programs of each network, in pairs, with what does not depend on the step taken out of scans.

    `early`: only what a block can do before it has been called. Then its own parameters are not there yet, nor, where
    their sizes come from its inputs, its layers.
    """
    plan = _Plan(programs, early)
    plan.settle()
    if not any(plan.splits.values()):
        return tuple(programs)
    return tuple(_Rewriting(plan, number).program() for number in range(len(programs)))


@dataclass(slots=True)
class _Plan:
    """Which ways of running blocks are split, decided for all programs together, round by round.

    `blocked`: places that stay in the step. `refused`: ways that are not split. Both only grow.
    """

    programs: Sequence[Program]
    early: bool
    callees: list[Callees] = field(init=False)
    blocked: dict[Way, set[Place]] = field(default_factory=dict[Way, "set[Place]"])
    refused: set[Way] = field(default_factory=set[Way])
    members: dict[Way, dict[_Key, Invariance]] = field(default_factory=dict[Way, "dict[_Key, Invariance]"])
    splits: dict[Way, dict[_Key, Parts]] = field(default_factory=dict[Way, "dict[_Key, Parts]"])
    numbers: dict[_Key, int] = field(default_factory=dict[_Key, int])
    settled: bool = False

    def __post_init__(self) -> None:
        self.callees = [Callees(program.table) for program in self.programs]

    def module(self, key: _Key) -> Module:
        return self.callees[key[0]].table[key[1]]

    def settle(self) -> None:
        while not self.settled:
            self.members, self.splits, self.numbers, self.settled = {}, {}, {}, True
            for step in (self._walk, self._agree, self._split_all):
                if self.settled:
                    step()

    def _block(self, way: Way, found: set[Place]) -> None:
        self.blocked.setdefault(way, set()).update(found)
        self.settled = False

    def _refuse(self, ways: set[Way]) -> None:
        self.refused |= ways
        self.settled = False

    # --- how blocks are run ------------------------------------------------------------------------------------

    def way_of(self, key: _Key, number: int, way: Way | None) -> Way | None:
        """How the equation runs what it calls, in a module that is run in the way `way`."""
        equation = self.module(key).body[number]
        found: Way | None = None
        if isinstance(equation.target, Scan):
            found = self._scan_way(key, equation.target)
        elif way is not None:
            found = self.members[way][key].inner.get(number)
        return None if found in self.refused else found

    def _scan_way(self, key: _Key, target: Scan) -> Way | None:
        module, cell = self.module(key), self.callees[key[0]].table[target.module]
        instance = module.instances[target.instance]
        if (
            not target.captured
            or instance.given is not None
            or layer_references(instance)
            or not splittable(cell, self.early)
        ):
            return None
        return Way(cell.block, cell.hyperparameters, frozenset(lane.name for lane in target.scanned))

    def _walk(self) -> None:
        """Finds all ways. Where an instance is run in two, these are refused."""
        uses: dict[_Spot, set[Way | None]] = {}
        for number, program in enumerate(self.programs):
            for path, way in self._uses(number, program):
                uses.setdefault((number // 2, path), set()).add(way)
        mixed = {way for ways in uses.values() if len(ways) > 1 for way in ways if way is not None}
        if mixed:
            self._refuse(mixed)

    def _uses(self, number: int, program: Program) -> Iterator[tuple[str, Way | None]]:
        """Each instance's path and how it is run."""
        empty: Mapping[str, str] = {}
        due: list[tuple[str, str, Mapping[str, str], Way | None]] = [(program.entry, "", empty, None)]
        seen: set[tuple[str, str, Way | None]] = set()
        while due:
            key, path, given, way = due.pop()
            if (key, path, way) in seen:
                continue
            seen.add((key, path, way))
            module = self.module((number, key))
            if way is not None:
                self._add(way, (number, key))
            paths = [join(path, one.path) if one.given is None else given[one.given] for one in module.instances]
            for place, equation in enumerate(module.body):
                target = equation.target
                if isinstance(target, Call | Scan):
                    inner = self.way_of((number, key), place, way)
                    yield paths[target.instance], inner
                    references = layer_references(module.instances[target.instance])
                    below = {name: paths[index] for name, index in references.items()}
                    due.append((target.module, paths[target.instance], below, inner))

    def _add(self, way: Way, key: _Key) -> None:
        known = self.members.setdefault(way, {})
        if key not in known:
            known[key] = invariance(self.module(key), way, self.callees[key[0]], self.blocked.get(way, ()), self.early)

    def _agree(self) -> None:
        """A place is the same at each step in all modules that have it, or in none."""
        for way, members in self.members.items():
            once: set[Place] = set()
            rest: set[Place] = set()
            for key, found in members.items():
                for number, place in enumerate(places(self.module(key))):
                    (once if number in found.equations else rest).add(place)
            if once & rest:
                self._block(way, once & rest)

    # --- splitting ---------------------------------------------------------------------------------------------

    def _split_all(self) -> None:
        for way in self.members:
            self._split(way)

    def _split(self, way: Way) -> None:
        """Splits the modules of a way, those of inner ways first."""
        if way in self.splits:
            return
        self.splits[way] = {}
        for found in self.members[way].values():
            for inner in found.inner.values():
                if inner not in self.refused:
                    self._split(inner)
        cuts = self._cuts(way)
        if not any(cut.crossing for cut in cuts.values()):
            return
        turning = {places(cut.module)[number] for cut in cuts.values() for number in cut.turning()}
        if turning:
            self._block(way, turning)
        elif len({tuple(cut.crossing.values()) for cut in cuts.values()}) > 1:
            self._refuse({way})
        else:
            self._part(way, cuts)

    def _part(self, way: Way, cuts: Mapping[_Key, Cut]) -> None:
        captured = {name for cut in cuts.values() for name in cut.captured()} - way.varying
        kept = {name for cut in cuts.values() for name in cut.kept(way.varying)}
        for key, cut in cuts.items():
            count = self.numbers[key] = self.numbers.get(key, 0) + 1
            ending = "" if count == 1 else f"_{count}"
            prepare = cut.prepare(captured, f"{key[1]}.prepare{ending}")
            step = cut.step(kept, f"{key[1]}.step{ending}")
            self.splits[way][key] = Parts(cut.module, prepare, step)

    def _cuts(self, way: Way) -> dict[_Key, Cut]:
        """All modules of a way, cut at the same places: what one of them computes once, all do that have it."""
        members = self.members[way]
        wanted: set[Place] = set()
        while True:
            found = {key: self._once(key, one, wanted) for key, one in members.items()}
            seen = {places(self.module(key))[number] for key, numbers in found.items() for number in numbers}
            if seen <= wanted:
                break
            wanted |= seen
        return {key: self._cut(key, members[key], numbers) for key, numbers in found.items()}

    def _cut(self, key: _Key, found: Invariance, once: set[int]) -> Cut:
        scans: dict[int, Parts] = {}
        for number, equation in enumerate(self.module(key).body):
            parts = self.parts(key, number, None) if isinstance(equation.target, Scan) else None
            if parts is not None:
                scans[number] = parts
        return Cut(self.module(key), once, found, self._inner(key, found), scans)

    def parts(self, key: _Key, number: int, way: Way | None) -> Parts | None:
        """The parts of what an equation calls, if it is split."""
        equation = self.module(key).body[number]
        inner = self.way_of(key, number, way)
        if inner is None or not isinstance(equation.target, Call | Scan):
            return None
        if inner not in self.splits:
            self._split(inner)
        return self.splits.get(inner, {}).get((key[0], equation.target.module))

    def _inner(self, key: _Key, found: Invariance) -> dict[int, Parts]:
        out: dict[int, Parts] = {}
        for number, way in found.inner.items():
            target = self.module(key).body[number].target
            assert isinstance(target, Call)
            parts = self.splits.get(way, {}).get((key[0], target.module))
            if parts is not None and way not in self.refused:
                out[number] = parts
        return out

    def _once(self, key: _Key, found: Invariance, wanted: set[Place]) -> set[int]:
        """Equations that are worth being computed once, or wanted, with what they read and what is made of them."""
        module, callees = self.module(key), self.callees[key[0]]
        movable = {number for number in found.equations if module.body[number].inputs}
        all_places = places(module)
        once = {
            number
            for number in movable
            if all_places[number] in wanted
            or (callees.is_worthy(module.body[number]) and found.captured.intersection(module.body[number].outputs))
        }
        read = {value for number in self._inner(key, found) for value in module.body[number].inputs}
        made = {value for number in once for value in module.body[number].outputs}
        for number in sorted(movable):
            if made.intersection(module.body[number].inputs):
                once.add(number)
                made.update(module.body[number].outputs)
        read |= {value for number in once for value in module.body[number].inputs}
        for number in sorted(movable, reverse=True):
            if read.intersection(module.body[number].outputs):
                once.add(number)
                read.update(module.body[number].inputs)
        return once


@dataclass(slots=True)
class _Rewriting:
    """One program with the parts of the modules that are split, and calls of these."""

    plan: _Plan
    number: int

    def program(self) -> Program:
        old = self.plan.programs[self.number]
        modules: dict[str, Module] = {}
        for module in old.modules:
            modules[module.key] = self._plain(module)
            for members in self.plan.splits.values():
                parts = members.get((self.number, module.key))
                if parts is not None:
                    modules[parts.prepare.key], modules[parts.step.key] = parts.prepare, parts.step
        return replace(old, modules=reached(modules, old.entry))

    def _plain(self, module: Module) -> Module:
        """A module that runs as a whole: only its scans change."""
        values, body = Values(module.types), list[Equation]()
        for place, equation in enumerate(module.body):
            key = (self.number, module.key)
            parts = self.plan.parts(key, place, None) if isinstance(equation.target, Scan) else None
            body += [equation] if parts is None else scanned(equation, parts, values)
        return module if len(body) == len(module.body) else replace(module, types=tuple(values.types), body=tuple(body))
