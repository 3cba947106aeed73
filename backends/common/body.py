"""A Form's body as statements: names, inlining, loops, branches, calls.

What the spec names keeps its name; a result that is used once in its own statement is written where it is used; other
results get a variable. Constructor arguments that the body reads are asked for with `Owner.constant`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from dlc import dims
from dlc.backends.common import held, replay
from dlc.backends.common.dialect import Dialect
from dlc.backends.common.evaluate import Unknown
from dlc.backends.common.expression import negated, python
from dlc.backends.common.facts import Facts
from dlc.backends.common.fold import Folded, Folding
from dlc.backends.common.form import (
    Bind,
    Branch,
    Element,
    Extent,
    Fetch,
    Form,
    Formula,
    Invoke,
    Items,
    Known,
    Listing,
    Loop,
    Make,
    Node,
    Own,
    Ref,
    Reference,
    Run,
    Runtime,
    Sample,
    Slot,
    Spread,
    Step,
    Store,
    Temp,
    Turns,
    Value,
    Var,
    used,
    walk,
)
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.liveness import Live
from dlc.backends.common.names import Scope
from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import literal, name, quote, statements
from dlc.backends.common.rule import VARIES, Site
from dlc.backends.common.shapes import axis_of
from dlc.backends.common.values import value_of
from dlc.dims import Dim, Size
from dlc.ir import FLOATS, TensorType
from dlc.spec import syntax
from dlc.spec.syntax import Expr

#: Arithmetic that Python does on numbers as the op does on tensors.
_ARITHMETIC = {
    "add": "$0 + $1",
    "subtract": "$0 - $1",
    "multiply": "$0 * $1",
    "divide": "$0 / $1",
    "negative": "-$0",
    "cast": "$0",
}


class Owner(Protocol):
    """The class or function that the body belongs to."""

    folded: Folded
    folding: Folding

    def constant(self, word: str) -> ast.expr | None:
        """A constructor argument as the body reads it (`self.heads`), or None if there is none of this name."""
        ...

    def own(self, word: str) -> ast.expr:
        """A parameter or buffer."""
        ...

    def attribute(self, site: str) -> ast.expr:
        """The attribute that holds a site's instance or instances."""
        ...

    def is_function(self, folded: Folded) -> bool: ...

    def function(self, folded: Folded) -> ast.expr: ...

    def module(self, word: str) -> ast.expr: ...

    def helper(self, word: str) -> ast.expr: ...

    def default(self, folded: Folded, word: str) -> object:
        """The default of a hyperparameter in the class's constructor; Ellipsis if there is none."""
        ...

    def declared_axis(self, dimension: str) -> tuple[str, int] | None:
        """The input and axis where a dimension name stands alone."""
        ...

    def absence(self, node: Branch) -> ast.expr | None:
        """A test on attributes that says whether the first arm is taken, or None for the branch's own tests."""
        ...


@dataclass(slots=True)
class Frame:
    """A loop while its body is printed. `elements`: what is iterated beside the targets."""

    node: Loop
    targets: dict[str, str]
    used: set[str] = field(default_factory=set[str])
    elements: list[tuple[str, ast.expr]] = field(default_factory=list["tuple[str, ast.expr]"])
    index: str | None = None


@dataclass(slots=True)
class Parts:
    cell: ast.expr
    scanned: list[ast.expr]
    captured: list[ast.expr]
    states: list[ast.expr]
    lengths: ast.expr | None
    results: list[str]


