"""A Form's body as statements: names, inlining, loops, branches, calls.

What the spec names keeps its name; a result that is used once in its own statement is written where it is used; other
results get a variable. Constructor arguments that the body reads are asked for with `Owner.constant`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from dlc.backends.common import held, replay
from dlc.backends.common.choice import if_chain
from dlc.backends.common.form import (
    PREPARE,
    Bind,
    Branch,
    Fetch,
    Invoke,
    Listing,
    Loop,
    Make,
    Node,
    Own,
    Ref,
    Run,
    Sample,
    Spread,
    Step,
    Store,
    Temp,
)
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.loops import Loops
from dlc.backends.common.plain_starts import is_plain
from dlc.backends.common.printing import Frame
from dlc.backends.common.quote import name, quote, same, statements, target
from dlc.backends.common.reading import used
from dlc.backends.common.rule import VARIES
from dlc.backends.common.values import written
from dlc.backends.common.wishes import noun
from dlc.ir import FLOATS

#: Arithmetic that Python does on numbers as the op does on tensors.
_ARITHMETIC = {
    "add": "$0 + $1",
    "subtract": "$0 - $1",
    "multiply": "$0 * $1",
    "divide": "$0 / $1",
    "negative": "-$0",
    "cast": "$0",
}


@dataclass(slots=True)
class Parts:
    cell: ast.expr
    scanned: list[ast.expr]
    captured: list[ast.expr]
    states: list[ast.expr]
    lengths: ast.expr | None
    results: list[str]


class Body(Loops):
    """Prints one Form (see `Printing`)."""

    def print(self) -> list[ast.stmt]:
        """The statements, `return` included: as a person writes them, if these are proven to be the Form."""
        lines = self._statements()
        twin = Body(self.owner, self.dialect, self.form, self.scope.child(), self)
        plain = twin._statements()
        try:
            replay.require_same(lines, plain, tuple(self.arguments.values()))
        except replay.Misprint:
            self.scope.taken |= twin.scope.taken
            return plain
        return lines

    def _statements(self) -> list[ast.stmt]:
        ends = [ref for _, ref in (*self.form.outputs, *self.form.next_states)]
        out = self.sequence(self.form.body, ends)
        results = [self._end(ref) for ref in ends]
        value = results[0] if len(results) == 1 else ast.Tuple(results, ast.Load())
        out = [*out, ast.Return(value)]
        read = {node.id for line in out for node in ast.walk(line) if isinstance(node, ast.Name)}
        self.sizes = {place: variable for place, variable in self.sizes.items() if variable in read}
        return [*self._preamble(), *out]

    def _end(self, ref: Ref) -> ast.expr:
        if isinstance(ref, Temp) and ref.id in self.numbers:
            return self.dialect.number(*self.numbers[ref.id], self.kinds[ref.id], self)
        return self.ref(ref)

    def _preamble(self) -> list[ast.stmt]:
        """Copies and sizes of inputs whose name the body assigns to, and copies of buffers that it stores, while they
        are still read."""
        out: list[ast.stmt] = []
        for word, variable in self.overwritten.items():
            out += statements("$old = $x", old=name(variable), x=self.dialect.snapshot(self.owner.own(word)))
        if self.plainly:
            for word, variable in self.variables.items():
                if word in self.arguments and variable != self.arguments[word]:
                    out += statements("$copy = $x", copy=name(variable), x=name(self.arguments[word]))
        for (port, axis), variable in self.sizes.items():
            size = self.dialect.extent(name(self.arguments[port]), axis)
            out += statements("$size = $x", size=name(variable), x=size)
        for word, copy in self.copies.items():
            out += statements("$copy = $x", copy=name(copy), x=name(self.arguments[word]))
        return out

    def sequence(self, body: Nodes, ends: Sequence[Ref] = ()) -> list[ast.stmt]:
        body = tuple(node for node in body if self.live.keeps(node))
        out: list[ast.stmt] = []
        place = 0
        while place < len(body):
            node = body[place]
            rest = body[place + 1 :]
            place += 1
            match node:
                case Make():
                    continue
                case Loop():
                    out += self._loop(node, rest)
                case Branch():
                    out += self._branch(node)
                case Bind():
                    out += self._bind(node, rest)
                case Store():
                    out += self.dialect.store(self.owner.own(node.name), self.ref(node.value))
                case Step():
                    out += self._step(node, rest)
                case Run() if self._is_number(node):
                    continue
                case _:
                    skipped, lines = self._value(node, rest, ends)
                    out += lines
                    place += skipped
        return out

    def _is_number(self, node: Run) -> bool:
        """Rank-0 constants, sizes, and arithmetic on these are written where they are used."""
        if len(node.results) != 1 or node.result_types[0].rank != 0:
            return False
        if node.op in ("constant", "dimension"):
            value = dict(node.attributes)["value" if node.op == "constant" else "size"]
            self.numbers[node.results[0]] = (self.value(value), written(value))
            return True
        known = [self.numbers.get(ref.id) if isinstance(ref, Temp) else None for ref in node.operands]
        if node.op not in _ARITHMETIC or any(number is None for number in known):
            return False
        codes = [number[0] for number in known if number is not None]
        if node.op == "cast" and node.result_types[0].dtype not in FLOATS:
            return False
        self.numbers[node.results[0]] = (quote(_ARITHMETIC[node.op], *codes), VARIES)
        return True

    def _value(self, node: Node, rest: Nodes, ends: Sequence[Ref]) -> tuple[int, list[ast.stmt]]:
        """The node's expression, kept for its one use, or assigned. Gives how many of the next nodes are done."""
        expression = self.expression(node)
        results = cast("tuple[int, ...]", node.results)  # type: ignore[union-attr]
        if len(results) == 1 and self._inlines(results[0], rest, ends, expression):
            self.pending[results[0]] = expression
            return 0, []
        alone = len(results) == 1 and not self.plainly
        if alone and results[0] in self.collectors and self.uses[results[0]] == 2:
            return 0, statements("$items.append($x)", items=name(self.collectors[results[0]]), x=expression)
        targets, skipped = self._targets(node, results, rest)
        return skipped, [ast.Assign([target(targets)], expression), *self._collect(results)]

    def _targets(self, node: Node, results: Sequence[int], rest: Nodes) -> tuple[list[str], int]:
        """Variables for the results: the names that are bound to them next, else new ones."""
        following: dict[int, str] = {}
        skipped = 0
        for other in rest:
            if not (isinstance(other, Bind) and isinstance(other.content, Temp) and other.content.id in results):
                break
            if other.content.id in following or not self._may_alias(other, results):
                break
            following[other.content.id] = self.variables[other.name]
            skipped += 1
        targets: list[str] = []
        for temp in results:
            target = following.get(temp) or (self._result_name(node, temp) if self.uses[temp] else "_")
            targets.append(target)
            self.pending[temp] = name(target)
        return targets, skipped

    def _among(self, word: str, owner: str) -> str:
        """A new variable for one of several results: its own name, with the owner's before it if that is taken."""
        return self.scope.allocate(f"{owner}_{word}" if self.scope.is_taken(word) else word)

    def _result_name(self, node: Node, temp: int) -> str:
        if isinstance(node, Invoke) and (len(node.results) > 1 or node.part == PREPARE):
            ports = self.owner.folding.results(node.target, node.part)
            return self._among(ports[node.results.index(temp)].split(".")[-1], node.slot.site)
        return self.scope.allocate(_hint(node))

    def _may_alias(self, node: Bind, results: Sequence[int]) -> bool:
        """A result may live in the spec's variable itself if nothing reads it after that is assigned anew."""
        assert isinstance(node.content, Temp)
        return not self.plainly and (self.uses[node.content.id] == 1 or self.binds[node.name] == 1)

    def _inlines(self, temp: int, rest: Nodes, ends: Sequence[Ref], expression: ast.expr) -> bool:
        if self.plainly or self.uses[temp] != 1 or temp in self.collectors:
            return False
        reads = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
        for node in rest:
            if any(ref == Temp(temp) for ref in used(node)):
                return not isinstance(node, Step) or Temp(temp) in node.states
            if isinstance(node, Loop | Branch | Store | Step):
                return False
            if isinstance(node, Bind) and self.variables[node.name] in reads:
                return False
        return Temp(temp) in ends

    def _collect(self, results: Sequence[int]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for temp in results:
            if temp in self.collectors:
                out += statements("$items.append($x)", items=name(self.collectors[temp]), x=self.pending[temp])
        return out

    def _bind(self, node: Bind, rest: Nodes) -> list[ast.stmt]:
        variable = self.variables[node.name]
        if isinstance(node.content, Listing):
            return self._bind_list(node, variable, node.content)
        value: ast.expr
        if node.content is None or node.content == Own(node.name):
            return []
        if isinstance(node.content, Temp) and node.content.id in self.numbers:
            temp = node.content.id
            number = self.numbers[temp]
            plain = is_plain(node, rest)
            value = number[0] if plain else self.dialect.number(*number, self.kinds[temp], self)
        else:
            value = self.ref(node.content)
        if isinstance(value, ast.Name) and value.id == variable:
            return []
        if isinstance(node.content, Temp) and self.binds[node.name] == 1 and not self.plainly:
            # A name that is bound again would be read too late.
            self.pending[node.content.id] = name(variable)
        return [ast.Assign([ast.Name(variable, ast.Store())], value)]

    def _bind_list(self, node: Bind, variable: str, content: Listing) -> list[ast.stmt]:
        items = content.items
        if len(items) == 1 and isinstance(items[0], Spread) and isinstance(items[0].source, int) and not self.plainly:
            collector = self.collectors[items[0].source]
            return [] if collector == variable else statements("$a = $b", a=name(variable), b=name(collector))
        if len(items) == 2 and items[0] == Spread(node.name) and not self.plainly:
            added = items[1]
            if not isinstance(added, Listing | Spread):
                return statements("$a.append($x)", a=name(variable), x=self.ref(added))
        return statements("$a = $b", a=name(variable), b=self.content(content))

    def _loop(self, node: Loop, rest: Nodes) -> list[ast.stmt]:
        before = self._open_collectors(node, rest)
        frame = Frame(
            node, {target: self._loop_word(target) for target in dict.fromkeys(node.targets) if target != "_"}
        )
        self.frames.append(frame)
        body = self.sequence(node.body)
        self.frames.pop()
        if not body:
            return before
        target, iterable = self._header(frame)
        return [*before, ast.For(target, iterable, body, [])]

    def _branch(self, node: Branch) -> list[ast.stmt]:
        before = dict(self.pending)
        kept = dict(before)
        arms: list[list[ast.stmt] | None] = []
        for arm in node.arms:
            arms.append(None if arm is None else self._arm(arm, before))
            kept.update(self.pending)  # a later choice with the same test may read them
        self.pending = kept
        shortcut = self.owner.absence(node)
        tests = [shortcut] if shortcut is not None else [self._source(test) for test in node.tests]
        pairs = [(test, arm) for test, arm in zip(tests, arms, strict=False) if arm is not None]
        orelse = arms[-1]
        if orelse is None:
            _, orelse = pairs.pop()
        return if_chain(pairs, orelse)

    def _arm(self, arm: Nodes, before: dict[int, ast.expr]) -> list[ast.stmt]:
        self.pending = dict(before)
        return self.sequence(arm)

    def _step(self, node: Step, rest: Nodes) -> list[ast.stmt]:
        parts = Parts(
            self.slot(node.slot),
            [self.ref(ref) for ref in node.scanned],
            [self.ref(ref) for ref in node.captured],
            [self.tensor(ref) for ref in node.states],
            None if node.lengths is None else self.ref(node.lengths),
            [],
        )
        cell = self.owner.folding.of(node.target).members[0].module
        stacked = [lane.name for lane in node.scan.stacked]
        wishes = [*stacked, *(port.name for port in cell.next_states)]
        collects = self.dialect.collects(node, self)
        bounds = (one.name for one in rest if isinstance(one, Bind) and one.content == Temp(node.results[0]))
        whole = next(bounds, node.slot.site.removeprefix(held.MARK))
        for temp, wish in zip(node.results, wishes, strict=True):
            bound = next((one.name for one in rest if isinstance(one, Bind) and one.content == Temp(temp)), None)
            alias = bound is not None and self.binds[bound] == 1 and bound not in self.arguments and not self.plainly
            state = temp in node.results[len(stacked) :]
            word = wish.split(".")[-1]
            if alias and bound is not None and (state or not collects):
                parts.results.append(self.variables[bound])
            elif self.uses[temp] and (state or not collects):
                parts.results.append(self._among(word, whole))
            else:
                parts.results.append(self.local(word, parts.results))
        lines, outputs = self.dialect.scan(node, parts, self)
        for temp, word in zip(node.results, parts.results, strict=True):
            self.pending[temp] = name(word)
        for temp, wish, word, code in zip(node.results, stacked, parts.results, outputs, strict=False):
            if self._inlines(temp, rest, (), code):
                self.pending[temp] = code
            elif self.uses[temp]:
                own = self._among(wish, whole) if collects else word
                self.pending[temp] = name(own)
                lines += [] if same(code, name(own)) else statements("$x = $y", x=name(own), y=code)
        return lines


def _hint(node: Node) -> str:
    """A variable's name for a result that the spec does not name."""
    match node:
        case Run():
            return noun(node.op)
        case Invoke() | Step():
            return noun(node.slot.site)
        case Sample():
            return node.draw.name
        case Fetch():
            return node.parameter.split(".")[-1]
        case _:
            return "value"


__all__ = ["Body", "Parts"]
