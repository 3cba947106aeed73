"""`__init__` of a merged class: the instances of its body, in loops and branches as they are called.

A loop that makes one thing is a generator in a list of modules; a loop that makes several appends to lists made before
it. A choice that makes one thing leaves None where it is not made.
"""

from __future__ import annotations

import ast
from typing import Protocol

from dlc.backends.common import extents
from dlc.backends.common.choice import if_chain
from dlc.backends.common.expression import python
from dlc.backends.common.folding import Folded, Folding
from dlc.backends.common.form import (
    Bind,
    Branch,
    Convention,
    Extent,
    Form,
    Formula,
    Invoke,
    Items,
    Known,
    Loop,
    Make,
    Turns,
    Value,
    Var,
    walk,
)
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.kept_sizes import pruned
from dlc.backends.common.names import Scope
from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import literal, name, quote, statements
from dlc.backends.common.rule import VARIES
from dlc.backends.common.shapes import port_axis_name
from dlc.backends.common.signature import NO_DEFAULT, Argument
from dlc.backends.common.values import is_size, written


class Files(Protocol):
    names: list[str]
    scope: Scope

    def constructor(self, folded: Folded) -> tuple[Argument, ...]: ...

    def is_function(self, folded: Folded) -> bool: ...

    def module(self, word: str) -> ast.expr: ...


class Maker(Protocol):
    """The class whose instances are made. `container` makes a list of modules from an iterable."""

    form: Form
    folding: Folding
    by_word: dict[str, Argument]
    absent_sites: dict[int, str]

    @property
    def file(self) -> Files: ...

    def container(self) -> ast.expr: ...

    def nothing(self) -> ast.expr: ...

    def attribute(self, site: str) -> ast.expr: ...