class Body:
    """Prints one Form. `arguments`: the Python names of inputs and states.

    A print that is `plain_of` another one keeps each result in a variable of its own: `replay` compares the two.
    """

    def __init__(self, owner: Owner, dialect: Dialect, form: Form, scope: Scope, plain_of: Body | None = None):
        self.owner, self.dialect, self.form, self.scope = owner, dialect, form, scope
        self.plainly = plain_of is not None
        self.arguments = (
            dict(plain_of.arguments)
            if plain_of is not None
            else {word: scope.allocate(word.removeprefix(held.MARK)) for word in _arguments(form)}
        )
        self.live = Live(form)
        self.facts = Facts(form)
        bound = [node.name for node in walk(form.body) if isinstance(node, Bind) and self.live.keeps(node)]
        loops = [node for node in walk(form.body) if isinstance(node, Loop)]
        bound += [word for node in loops for word, _ in node.lists if word in self.live.names]
        self.variables = dict(self.arguments)
        for word in dict.fromkeys(bound):
            if word not in self.variables or self.plainly:
                self.variables[word] = scope.allocate(word)
        self.binds = Counter(bound)
        self.uses = _count(form, self.live)
        self.pending: dict[int, ast.expr] = {}
        self.numbers: dict[int, tuple[ast.expr, object]] = {}
        self.collectors: dict[int, str] = {}
        self.frames: list[Frame] = []
        self.loop_words: dict[str, str] = {}
        self.makes: dict[str, Make] = {node.slot.site: node for node in walk(form.body) if isinstance(node, Make)}
        self.copies: dict[str, str] = {}
        self.sizes: dict[str, str] = {}
        self.locals: dict[str, str] = {}
        self.kinds = _kinds(form)

    # --- entry -------------------------------------------------------------------------------------------------

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
        return [*self._preamble(), *out, ast.Return(value)]

    def _end(self, ref: Ref) -> ast.expr:
        if isinstance(ref, Temp) and ref.id in self.numbers:
            return self.dialect.number(*self.numbers[ref.id], self.kinds[ref.id], self)
        return self.ref(ref)

    def _preamble(self) -> list[ast.stmt]:
        """Copies of inputs whose name the body assigns to while the input is still read."""
        out: list[ast.stmt] = []
        if self.plainly:
            for word, variable in self.variables.items():
                if word in self.arguments and variable != self.arguments[word]:
                    out += statements("$copy = $x", copy=name(variable), x=name(self.arguments[word]))
        for word, copy in self.copies.items():
            out += statements("$copy = $x", copy=name(copy), x=name(self.arguments[word]))
        return out

    # --- statements --------------------------------------------------------------------------------------------

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
                    out += self._bind(node)
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
            self.numbers[node.results[0]] = (self.value(value), self.plain(value))
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
        return skipped, [ast.Assign([_target(targets)], expression), *self._collect(results)]

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
            target = following.get(temp) or (self.scope.allocate(_hint(node)) if self.uses[temp] else "_")
            targets.append(target)
            self.pending[temp] = name(target)
        return targets, skipped

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

    def _bind(self, node: Bind) -> list[ast.stmt]:
        variable = self.variables[node.name]
        if isinstance(node.content, Listing):
            return self._bind_list(node, variable, node.content)
        value: ast.expr
        if node.content is None or node.content == Own(node.name):
            return []
        if isinstance(node.content, Temp) and node.content.id in self.numbers:
            temp = node.content.id
            value = self.dialect.number(*self.numbers[temp], self.kinds[temp], self)
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

    # --- loops and branches ------------------------------------------------------------------------------------

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

    def _loop_word(self, word: str) -> str:
        """A loop's variable; loops one after another may have the same."""
        if word not in self.loop_words or any(word in frame.targets for frame in self.frames):
            self.loop_words[word] = self.scope.allocate(word)
        return self.loop_words[word]

    def _open_collectors(self, node: Loop, rest: Nodes) -> list[ast.stmt]:
        """Lists that gather what each turn gives."""
        inside = {
            temp
            for one in node.body
            if not isinstance(one, Make | Bind | Store | Loop | Branch)
            for temp in one.results
        }
        wanted = [temp for temp in _spread_temps(rest) if temp in inside]
        out: list[ast.stmt] = []
        for temp in wanted:
            bound = next(
                (one.name for one in rest if isinstance(one, Bind) and one.content == Listing((Spread(temp),))), None
            )
            shared = bound is not None and not self.plainly
            variable = self.variables[bound] if shared and bound else self.scope.allocate("items")
            self.collectors[temp] = variable
            out += statements("$items = []", items=name(variable))
        return out

    def _header(self, frame: Frame) -> tuple[ast.expr, ast.expr]:
        parts: list[tuple[ast.expr, ast.expr]] = [(ast.Name(word, ast.Store()), base) for word, base in frame.elements]
        for word, source in frame.node.lists:
            if word in self.live.names:
                parts.append(
                    (ast.Name(self.variables[word], ast.Store()), python(source, self._entry, self.owner.module))
                )
        counted = _is_counted(frame.node.iterable)
        if counted and parts and frame.used == {frame.node.targets[0]} and frame.index is None:
            frame.index = frame.targets[frame.node.targets[0]]
        elif frame.used or not parts:
            parts.append((self._loop_target(frame), self._source(frame.node.iterable)))
        if len(parts) == 1:
            target, iterable = parts[0]
        else:
            target = ast.Tuple([one for one, _ in parts], ast.Store())
            iterable = quote("zip(*$parts)", parts=[one for _, one in parts])
        if frame.index is None:
            return target, iterable
        return ast.Tuple([ast.Name(frame.index, ast.Store()), target], ast.Store()), quote("enumerate($x)", x=iterable)

    def _entry(self, word: str) -> ast.expr:
        """A name in the header of a loop over lists."""
        return name(self.variables[word]) if word in self.variables else self._name(word)

    def _loop_target(self, frame: Frame) -> ast.expr:
        words = [frame.targets[word] if word in frame.used else "_" for word in frame.node.targets]
        return ast.Name(words[0], ast.Store()) if len(words) == 1 else _target(words)

    def _branch(self, node: Branch) -> list[ast.stmt]:
        before = dict(self.pending)
        arms = [None if arm is None else self._arm(arm, before) for arm in node.arms]
        shortcut = self.owner.absence(node)
        tests = [shortcut] if shortcut is not None else [self._source(test) for test in node.tests]
        pairs = [(test, arm) for test, arm in zip(tests, arms, strict=False) if arm is not None]
        orelse = arms[-1]
        if orelse is None:
            _, orelse = pairs.pop()
        return _if_chain(pairs, orelse)

    def _arm(self, arm: Nodes, before: dict[int, ast.expr]) -> list[ast.stmt]:
        self.pending = dict(before)
        return self.sequence(arm)

    def _step(self, node: Step, rest: Nodes) -> list[ast.stmt]:
        parts = Parts(
            self.slot(node.slot),
            [self.ref(ref) for ref in node.scanned],
            [self.ref(ref) for ref in node.captured],
            [self._tensor(ref) for ref in node.states],
            None if node.lengths is None else self.ref(node.lengths),
            [],
        )
        cell = self.owner.folding.of(node.target).members[0].module
        wishes = [*(port.name for port in cell.outputs), *(port.name for port in cell.next_states)]
        for temp, wish in zip(node.results, wishes, strict=True):
            bound = next((one.name for one in rest if isinstance(one, Bind) and one.content == Temp(temp)), None)
            alias = bound is not None and self.binds[bound] == 1 and bound not in self.arguments and not self.plainly
            state = temp in node.results[len(cell.outputs) :]
            own = alias and bound is not None and state
            parts.results.append(self.variables[bound] if own and bound else self.scope.allocate(wish.split(".")[-1]))
        lines, outputs = self.dialect.scan(node, parts, self)
        for temp, word in zip(node.results, parts.results, strict=True):
            self.pending[temp] = name(word)
        for temp, word, code in zip(node.results, parts.results, outputs, strict=False):
            if self._inlines(temp, rest, (), code):
                self.pending[temp] = code
            elif self.uses[temp]:
                lines += statements("$x = $y", x=name(word), y=code)
        return lines

    def local(self, wish: str) -> str:
        """A variable that lives within one statement of the spec; later statements may have it again."""
        if wish not in self.locals:
            self.locals[wish] = self.scope.allocate(wish)
        return self.locals[wish]

    # --- expressions -------------------------------------------------------------------------------------------

    def expression(self, node: Node) -> ast.expr:
        match node:
            case Run():
                return self._run(node)
            case Invoke():
                return self._invoke(node)
            case Fetch():
                target = self.slot(node.slot)
                for part in node.parameter.split("."):
                    target = (
                        quote("$x[$i]", x=target, i=int(part))
                        if part.isdigit()
                        else ast.Attribute(target, part, ast.Load())
                    )
                return target
            case Sample():
                shape = [self.value(value) for value in node.shape]
                return self.dialect.draw(node, shape, [self.value(value) for value in node.arguments], self)
            case _:
                raise TypeError(type(node).__name__)

    def _run(self, node: Run) -> ast.expr:
        operands: list[ast.expr] = []
        numbers: list[object] = []
        for operand in node.operands:
            if isinstance(operand, Spread):
                operands.append(ast.Starred(self._spread(operand), ast.Load()))
                numbers.append(None)
                continue
            number = self.numbers.get(operand.id) if isinstance(operand, Temp) else None
            operands.append(number[0] if number is not None else self.ref(operand))
            numbers.append(None if number is None else number[1])
        site = Site(
            node.op,
            tuple(operands),
            node.types,
            node.result_types,
            {word: self.value(value) for word, value in node.attributes},
            {word: self.plain(value) for word, value in node.attributes},
            BodyTools(self),
            above=tuple(map(self.facts.above, node.operands)) if "softmax" in node.op else (),
            numbers=tuple(numbers),
            derived={word: _derived(value) for word, value in node.attributes},
            everywhere=node.everywhere,
        )
        return self.dialect.op(site)

    def _invoke(self, node: Invoke) -> ast.expr:
        callee = self.owner.folding.of(node.target)
        given = {word: self._tensor(ref) for word, ref in node.inputs if ref is not None}
        make = self.makes.get(node.slot.site)
        if make is None:  # a given layer is an object
            make = Make(node.slot, callee.block, node.target, (), (), ())
        if callee.native is not None and callee.native.construct is None:
            assert callee.native.apply is not None
            return callee.native.apply(given, self.native_arguments(make))
        optional = {} if callee.form is None else dict(callee.form.inputs)
        args = [code for word, code in given.items() if not optional.get(word)]
        args += [self._tensor(ref) for ref in node.states]
        args += self.layers(node)
        keywords = [ast.keyword(word, code) for word, code in given.items() if optional.get(word)]
        if self.owner.is_function(callee):
            for word, value in make.hyperparameters:
                if self.plain(value) is VARIES or self.plain(value) != self.owner.default(callee, word):
                    keywords.append(ast.keyword(word, self.value(value)))
            return ast.Call(self.owner.function(callee), args, keywords)
        target = self.slot(node.slot)
        if callee.native is not None and callee.native.apply is not None:
            return callee.native.apply({**given, "layer": target}, self.native_arguments(make))
        return self.dialect.layer(target, args, keywords)

    def native_arguments(self, make: Make) -> Arguments:
        pairs = (*make.hyperparameters, *make.dims)
        return Arguments(
            {word: self.value(value) for word, value in pairs}, {word: self.plain(value) for word, value in pairs}
        )

    def _tensor(self, ref: Ref) -> ast.expr:
        """An operand that must be a tensor."""
        if isinstance(ref, Temp) and ref.id in self.numbers:
            return self.dialect.number(*self.numbers[ref.id], self.kinds[ref.id], self)
        return self.ref(ref)

    def slot(self, slot: Slot) -> ast.expr:
        """The instance's code: `self.dense`, an element of a loop over `self.encoder_layer`, `self.unit[0]`."""
        given = held.is_held(slot.site)
        node = name(self.arguments[slot.site]) if given else self.owner.attribute(slot.site)
        for place, index in enumerate(slot.indices):
            last = place == len(slot.indices) - 1
            if isinstance(index, Turns) and index.depth >= place and self._iterable_here(node, index.depth):
                wish = held.item(slot.site) if given else slot.site
                node = self._element(self.frames[index.depth], node, wish if last else f"{wish}s")
            elif isinstance(index, Turns):
                node = quote("$x[$i]", x=node, i=self._turn(index.depth))
            else:
                node = quote("$x[$i]", x=node, i=self.value(index))
        return node

    def layers(self, node: Invoke | Step) -> list[ast.expr]:
        """The layers that a call hands on, in the order of the callee's arguments; a list's items as a list."""
        out: dict[str, ast.expr] = {}
        for word, slot in node.layers:
            head, *rest = word.split(".")
            code = self.slot(slot)
            if not rest:
                out[head] = code
                continue
            items = out.setdefault(head, ast.List([], ast.Load()))
            assert isinstance(items, ast.List)
            items.elts.append(code)
        return list(out.values())

    def _iterable_here(self, node: ast.expr, depth: int) -> bool:
        """True if the container is there when the loop at this depth starts."""
        if depth >= len(self.frames):
            return False
        inner = {word for frame in self.frames[depth:] for word, _ in frame.elements}
        return not any(isinstance(one, ast.Name) and one.id in inner for one in ast.walk(node))

    def _element(self, frame: Frame, base: ast.expr, wish: str) -> ast.expr:
        for word, other in frame.elements:
            if ast.dump(other) == ast.dump(base):
                return name(word)
        word = self.scope.allocate(wish)
        frame.elements.append((word, base))
        return name(word)

    def _turn(self, depth: int) -> ast.expr:
        frame = self.frames[depth]
        iterable = frame.node.iterable
        match iterable:
            case syntax.Call(syntax.Name("range"), (_,)) if frame.node.targets[0] in frame.targets:
                frame.used.add(frame.node.targets[0])
                return name(frame.targets[frame.node.targets[0]])
            case _:
                if frame.index is None:
                    frame.index = self.scope.allocate("turn")
                return name(frame.index)

    def ref(self, ref: Ref) -> ast.expr:
        match ref:
            case Temp(id):
                if id in self.numbers:
                    return self.numbers[id][0]
                return self.pending[id]
            case Var(word):
                return name(self.variables[word])
            case Own(word):
                return self._own(word)
            case Element(word, index):
                return quote("$x[$i]", x=name(self.variables[word]), i=self.value(index))

    def _own(self, word: str) -> ast.expr:
        if word not in self.arguments:
            return self.owner.own(word)
        if self.binds[word] == 0:
            return name(self.arguments[word])
        if word not in self.copies:
            self.copies[word] = self.scope.allocate(f"{word}_in")
        return name(self.copies[word])

    def content(self, content: Reference | Spread) -> ast.expr:
        match content:
            case Listing(items):
                return ast.List([self.content(item) for item in items], ast.Load())
            case Spread():
                return ast.Starred(self._spread(content), ast.Load())
            case None:
                return ast.Constant(None)
            case _:
                return self.ref(content)

    def _spread(self, spread: Spread) -> ast.expr:
        if isinstance(spread.source, int):
            return name(self.collectors[spread.source])
        return name(self.variables[spread.source])

    # --- constants ---------------------------------------------------------------------------------------------

    def value(self, value: Value) -> ast.expr:
        match value:
            case Known(known):
                return literal(known)
            case Formula(source):
                return self._source(source)
            case Runtime(size):
                return self.size(size)
            case Items(items):
                return ast.Tuple([self.value(item) for item in items], ast.Load())
            case Turns(depth):
                return self._turn(depth)
            case Extent():
                raise Unknown("an extent is read at construction only")

    def plain(self, value: Value) -> object:
        """The plain value where all modules agree, item by item; else VARIES."""
        match value:
            case Known(known):
                return known
            case Items(items):
                return tuple(self.plain(item) for item in items)
            case Formula():
                return self._common(value)
            case _:
                return VARIES

    def _common(self, value: Formula) -> object:
        from dlc.backends.common.context import static_names

        if self.frames:
            return VARIES
        try:
            found = [value_of(value, static_names(module), module.homes, ()) for module in self.form.modules]
        except Unknown:
            return VARIES
        alike = all(type(one) is type(found[0]) and one == found[0] for one in found)
        return found[0] if alike and not isinstance(found[0], Dim) else VARIES

    def size(self, size: Size) -> ast.expr:
        """A size in the symbols `port.axis` as code."""

        def leaf(symbol: str | int) -> object:
            return literal(symbol) if isinstance(symbol, int) else self._home(symbol)

        def operate(op: str, left: object, right: object) -> object:
            return quote(f"$a {op} $b", a=left, b=right)

        return cast(ast.expr, dims.fold(size, leaf, operate))

    def _home(self, symbol: str) -> ast.expr:
        port, axis = symbol.rsplit(".", 1)
        module = next(m for m in self.form.modules if any(f"{h.port}.{h.axis}" == symbol for h in m.homes))
        home = next(h for h in module.homes if f"{h.port}.{h.axis}" == symbol)
        extent = self._extent(port, int(axis))
        if dims.is_symbol(home.size) is not None:
            return extent
        zero = dims.substitute(home.size, {home.symbol: 0})
        slope = dims.subtract(dims.substitute(home.size, {home.symbol: 1}), zero)
        rest = extent if zero == 0 else quote("$x - $z", x=extent, z=self.size(_rename(zero, module.homes)))
        return rest if slope == 1 else quote("$x // $k", x=rest, k=self.size(_rename(slope, module.homes)))

    def _extent(self, port: str, axis: int) -> ast.expr:
        return self.dialect.extent(self._own(port), axis)

    def _source(self, source: Expr) -> ast.expr:
        return python(source, self._name, self.owner.module)

    def _name(self, word: str) -> ast.expr:
        for frame in reversed(self.frames):
            if word in frame.targets:
                frame.used.add(word)
                return name(frame.targets[word])
        if word == "training":
            return self.dialect.training()
        if word in self.arguments:
            return name(self.arguments[word])
        if held.MARK + word in self.arguments:
            return name(self.arguments[held.MARK + word])
        constant = self.owner.constant(word)
        if constant is not None:
            return constant
        place = self.owner.declared_axis(word)
        if place is None:
            return self.size(self._solved(word))
        return self._extent(*place)

    def _solved(self, word: str) -> Size:
        """The size of a dimension that stands in no shape alone (`float[N, 4 * K]`), in the symbols `port.axis`."""
        module = self.form.modules[0]
        size = dict(module.dims).get(word)
        if size is None:
            raise Unknown(f"`{word}` is not known at run time")
        return _rename(size, module.homes)


