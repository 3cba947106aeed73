"""The code that makes a layer's parts: sub-layers (nested lists of them for loops) and weights."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from dlc.backends.common.constructor import value_names
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.expression import negated, python
from dlc.backends.common.form import Branch, Formula, Items, Known, Loop, Make, Node, Slot, Turns, Value, Weight
from dlc.backends.common.names import Scope
from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import call, literal, name, statements
from dlc.backends.common.rule import VARIES
from dlc.backends.tensorflow.initial import initializer
from dlc.backends.tensorflow.shell import Shell, made_sites, optional_site
from dlc.diagnostics import error
from dlc.spec.syntax import Expr

Names = Callable[[str], ast.expr]
#: Layers by their places in lists.
Places = dict[tuple[int, ...], ast.expr]


class Making:
    """Prints what makes a class's parts; `names` gives the code of a hyperparameter or dimension."""

    def __init__(self, shell: Shell, names: Names, scope: Scope):
        self.shell, self.names, self.scope = shell, names, scope
        self.loops: list[dict[str, str]] = []
        #: What is made so far by site and place: at the top, in each loop around, in each arm around.
        self.made: list[dict[str, Places | None]] = [{}]
        self.lists: list[dict[str, str]] = []
        self.slots: dict[str, Slot] = {}

    # --- layers ------------------------------------------------------------------------------------------------

    def layers(self) -> list[ast.stmt]:
        out = self._sequence(self.shell.form.body)
        for site, places in self.made[0].items():
            assert places is not None
            out += self._set(site, _display(places, ()))
        return out

    def _set(self, site: str, made: ast.expr) -> list[ast.stmt]:
        """Keras sees what is inside a list when the attribute is set, so lists are complete by then."""
        return statements("$target = $made", target=self.shell.attribute(site), made=made)

    def _list(self, site: str) -> ast.expr:
        """The list that the innermost loop fills with a site's layers."""
        if site not in self.lists[-1]:
            self.lists[-1][site] = self.scope.allocate(f"{site}s")
        return name(self.lists[-1][site])

    def _append(self, site: str, made: ast.expr) -> list[ast.stmt]:
        return statements("$items.append($made)", items=self._list(site), made=made)

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
        """Sets the attribute, or notes what its list holds."""
        self.slots[slot.site] = slot
        return self._place(slot.site, made)

    def _place(self, site: str, made: ast.expr) -> list[ast.stmt]:
        path = self._path(site)
        if len(self.made) == 1 and not path:
            return self._set(site, made)
        places = self.made[-1].setdefault(site, {})
        assert places is not None
        places[path] = made
        return []

    def _path(self, site: str) -> tuple[int, ...]:
        """The site's places in loops that are written out, within the innermost of the others."""
        parts: list[list[int]] = [[]]
        for index in self.slots[site].indices:
            if isinstance(index, Known):
                parts[-1].append(int(str(index.value)))
            else:
                parts.append([])
        return tuple(parts[len(self.loops)])

    def _loop(self, node: Loop) -> list[ast.stmt]:
        if not made_sites(node.body, self.shell.context):
            return []
        targets = {word: self.scope.allocate(word) for word in dict.fromkeys(node.targets) if word != "_"}
        iterable = self.code(node.iterable)
        self.loops.append(targets)
        self.lists.append({})
        self.made.append({})
        body = self._sequence(node.body)
        made = self.made.pop()
        short = _only(made) if not body else None
        for site, places in made.items() if short is None else ():
            body += [] if places is None else self._append(site, _display(places, ()))
        self.loops.pop()
        lists = self.lists.pop()
        read = {one.id for part in (*body, short) if part for one in ast.walk(part) if isinstance(one, ast.Name)}
        words = [targets[word] if word in targets and targets[word] in read else "_" for word in node.targets]
        names: list[ast.expr] = [ast.Name(word, ast.Store()) for word in words]
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        if short is not None:
            return self._place(next(iter(made)), ast.ListComp(short, [ast.comprehension(target, iterable, [], 0)]))
        out = [line for word in lists.values() for line in statements("$items = []", items=name(word))]
        out.append(ast.For(target, iterable, body, []))
        for site, word in lists.items():
            out += self._place(site, name(word))
        return out

    def _branch(self, node: Branch) -> list[ast.stmt]:
        sites = made_sites((node,), self.shell.context)
        if not sites:
            return []
        if node.late:
            return [statement for arm in node.arms for statement in self._sequence(arm or ())]
        arms = [None if arm is None else self._arm(arm, sites) for arm in node.arms]
        before = self._so_far() if self.loops else list[ast.stmt]()
        if self.loops:
            self.made[-1].update(dict.fromkeys(sites))
        tests = [self.code(test) for test in node.tests]
        pairs = [(test, arm) for test, arm in zip(tests, arms, strict=False) if arm is not None]
        orelse = arms[-1]
        if orelse is None:
            _, orelse = pairs.pop()
        if not self.loops and optional_site(node, self.shell.context) is not None:
            before = [s for site in sites for s in statements("$x = None", x=self.shell.attribute(site))]
        return [*before, *_chain(pairs, orelse)]

    def _so_far(self) -> list[ast.stmt]:
        """Appends what the turn has made, so that lists grow in the order of the spec."""
        out: list[ast.stmt] = []
        for site, places in self.made[-1].items():
            if places is not None and set(places) == {()}:
                out += self._append(site, places[()])
                self.made[-1][site] = None
        return out

    def _arm(self, arm: Sequence[Node], sites: list[str]) -> list[ast.stmt]:
        """Inside a loop, what this arm does not make is None, so that places in the list stay the turns' numbers."""
        self.made.append({})
        out = self._sequence(arm)
        made = self.made.pop()
        if self.loops:
            for site in sites:
                places = made.get(site, {})
                if places is not None:
                    out += self._append(site, _display(places, ()))
            return out
        for site, places in made.items():
            if places is None or set(places) != {()}:
                raise error("E0706", f"`{site}` is made in some turns of a loop only", exit_code=3)
            out += self._set(site, places[()])
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
                keywords.append(ast.keyword(self.shell.argument(word), self.value(value)))
        return ast.Call(self.shell.function(folded), args, keywords)

    # --- weights -----------------------------------------------------------------------------------------------

    def weights(self, *, early: bool = False) -> list[ast.stmt]:
        """Those that the constructor makes, or those that `build` makes."""
        weights = [weight for weight in self.shell.form.weights if self.shell.is_early(weight.name) == early]
        return [statement for weight in weights for statement in self._weight(weight)]

    def _weight(self, weight: Weight) -> list[ast.stmt]:
        width = self.shell.context.width
        keywords = {
            "initializer": initializer(weight, [self.value(argument) for argument in weight.arguments], self),
            "dtype": None if width(weight.dtype) == width("float") else literal(width(weight.dtype)),
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


def _only(made: Mapping[str, Places | None]) -> ast.expr | None:
    """What a loop makes where that is one layer, and no list of a loop inside."""
    if len(made) != 1:
        return None
    (places,) = made.values()
    if places is None or set(places) != {()} or isinstance(places[()], ast.ListComp):
        return None
    return places[()]


def _display(entries: Mapping[tuple[int, ...], ast.expr], path: tuple[int, ...]) -> ast.expr:
    """A list display of what is at the places below `path`; None where there is nothing."""
    if path in entries:
        return entries[path]
    places = [found[len(path)] for found in entries if found[: len(path)] == path and len(found) > len(path)]
    if not places:
        return literal(None)
    return ast.List([_display(entries, (*path, place)) for place in range(max(places) + 1)], ast.Load())
