"""The code that makes a layer's parts: sub-layers (nested lists of them for loops) and weights."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Mapping, Sequence

from dlc.backends.common.constructor import value_names
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.expression import negated, python
from dlc.backends.common.form import Branch, Formula, Items, Known, Loop, Make, Node, Slot, Turns, Value, Weight
from dlc.backends.common.names import Scope
from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import call, literal, name, quote, statements
from dlc.backends.common.rule import VARIES
from dlc.backends.tensorflow.initial import initializer
from dlc.backends.tensorflow.rules.code import dtype_code
from dlc.backends.tensorflow.shell import Shell, attribute_name, made_sites, optional_site
from dlc.diagnostics import error
from dlc.spec.syntax import Expr

Names = Callable[[str], ast.expr]


class Making:
    """Prints what makes a class's parts; `names` gives the code of a hyperparameter or dimension."""

    def __init__(self, shell: Shell, names: Names, scope: Scope):
        self.shell, self.names, self.scope = shell, names, scope
        self.loops: list[dict[str, str]] = []
        self.lists: dict[str, str] = {}
        self.entries: dict[str, dict[tuple[int, ...], ast.expr]] = {}
        self.branches = 0

    # --- layers ------------------------------------------------------------------------------------------------

    def layers(self) -> list[ast.stmt]:
        out = self._sequence(self.shell.form.body)
        for site, local in self.lists.items():
            out += statements("$target = $made", target=self.shell.attribute(site), made=name(local))
        for site, entries in self.entries.items():
            out += statements("$target = $made", target=self.shell.attribute(site), made=_display(entries, ()))
        return out

    def _list(self, site: str) -> ast.expr:
        """The list of a site's layers while it grows: Keras sees what is inside a list when the attribute is set."""
        if site not in self.lists:
            self.lists[site] = self.scope.allocate(f"{site}s")
        return name(self.lists[site])

    def _sequence(self, body: Sequence[Node]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for node in body:
            match node:
                case Make():
                    out += self._make(node)
                case Loop():
                    out += self._loop(node)
                case Branch():
                    out += self._branch(node)
                case _:
                    continue
        return out

    def _make(self, node: Make) -> list[ast.stmt]:
        folded = self.shell.folding.of(node.target)
        if self.shell.is_function(folded):
            return []
        return self._put(node.slot, self._construct(node))

    def _put(self, slot: Slot, made: ast.expr) -> list[ast.stmt]:
        """Sets the attribute, or appends to the list that it holds."""
        if not slot.indices:
            return statements("$target = $made", target=self.shell.attribute(slot.site), made=made)
        if all(isinstance(index, Known) for index in slot.indices):
            path = tuple(int(str(index.value)) for index in slot.indices if isinstance(index, Known))
            if self.branches:
                raise error("E0706", f"`{slot.site}` is made in some turns of a loop only", exit_code=3)
            self.entries.setdefault(slot.site, {})[path] = made
            return []
        target = self._list(slot.site)
        for _ in slot.indices[1:]:
            target = quote("$x[-1]", x=target)
        return statements("$target.append($made)", target=target, made=made)

    def _loop(self, node: Loop) -> list[ast.stmt]:
        sites = made_sites(node.body, self.shell.context)
        if not sites:
            return []
        out: list[ast.stmt] = []
        for site in sites:
            target = self._list(site)
            for _ in self.loops[1:]:
                target = quote("$x[-1]", x=target)
            template = "$x.append([])" if self.loops else "$x = []"
            out += statements(template, x=target)
        targets = {word: self.scope.allocate(word) for word in dict.fromkeys(node.targets) if word != "_"}
        iterable = self.code(node.iterable)
        self.loops.append(targets)
        body = self._sequence(node.body)
        self.loops.pop()
        read = {one.id for statement in body for one in ast.walk(statement) if isinstance(one, ast.Name)}
        words = [targets[word] if word in targets and targets[word] in read else "_" for word in node.targets]
        names: list[ast.expr] = [ast.Name(word, ast.Store()) for word in words]
        if not self.loops and len(sites) == 1 and (made := self._appended(sites[0], body)) is not None:
            del self.lists[sites[0]]
            holder = self.shell.attribute(sites[0])
            clause = ast.comprehension(names[0] if len(names) == 1 else ast.Tuple(names, ast.Store()), iterable, [], 0)
            return statements("$target = $made", target=holder, made=ast.ListComp(made, [clause]))
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        return [*out, ast.For(target, iterable, body, [])]

    def _appended(self, site: str, body: list[ast.stmt]) -> ast.expr | None:
        """What a loop appends to the site's list, if it does nothing else."""
        match body:
            case [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=word), attr="append"), args=[made]))]:
                return made if self.lists.get(site) == word else None
            case _:
                return None

    def _branch(self, node: Branch) -> list[ast.stmt]:
        sites = made_sites((node,), self.shell.context)
        if not sites:
            return []
        if node.late:
            return [statement for arm in node.arms for statement in self._sequence(arm or ())]
        self.branches += 1
        arms = [None if arm is None else self._arm(arm, sites) for arm in node.arms]
        self.branches -= 1
        tests = [self.code(test) for test in node.tests]
        pairs = [(test, arm) for test, arm in zip(tests, arms, strict=False) if arm is not None]
        orelse = arms[-1]
        if orelse is None:
            _, orelse = pairs.pop()
        before: list[ast.stmt] = []
        if not self.loops and optional_site(node, self.shell.context) is not None:
            before = [s for site in sites for s in statements("$x = None", x=self.shell.attribute(site))]
        return [*before, *_chain(pairs, orelse)]

    def _arm(self, arm: Sequence[Node], sites: list[str]) -> list[ast.stmt]:
        """Inside a loop, what this arm does not make is None, so that places in the list stay the turns' numbers."""
        out = self._sequence(arm)
        if self.loops:
            for site in sites:
                if site not in made_sites(arm, self.shell.context):
                    target = self._list(site)
                    for _ in self.loops[1:]:
                        target = quote("$x[-1]", x=target)
                    out += statements("$x.append(None)", x=target)
        return out

    def _construct(self, node: Make) -> ast.expr:
        folded = self.shell.folding.of(node.target)
        values = dict((*node.hyperparameters, *node.dims))
        if folded.native is not None:
            assert folded.native.construct is not None
            wanted = {word: values[word] for word in (*folded.native.dims, *folded.native.hyperparameters)}
            code = {word: self.value(value) for word, value in wanted.items()}
            return folded.native.construct(Arguments(code, {w: self.shell.body.plain(v) for w, v in wanted.items()}))
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for word in folded.hyperparameters:
            value, default = values[word], self.shell.default(folded, word)
            if default is ... and not keywords:
                args.append(self.value(value))
            elif default is ... or not (isinstance(value, Known) and _is_default(value.value, default)):
                keywords.append(ast.keyword(argument_name(word), self.value(value)))
        return ast.Call(self.shell.function(folded), args, keywords)

    # --- weights -----------------------------------------------------------------------------------------------

    def weights(self, *, early: bool = False) -> list[ast.stmt]:
        """Those that the constructor makes, or those that `build` makes."""
        weights = [weight for weight in self.shell.form.weights if self.shell.is_early(weight.name) == early]
        return [statement for weight in weights for statement in self._weight(weight)]

    def _weight(self, weight: Weight) -> list[ast.stmt]:
        keywords = {
            "initializer": initializer(weight, [self.value(argument) for argument in weight.arguments], self),
            "dtype": None if weight.dtype in ("float", "f32") else dtype_code(weight.dtype),
            "trainable": None if weight.kind == "param" else literal(False),
        }
        shape = ast.Tuple([self.value(size) for size in weight.shape], ast.Load())
        made = call("self.add_weight", name=literal(self._variable(weight)), shape=shape, **keywords)
        lines = statements("$target = $made", target=self.shell.own(weight.name), made=made)
        if weight.condition is None:
            return lines
        test = self.code(weight.condition[0])
        return [ast.If(test if weight.condition[1] else negated(test), lines, [])]

    def _variable(self, weight: Weight) -> str:
        """A variable called `kernel` is kept as Keras keeps kernels (see `loading.py`), and no other."""
        if self.shell.is_kernel(weight.name):
            return "kernel"
        return "kernel_" if weight.name == "kernel" else weight.name

    # --- constants ---------------------------------------------------------------------------------------------

    def code(self, source: Expr) -> ast.expr:
        return python(source, self._name, self.shell.module)

    def _name(self, word: str) -> ast.expr:
        for targets in reversed(self.loops):
            if word in targets:
                return name(targets[word])
        if word == "training":
            raise error("E0703", "what a layer owns may not depend on the mode", exit_code=3)
        return self.names(word)

    def value(self, value: Value) -> ast.expr:
        match value:
            case Known(known):
                return literal(list(known) if isinstance(known, tuple) else known)
            case Formula(source):
                return self.code(source)
            case Items(items):
                return ast.Tuple([self.value(item) for item in items], ast.Load())
            case Turns(depth):
                return name(next(iter(self.loops[depth].values())))
            case _:
                raise error("E0704", "a size that is known at run time only cannot make a layer", exit_code=3)


