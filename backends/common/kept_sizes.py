"""Variables of `__init__` that follow a size: assignments that change nothing, or that nobody reads, go.

Each binding of a name whose size is followed gives an assignment (`construction`), also where the size stays. Here the
statements are looked at as statements: forward with what each variable is known to be, backward with what is read
later. Loops and choices that do nothing any more go too, and variables that stay what they were.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import cast

from dlc.backends.common.choice import if_chain
from dlc.backends.common.quote import same, target

#: A variable and the code that it is known to equal.
Known = dict[str, ast.expr]


def pruned(lines: Sequence[ast.stmt], variables: frozenset[str]) -> list[ast.stmt]:
    """The statements without idle assignments to these variables."""
    if not variables:
        return list(lines)
    changing = _Changes(variables).sequence(lines, {})
    return _written_out(_Reads(variables).sequence(changing, set()), variables)


def _written_out(lines: list[ast.stmt], variables: frozenset[str]) -> list[ast.stmt]:
    """What is assigned once, at the top, and stays a number or an argument is written where it is read."""
    stored = [name for line in lines for name in _stored(line)]
    known: dict[str, ast.expr] = {}
    out: list[ast.stmt] = []
    for line in lines:
        match line:
            case ast.Assign([ast.Name(word)], ast.Constant() | ast.Name() as value) if (
                word in variables and stored.count(word) == 1 and not set(_names(value)) & set(stored)
            ):
                known[word] = value
            case _:
                out.append(line)
    return [cast(ast.stmt, _Written(known).visit(line)) for line in out] if known else out


def _stored(line: ast.stmt) -> Iterator[str]:
    return (node.id for node in ast.walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


class _Written(ast.NodeTransformer):
    """Replaces variables by what they hold."""

    def __init__(self, known: Known):
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.known.get(node.id, node)


class _Changes:
    """Drops assignments of what a variable is known to hold."""

    def __init__(self, variables: frozenset[str]):
        self.variables = variables

    def sequence(self, lines: Sequence[ast.stmt], known: Known) -> list[ast.stmt]:
        """`known` comes out as it is after the statements."""
        out: list[ast.stmt] = []
        for line in lines:
            out += self._statement(line, known)
        return out

    def _statement(self, line: ast.stmt, known: Known) -> list[ast.stmt]:
        match line:
            case ast.Assign([ast.Name(word)], value) if word in self.variables:
                if _holds(known, word, value) or (isinstance(value, ast.Name) and value.id == word):
                    return []
                _forget(known, {word})
                if word not in set(_names(value)):
                    known[word] = value
                return [line]
            case ast.AugAssign(ast.Name(word)):
                _forget(known, {word})
                return [line]
            case ast.If(test, body, orelse):
                other = dict(known)
                arms = self.sequence(body, known), self.sequence(orelse, other)
                for word in [word for word, code in known.items() if not _holds(other, word, code)]:
                    del known[word]
                return if_chain([(test, arms[0])], arms[1])
            case ast.For(iterated, iterable, body):
                _forget(known, {*_names(iterated), *self._changed(body, known)})
                return _loop(iterated, iterable, self.sequence(body, dict(known)))
            case _:
                return [line]

    def _changed(self, body: Sequence[ast.stmt], known: Known) -> Iterator[str]:
        """Variables that the body makes something else than what is known."""
        for line in body:
            for node in ast.walk(line):
                match node:
                    case ast.Assign([ast.Name(word)], value) if word in self.variables:
                        if not _holds(known, word, value):
                            yield word
                    case ast.AugAssign(ast.Name(word)):
                        yield word
                    case _:
                        continue


class _Reads:
    """Drops assignments to variables that are not read before they are assigned again."""

    def __init__(self, variables: frozenset[str]):
        self.variables = variables

    def sequence(self, lines: Sequence[ast.stmt], live: set[str]) -> list[ast.stmt]:
        """`live`: what is read after the statements; it comes out as what is read before."""
        out: list[ast.stmt] = []
        for line in reversed(lines):
            out = [*self._statement(line, live), *out]
        return out

    def _statement(self, line: ast.stmt, live: set[str]) -> list[ast.stmt]:
        match line:
            case ast.Assign([ast.Name(word)], value) if word in self.variables:
                if word not in live:
                    return []
                live.discard(word)
                live |= set(_names(value))
                return [line]
            case ast.AugAssign(ast.Name(word), _, value):
                if word not in live:
                    return []
                live |= set(_names(value))
                return [line]
            case ast.If(test, body, orelse):
                other = set(live)
                arms = self.sequence(body, live), self.sequence(orelse, other)
                live |= other | set(_names(test))
                return if_chain([(test, arms[0])], arms[1])
            case ast.For(iterated, iterable, body):
                before = set(live)
                self.sequence(body, before)
                live |= before  # what a turn reads, the turn before it must leave
                kept = self.sequence(body, set(live))
                live |= set(_names(iterable))
                return _loop(iterated, iterable, kept)
            case _:
                live |= set(_names(line))
                return [line]


def _holds(known: Known, word: str, code: ast.expr) -> bool:
    return word in known and same(known[word], code)


def _forget(known: Known, words: set[str]) -> None:
    """What is known of these, and by these, is known no more."""
    for word in [word for word, code in known.items() if word in words or words & set(_names(code))]:
        del known[word]


def _loop(iterated: ast.expr, iterable: ast.expr, body: list[ast.stmt]) -> list[ast.stmt]:
    """The loop, with `_` for targets that nothing reads; none if it does nothing."""
    if not body:
        return []
    read = {word for line in body for word in _names(line)}
    words = [word if word in read else "_" for word in _names(iterated)]
    return [ast.For(target(words), iterable, body, [])]


def _names(node: ast.AST) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