class BodyTools:
    """`rule.Tools` over a Body."""

    def __init__(self, body: Body):
        self.body = body

    def helper(self, word: str) -> ast.expr:
        return self.body.owner.helper(word)

    def module(self, word: str) -> ast.expr:
        return self.body.owner.module(word)

    def size(self, size: Size) -> ast.expr:
        return self.body.size(size)

    @property
    def precision(self) -> str:
        return self.body.dialect.precision

    def device(self) -> list[ast.keyword]:
        return self.body.dialect.device(self.anchor())

    def full(self, code: ast.expr, value: object, shape: list[ast.expr], kind: TensorType) -> ast.expr:
        return self.body.dialect.full(code, value, shape, kind, self.anchor())

    def anchor(self) -> ast.expr | None:
        """The first input; else the first parameter."""
        form = self.body.form
        tensors = [word for word in self.body.arguments if not held.is_held(word)]
        if tensors:
            return self.body._own(tensors[0])  # pyright: ignore[reportPrivateUsage]
        return self.body.owner.own(form.weights[0].name) if form.weights else None


def _derived(value: Value) -> tuple[bool, ...]:
    return tuple(isinstance(item, Known) and item.derived for item in value.items) if isinstance(value, Items) else ()


def _is_counted(iterable: Expr) -> bool:
    """True if the first target is the number of the turn."""
    match iterable:
        case syntax.Call(syntax.Name("enumerate"), (_,)) | syntax.Call(syntax.Name("range"), (_,)):
            return True
        case _:
            return False