def making_names(shell: Shell) -> set[str]:
    """Names that making the sub-layers reads."""
    return _making_names(shell.form.body, shell)


def _making_names(body: Sequence[Node], shell: Shell) -> set[str]:
    names: set[str] = set()
    for node in body:
        match node:
            case Make():
                folded = shell.folding.of(node.target)
                if not shell.is_function(folded):
                    values = dict((*node.hyperparameters, *node.dims))
                    wanted = folded.hyperparameters
                    if folded.native is not None:
                        wanted = (*folded.native.dims, *wanted)
                    names |= {n for word in wanted for n in value_names(values[word])}
            case Loop() if made_sites(node.body, shell.context):
                inner = _making_names(node.body, shell)
                names |= (inner - set(node.targets)) | set(free_names(node.iterable))
            case Branch() if made_sites((node,), shell.context):
                for arm in node.arms:
                    names |= _making_names(arm or (), shell)
                if not node.late:
                    names |= {word for test in node.tests for word in free_names(test)}
            case _:
                continue
    return names


def weight_names(shell: Shell) -> set[str]:
    """Names that making the weights reads."""
    names: set[str] = set()
    for weight in shell.form.weights:
        if shell.is_early(weight.name):
            continue
        for value in (*weight.shape, *weight.arguments):
            names |= value_names(value)
        if weight.condition is not None:
            names |= set(free_names(weight.condition[0]))
    return names


def argument_name(word: str) -> str:
    return attribute_name(word) if word in ("name", "dtype", "trainable") or keyword.iskeyword(word) else word


def _is_default(value: object, default: object) -> bool:
    return value is not VARIES and type(value) is type(default) and value == default


def _chain(pairs: list[tuple[ast.expr, list[ast.stmt]]], orelse: list[ast.stmt]) -> list[ast.stmt]:
    if not pairs:
        return orelse
    (test, body), rest = pairs[0], pairs[1:]
    below = _chain(rest, orelse)
    if not body and not below:
        return []
    return [ast.If(negated(test), below, [])] if not body else [ast.If(test, body, below)]


def _display(entries: Mapping[tuple[int, ...], ast.expr], path: tuple[int, ...]) -> ast.expr:
    """A list display of what is at the places below `path`; None where there is nothing."""
    if path in entries:
        return entries[path]
    places = [found[len(path)] for found in entries if found[: len(path)] == path and len(found) > len(path)]
    if not places:
        return literal(None)
    return ast.List([_display(entries, (*path, place)) for place in range(max(places) + 1)], ast.Load())
