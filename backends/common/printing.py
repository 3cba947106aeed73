"""The state of one print of a Form: its names, what is not yet written, the loops that are open.

`constants`, `operands`, `expressions`, `loops` and `body` build on it, each on the one before.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dlc.backends.common import given_sizes, held, usage
from dlc.backends.common.dialect import Dialect
from dlc.backends.common.facts import Facts
from dlc.backends.common.form import Bind, Form, Loop, Make, Slot, walk
from dlc.backends.common.liveness import Live
from dlc.backends.common.names import Scope
from dlc.backends.common.overwritten import overwritten
from dlc.backends.common.owner import Owner
from dlc.backends.common.quote import name


@dataclass(slots=True)
class Frame:
    """A loop while its body is printed. `elements`: what is iterated beside the targets."""

    node: Loop
    targets: dict[str, str]
    used: set[str] = field(default_factory=set[str])
    elements: list[tuple[str, ast.expr]] = field(default_factory=list["tuple[str, ast.expr]"])
    index: str | None = None


class Printing:
    """`arguments`: the Python names of inputs and states.

    A print that is `plain_of` another one keeps each result in a variable of its own: `replay` compares the two.
    """

    def __init__(self, owner: Owner, dialect: Dialect, form: Form, scope: Scope, plain_of: Printing | None = None):
        self.owner, self.dialect, self.form, self.scope = owner, dialect, form, scope
        self.plainly = plain_of is not None
        self.arguments = (
            dict(plain_of.arguments)
            if plain_of is not None
            else {word: scope.allocate(word.removeprefix(held.MARK)) for word in usage.arguments(form)}
        )
        if not self.plainly:
            owner.folding.words[id(form)] = self.arguments
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
        #: What each name comes to stand for.
        self.contents: dict[str, list[object]] = {}
        for node in walk(form.body):
            if isinstance(node, Bind) and self.live.keeps(node):
                self.contents.setdefault(node.name, []).append(node.content)
        self.uses = usage.count(form, self.live)
        self.pending: dict[int, ast.expr] = {}
        self.numbers: dict[int, tuple[ast.expr, object]] = {}
        self.collectors: dict[int, str] = {}
        self.frames: list[Frame] = []
        self.loop_words: dict[str, str] = {}
        made = [node for node in walk(form.body) if isinstance(node, Make)]
        self.makes: dict[str, Make] = {node.slot.site: node for node in made}
        #: A written-out loop makes several things at one site.
        self.turns: dict[Slot, Make] = {node.slot: node for node in made}
        self.made = [node.slot for node in walk(form.body) if isinstance(node, Make)]
        self.copies: dict[str, str] = {}
        self.overwritten = {word: scope.allocate(word) for word in overwritten(form)}
        #: Sizes of inputs whose name the body assigns to, by input and axis.
        self.sizes: dict[tuple[str, int], str] = {}
        self.locals: dict[str, str] = {}
        self.kinds = usage.kinds(form)
        self.given_sizes = given_sizes.ports(form.modules[0])

    def local(self, wish: str, beside: Sequence[str] = ()) -> str:
        """A variable that lives within one statement of the spec; later statements may have it again.

        `beside`: those that the statement has already.
        """
        count, key = 1, wish
        while self.locals.get(key) in beside and key in self.locals:
            count += 1
            key = f"{wish} {count}"
        if key not in self.locals:
            self.locals[key] = self.scope.allocate(wish)
        return self.locals[key]

    def is_rebound(self, word: str) -> bool:
        """True for an input whose name comes to stand for something else."""
        return word in self.arguments and self.binds[word] > 0

    def size_before(self, port: str, axis: int) -> str:
        """A variable for the size that an input has before its name is assigned to."""
        if (port, axis) not in self.sizes:
            self.sizes[port, axis] = self.scope.allocate(self.owner.axis_name(port, axis))
        return self.sizes[port, axis]

    def own(self, word: str) -> ast.expr:
        if word in self.overwritten:
            return name(self.overwritten[word])
        if word not in self.arguments:
            return self.owner.own(word)
        if word in self.given_sizes:
            return given_sizes.variable(self.arguments[word])
        if not self.is_rebound(word):
            return name(self.arguments[word])
        if word not in self.copies:
            self.copies[word] = self.scope.allocate(f"{word}_in")
        return name(self.copies[word])