def _arguments(form: Form) -> list[str]:
    """Required inputs, states, given layers, optional inputs."""
    required = [word for word, optional in form.inputs if not optional]
    layers = [held.MARK + word for word in held.names(form.modules[0])]
    return [*required, *form.states, *layers, *(word for word, optional in form.inputs if optional)]


def _count(form: Form, live: Live) -> Counter[int]:
    uses: Counter[int] = Counter()
    for node in walk(form.body):
        for ref in used(node):
            if isinstance(ref, Temp) and live.keeps(node):
                uses[ref.id] += 1
    for temp in _spread_temps(form.body):
        uses[temp] += 1
    for _, ref in (*form.outputs, *form.next_states):
        if isinstance(ref, Temp):
            uses[ref.id] += 1
    return uses


def _spread_temps(body: Nodes) -> list[int]:
    out: list[int] = []
    for node in walk(body):
        if isinstance(node, Run):
            out += [one.source for one in node.operands if isinstance(one, Spread) and isinstance(one.source, int)]
        if isinstance(node, Bind) and isinstance(node.content, Listing):
            out += [one.source for one in node.content.items if isinstance(one, Spread) and isinstance(one.source, int)]
    return list(dict.fromkeys(out))


def _kinds(form: Form) -> Mapping[int, TensorType]:
    kinds: dict[int, TensorType] = {}
    for node in walk(form.body):
        if isinstance(node, Run):
            kinds.update(zip(node.results, node.result_types, strict=True))
    return kinds


def _target(words: Sequence[str]) -> ast.expr:
    names: list[ast.expr] = [ast.Name(word, ast.Store()) for word in words]
    return names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())


def _hint(node: Node) -> str:
    """A variable's name for a result that the spec does not name."""
    match node:
        case Run():
            return node.op
        case Invoke() | Step():
            return node.slot.site
        case Sample():
            return node.draw.name
        case Fetch():
            return node.parameter.split(".")[-1]
        case _:
            return "value"


def _if_chain(pairs: list[tuple[ast.expr, list[ast.stmt]]], orelse: list[ast.stmt]) -> list[ast.stmt]:
    if not pairs:
        return orelse
    (test, body), rest = pairs[0], pairs[1:]
    below = _if_chain(rest, orelse)
    if not body and not below:
        return []
    if not body:
        return [ast.If(negated(test), below, [])]
    return [ast.If(test, body, below)]


def _rename(size: Size, homes: Sequence[object]) -> Size:
    from dlc.backends.common.values import _to_homes  # pyright: ignore[reportPrivateUsage]

    return _to_homes(size, homes)  # type: ignore[arg-type]


__all__ = ["Body", "Callable", "Frame", "Owner", "Parts", "axis_of"]
