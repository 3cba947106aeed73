"""Values in a body: results, names, entries of lists, layers."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dlc.backends.common import held
from dlc.backends.common.constants import Constants
from dlc.backends.common.folding import Folded
from dlc.backends.common.form import (
    Convention,
    Element,
    Handed,
    Invoke,
    Listing,
    Make,
    Own,
    Ref,
    Reference,
    Slot,
    Spread,
    Step,
    Temp,
    Turns,
    Var,
)
from dlc.backends.common.names import identifier
from dlc.backends.common.printing import Frame
from dlc.backends.common.quote import name, quote
from dlc.backends.common.rule import VARIES
from dlc.backends.common.values import written


class Operands(Constants):
    """References of the form as code."""

    def ref(self, ref: Ref) -> ast.expr:
        match ref:
            case Temp(id):
                if id in self.numbers:
                    return self.numbers[id][0]
                return self.pending[id]
            case Var(word):
                return name(self.variables[word])
            case Own(word):
                return self.own(word)
            case Element(word, index):
                return quote("$x[$i]", x=name(self.variables[word]), i=self.value(index))

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

    def slot(self, slot: Slot) -> ast.expr:
        """The instance's code: `self.dense`, an element of a loop over `self.encoder_layer`, `self.unit[0]`."""
        given = held.is_held(slot.site)
        node = name(self.arguments[slot.site]) if given else self.owner.attribute(slot.site)
        for place, index in enumerate(slot.indices):
            last = place == len(slot.indices) - 1
            whole = isinstance(index, Turns) and index.depth >= place and not self._written_out(slot, place)
            if whole and isinstance(index, Turns) and self._iterable_here(node, index.depth):
                wish = held.item(slot.site) if given else self._item(slot.site)
                node = self._element(self.frames[index.depth], node, wish if last else f"{wish}s")
            elif isinstance(index, Turns):
                node = quote("$x[$i]", x=node, i=self._turn(index.depth))
            else:
                node = quote("$x[$i]", x=node, i=self.value(index))
        return node

    def argument(self, callee: Folded, word: str, part: str = "") -> str:
        """What a class or function calls an input: `class_` for `class`."""
        known = {} if callee.form is None else self.owner.folding.words.get(id(callee.form.method(part)), {})
        return known.get(word, word)

    def _written_out(self, slot: Slot, place: int) -> bool:
        """Whether some of the container's entries are made one by one: a loop over it would meet these too."""
        return any(
            one.site == slot.site
            and one.indices[:place] == slot.indices[:place]
            and not isinstance(one.indices[place], Turns)
            for one in self.made
        )

    def _item(self, site: str) -> str:
        """One of a site's instances: by the site, or by its block where the site is a plural or its name is taken."""
        make = self.makes.get(site)
        if make is None:
            return site
        block = make.block.name
        named = site != block and not site.startswith(f"{block}_")
        plural = site.endswith("s") and not site.endswith("ss")
        return block if named and (plural or self.scope.is_taken(identifier(site))) else site

    def layers(self, node: Invoke | Step) -> dict[str, ast.expr]:
        """The layers that a call hands on, by the callee's arguments, in their order; a list's items as a list."""
        if isinstance(node.target, Convention):
            return {}  # a given layer has been given its own already
        return self._handed(self.owner.folding.of(node.target), node.layers)

    def _handed(self, callee: Folded, layers: Sequence[tuple[str, Handed]]) -> dict[str, ast.expr]:
        """By the arguments of the callee, which takes what it uses."""
        taken = () if callee.form is None else held.arguments(callee.form.modules)
        out: dict[str, ast.expr] = {}
        for word, handed in layers:
            head, *rest = word.split(".")
            if head not in taken:
                continue
            head = self.argument(callee, held.MARK + head).removeprefix(held.MARK)
            code = self._whole(handed)
            if not rest:
                out[head] = code
                continue
            items = out.setdefault(head, ast.List([], ast.Load()))
            assert isinstance(items, ast.List)
            items.elts.append(code)
        return out

    def _whole(self, handed: Handed) -> ast.expr:
        """A layer with the layers that it holds: `functools.partial(self.h, inner=self.inner)`; or a function."""
        make = self.turns.get(handed.slot) or self.makes.get(handed.slot.site)
        if make is None and not held.is_held(handed.slot.site):
            return ast.Constant(None)  # nobody calls it, so nobody makes it
        if make is None:
            return self.slot(handed.slot)
        callee = self.owner.folding.of(make.target)
        keywords = [ast.keyword(word, code) for word, code in self._handed(callee, handed.layers).items()]
        is_function = self.owner.is_function(callee)
        layer = self.owner.function(callee) if is_function else self.slot(handed.slot)
        if is_function:
            keywords += self.constants_of(make)
        if not keywords:
            return layer
        return ast.Call(ast.Attribute(self.owner.module("functools"), "partial", ast.Load()), [layer], keywords)

    def constants_of(self, make: Make) -> list[ast.keyword]:
        """What a function is given of its hyperparameters."""
        callee = self.owner.folding.of(make.target)
        return [
            ast.keyword(self.owner.hyperparameter(callee, word), self.value(value))
            for word, value in make.hyperparameters
            if written(value) is VARIES or written(value) != self.owner.default(callee, word)
        ]

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
