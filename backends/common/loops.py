"""The `for` of a loop: its targets, what it iterates over, lists that gather what its turns give."""

from __future__ import annotations

import ast

from dlc.backends.common import usage
from dlc.backends.common.expression import python
from dlc.backends.common.expressions import Expressions
from dlc.backends.common.form import Bind, Branch, Listing, Loop, Make, Spread, Store
from dlc.backends.common.form import Sequence as Nodes
from dlc.backends.common.printing import Frame
from dlc.backends.common.quote import name, quote, statements, target
from dlc.spec import syntax
from dlc.spec.syntax import Expr


class Loops(Expressions):
    """Headers of loops, as code."""

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
        wanted = [temp for temp in usage.spread_temps(rest) if temp in inside]
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
        return ast.Name(words[0], ast.Store()) if len(words) == 1 else target(words)


def _is_counted(iterable: Expr) -> bool:
    """True if the first target is the number of the turn."""
    match iterable:
        case syntax.Call(syntax.Name("enumerate"), (_,)) | syntax.Call(syntax.Name("range"), (_,)):
            return True
        case _:
            return False