class Construction:
    """Prints the instances. `words` maps loop variables to Python names."""

    def __init__(self, maker: Maker):
        self.maker = maker
        self.scope = maker.file.scope.child(argument.name for argument in maker.by_word.values())
        self.words: dict[str, str] = {}
        self.loop_words: dict[str, str] = {}
        self.read: set[str] = set()
        self.extents: dict[tuple[str, int], str] = {}
        self.filled: dict[tuple[object, ...], int] = {}

    def print(self) -> list[ast.stmt]:
        for node in walk(self.maker.form.body):
            if isinstance(node, Make):
                for dimension, value in node.dims:
                    self._open(value, "channels" if dimension == "C" else "features")
            if isinstance(node, Bind):
                for _, value in node.extents:
                    self._open(value, "features")
        lines = self._sequence(self.maker.form.body, {})
        return pruned(lines, frozenset(self.extents.values()))

    def _open(self, value: Value, wish: str) -> None:
        """Variables for the sizes that it reads."""
        for place in extents.places(value) if isinstance(value, Extent) else ():
            if place not in self.extents:
                word = self._dimension(*place)
                clear = word is not None and not self.scope.is_taken(word)
                self.extents[place] = self.scope.allocate(word if word is not None and clear else wish)

    def _dimension(self, variable: str, axis: int) -> str | None:
        """What a block calls the axis that takes the variable: `height` where a convolution has `H`."""
        for node in walk(self.maker.form.body):
            if not isinstance(node, Invoke) or isinstance(node.target, Convention):
                continue
            for port, ref in node.inputs:
                if ref == Var(variable):
                    callee = self.maker.folding.of(node.target)
                    found = port_axis_name(self.maker.folding.unit.declarations.get(callee.block), port, axis)
                    if found is not None:
                        return found
        return None

    # --- statements --------------------------------------------------------------------------------------------

    def _sequence(self, body: Nodes, lists: dict[str, ast.expr]) -> list[ast.stmt]:
        """`lists`: where the instances of a site go inside of a loop."""
        out: list[ast.stmt] = []
        for node in body:
            match node:
                case Make() if not self._is_function(node):
                    out += self._make(node, lists)
                case Loop() if self._matters(node):
                    out += self._loop(node, lists)
                case Branch() if self._matters(node):
                    out += self._branch(node, lists)
                case Bind():
                    out += self._track(node)
                case _:
                    continue
        return out

    def _make(self, node: Make, lists: dict[str, ast.expr]) -> list[ast.stmt]:
        code = self.instance(node)
        site = node.slot.site
        if site in lists:
            return statements("$list.append($x)", list=lists[site], x=code)
        if node.slot.indices:
            before, container = self._unrolled(site, [_number(index) for index in node.slot.indices])
            return [*before, *statements("$list.append($x)", list=container, x=code)]
        return statements("$target = $x", target=self.maker.attribute(site), x=code)

    def _unrolled(self, site: str, numbers: list[int]) -> tuple[list[ast.stmt], ast.expr]:
        """The list that takes the next instance of an unrolled loop. Turns that make none get a place all the same."""
        out: list[ast.stmt] = []
        container = self.maker.attribute(site)
        empty = ast.Call(self.maker.container(), [], [])
        if (site,) not in self.filled:
            out += statements("$x = $empty", x=container, empty=empty)
            self.filled[site,] = 0
        key: tuple[object, ...] = (site,)
        for place, number in enumerate(numbers):
            last = place == len(numbers) - 1
            if not last and (*key, number) in self.filled:
                key, container = (*key, number), quote("$x[$i]", x=container, i=number)
                continue
            while self.filled[key] < number:
                out += statements("$x.append($y)", x=container, y=self.maker.nothing())
                self.filled[key] += 1
            self.filled[key] += 1
            if not last:
                out += statements("$x.append($empty)", x=container, empty=empty)
                key, container = (*key, number), quote("$x[$i]", x=container, i=number)
                self.filled[key] = 0
        return out, container

    def _loop(self, node: Loop, lists: dict[str, ast.expr]) -> list[ast.stmt]:
        made = [one for one in walk(node.body) if isinstance(one, Make) and not self._is_function(one)]
        before: list[ast.stmt] = []
        after: list[ast.stmt] = []
        inner: dict[str, ast.expr] = {}
        lists = dict(lists)
        for one in made:
            known = [_number(index) for index in one.slot.indices if isinstance(index, Known)]
            if known and one.slot.site not in lists:
                lines, container = self._unrolled(one.slot.site, [*known, 0] if len(known) < 1 else known)
                before += lines
                lists[one.slot.site] = container
        short = self._generator(node)
        if short is not None:
            code = ast.Call(self.maker.container(), [short], [])
            site = made[0].slot.site
            if site in lists:
                return [*before, *statements("$list.append($x)", list=lists[site], x=code)]
            return [*before, *statements("$target = $x", target=self.maker.attribute(site), x=code)]
        for site in dict.fromkeys(one.slot.site for one in made):
            empty = ast.Call(self.maker.container(), [], [])
            if site in lists:
                word = self.scope.allocate(f"{site}s")
                inner[site] = name(word)
                after += statements("$list.append($x)", list=lists[site], x=name(word))
            else:
                inner[site] = self.maker.attribute(site)
            before += statements("$target = $x", target=inner[site], x=empty)
        target, iterable, body = self._turns(node, inner)
        return [*before, ast.For(target, iterable, body, []), *after]

    def _turns(self, node: Loop, lists: dict[str, ast.expr]) -> tuple[ast.expr, ast.expr, list[ast.stmt]]:
        iterable = self._source(node.iterable)
        outer, read = dict(self.words), self.read
        self.read = set()
        words = {word: self._loop_word(word) for word in dict.fromkeys(node.targets) if word != "_"}
        self.words.update(words)
        body = self._sequence(node.body, lists)
        target = self._target(node, words)
        self.words, self.read = outer, read | self.read
        return target, iterable, body

    def _loop_word(self, word: str) -> str:
        """A loop's variable; loops one after another may have the same."""
        if word in self.words or word not in self.loop_words:
            self.loop_words[word] = self.scope.allocate(word)
        return self.loop_words[word]

    def _generator(self, node: Loop) -> ast.expr | None:
        """The loop as a generator, if all it does is to make one thing."""
        inner = [one for one in node.body if self._matters(one)]
        if len(inner) != 1:
            return None
        if isinstance(inner[0], Branch | Bind):
            return None
        iterable = self._source(node.iterable)
        outer, read = dict(self.words), self.read
        self.read = set()
        words = {word: self.scope.child().allocate(word) for word in dict.fromkeys(node.targets) if word != "_"}
        self.words.update(words)
        element: ast.expr | None
        if isinstance(inner[0], Loop):
            below = self._generator(inner[0])
            element = None if below is None else ast.Call(self.maker.container(), [below], [])
        else:
            assert isinstance(inner[0], Make)
            element = self.instance(inner[0])
        target = self._target(node, words)
        self.words, self.read = outer, read | self.read
        if element is None:
            return None
        return ast.GeneratorExp(element, [ast.comprehension(target, iterable, [], 0)])

    def _matters(self, node: object) -> bool:
        match node:
            case Make():
                return not self._is_function(node)
            case Loop():
                return any(map(self._matters, node.body))
            case Branch():
                return any(self._matters(one) for arm in node.arms for one in arm or ())
            case Bind():
                return bool(node.extents)
            case _:
                return False

    def _target(self, node: Loop, words: dict[str, str]) -> ast.expr:
        names: list[ast.expr] = [
            ast.Name(words[word] if word in self.read else "_", ast.Store()) for word in node.targets
        ]
        return names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())

    def _branch(self, node: Branch, lists: dict[str, ast.expr]) -> list[ast.stmt]:
        if node.late:
            return [line for arm in node.arms for line in self._sequence(arm or (), lists)]
        made = [one for one in walk((node,)) if isinstance(one, Make) and not self._is_function(one)]
        before: list[ast.stmt] = []
        alone = len(made) == 1 and not made[0].slot.indices and len(node.arms) == 2
        alone = alone and any(one is made[0] for arm in node.arms for one in arm or ())  # else a choice below decides
        if alone:
            site = made[0].slot.site
            self.maker.absent_sites[id(node)] = site
            before = statements("$x = None", x=self.maker.attribute(site))
        sites = [site for site in dict.fromkeys(one.slot.site for one in made) if site in lists]

        def arm_lines(arm: Nodes) -> list[ast.stmt]:
            here = {one.slot.site for one in walk(arm) if isinstance(one, Make)}
            lines = self._sequence(arm, lists)
            for site in sites:
                if site not in here:
                    lines += statements("$x.append($y)", x=lists[site], y=self.maker.nothing())
            return lines

        pairs = [
            (self._source(test), arm_lines(arm))
            for test, arm in zip(node.tests, node.arms, strict=False)
            if arm is not None
        ]
        last = node.arms[-1]
        orelse = arm_lines(last) if last is not None else pairs.pop()[1]
        if len({ast.dump(ast.Module(lines, [])) for lines in (*(lines for _, lines in pairs), orelse)}) == 1:
            return [*before, *orelse]  # sizes that are followed become the same in all arms
        return [*before, *if_chain(pairs, orelse)]

    def _track(self, node: Bind) -> list[ast.stmt]:
        """What the sizes of a name become that are followed."""
        followed = [(self.extents[node.name, axis], value) for axis, value in node.extents]
        return [_assigned(variable, self.value(value)) for variable, value in followed]

    # --- expressions -------------------------------------------------------------------------------------------

    def instance(self, node: Make) -> ast.expr:
        """The constructor's call."""
        callee = self.maker.folding.of(node.target)
        given = dict((*node.dims, *node.hyperparameters))
        if callee.native is not None:
            assert callee.native.construct is not None
            code = {word: self.value(value) for word, value in given.items()}
            return callee.native.construct(Arguments(code, {word: written(value) for word, value in given.items()}))
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for argument in self.maker.file.constructor(callee):
            value = given[argument.word]
            if argument.default is NO_DEFAULT:
                args.append(self.value(value))
            elif written(value) is VARIES or not _same(written(value), argument.default):
                keywords.append(ast.keyword(argument.name, self.value(value)))
        return ast.Call(name(self.maker.file.names[callee.index]), args, keywords)

    def value(self, value: Value) -> ast.expr:
        match value:
            case Known(known):
                return literal(known)
            case Formula(source):
                return self._source(source)
            case Items(items):
                return ast.Tuple([self.value(item) for item in items], ast.Load())
            case Extent(source):
                return self._source(source)
            case Turns():
                raise TypeError("a turn's number is no constructor argument")
            case _:
                raise TypeError("a run-time size is no constructor argument")

    def _source(self, source: object) -> ast.expr:
        return python(source, self._name, self.maker.file.module)  # type: ignore[arg-type]

    def _name(self, word: str) -> ast.expr:
        if is_size(word):
            variable, axis = word.rsplit(".", 1)
            return name(self.extents[variable, int(axis)])
        if word in self.words:
            self.read.add(word)
            return name(self.words[word])
        return name(self.maker.by_word[word].name)

    def _is_function(self, node: Make) -> bool:
        callee = self.maker.folding.of(node.target)
        return self.maker.file.is_function(callee)


def _number(value: Value) -> int:
    if not isinstance(value, Known) or not isinstance(value.value, int):
        raise TypeError("an instance of an unrolled loop has numbers for its turns")
    return value.value


def _assigned(variable: str, code: ast.expr) -> ast.stmt:
    """`n = code`, or `n += ...` where the code starts with the variable."""
    match code:
        case ast.BinOp(ast.Name(word), op, right) if word == variable:
            return ast.AugAssign(ast.Name(variable, ast.Store()), op, right)
        case ast.BinOp(ast.Constant() as factor, ast.Mult(), ast.Name(word)) if word == variable:
            return ast.AugAssign(ast.Name(variable, ast.Store()), ast.Mult(), factor)
        case _:
            return ast.Assign([ast.Name(variable, ast.Store())], code)


def _same(left: object, right: object) -> bool:
    return type(left) is type(right) and left == right
