"""The proof of printing: two prints of one Form mean the same.

The proof of a fold ends at the Form. A Form is printed twice, once for a reader (results inlined, variables shared),
once plainly (each result in a variable of its own, never assigned again, each list a new list). `Replay` runs both
statement by statement, in order, with terms instead of tensors: a name stands for the term that was assigned to it
last, lists are lists, a loop has two turns, a choice both arms. Both must return the same terms, make the same calls
and write the same buffers. A name that is read after it was assigned anew, a call printed twice or not at all, cannot
pass.

Not seen: the order of calls of one layer, and what the rules of ops spell (both prints share them).
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Sequence
from typing import cast

#: A number for an opaque value; lists and tuples of which the items are known stay lists and tuples.
Term = int
Known = Term | list["Known"] | tuple["Known", ...]

#: Turns of a loop over something of unknown length.
TURNS = 2
_WRITES = ("copy_", "assign")
_DRAWS = ("rand", "normal_", "uniform")


class Misprint(Exception):  # noqa: N818 - a verdict
    """The two prints differ."""


class Terms:
    """Terms by structure: equal ones are one number."""

    def __init__(self) -> None:
        self.numbers: dict[object, Term] = {}

    def of(self, *parts: object) -> Term:
        return self.numbers.setdefault(parts, len(self.numbers))

    def freeze(self, value: Known) -> Term:
        if isinstance(value, list):
            return self.of("list", *map(self.freeze, value))
        if isinstance(value, tuple):
            return self.of("tuple", *map(self.freeze, value))
        return value


def require_same(first: Sequence[ast.stmt], second: Sequence[ast.stmt], arguments: Sequence[str]) -> None:
    """Raises Misprint unless both bodies mean the same. `arguments`: the names that are there at the start."""
    terms = Terms()
    one, other = Replay(terms, arguments), Replay(terms, arguments)
    one.run(first)
    other.run(second)
    if one.result is None or one.result != other.result:
        raise Misprint("another result")
    if one.effects != other.effects:
        raise Misprint("other effects")
    if one.calls != other.calls:
        raise Misprint("other calls")


class Replay:
    """Runs statements. `result`: what these return; `effects`: writes in order; `calls`: how often what is called."""

    def __init__(self, terms: Terms, arguments: Sequence[str]) -> None:
        self.terms = terms
        self.names: dict[str, Known] = {word: terms.of("argument", word) for word in arguments}
        self.result: Term | None = None
        self.effects: list[Term] = []
        self.calls: Counter[Term] = Counter()
        self.drawn: Counter[Term] = Counter()
        self.written: Counter[str] = Counter()

    # --- statements --------------------------------------------------------------------------------------------

    def run(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            match node:
                case ast.Assign(targets=[target], value=value):
                    self._assign(target, self.value(value))
                case ast.Expr(value=value):
                    self._effect(value)
                case ast.For(target=target, iter=iterable, body=inner):
                    for item in self._items(iterable):
                        self._assign(target, item)
                        self.run(inner)
                case ast.If(test=test, body=then, orelse=orelse):
                    self._choose(self._term(test), then, orelse)
                case ast.With(items=items, body=inner):
                    for item in items:
                        self._term(item.context_expr)
                    self.run(inner)
                case ast.Return(value=value) if value is not None:
                    self.result = self._term(value)
                case _:
                    raise Misprint(f"no meaning for {type(node).__name__}")

    def _assign(self, target: ast.expr, value: Known) -> None:
        match target:
            case ast.Name(id=word):
                self.names[word] = value
            case ast.Tuple(elts=parts):
                for place, part in enumerate(parts):
                    item = value[place] if isinstance(value, tuple | list) else self.terms.of("item", value, place)
                    self._assign(part, item)
            case _:
                raise Misprint("an assignment to what is no name")

    def _effect(self, node: ast.expr) -> None:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=word), attr="append"), args=[item]) if isinstance(
                self.names.get(word), list
            ):
                cast("list[Known]", self.names[word]).append(self.value(item))
            case ast.Call(func=ast.Attribute(value=target, attr=attr)) if attr in _WRITES:
                self.effects.append(self._term(node))
                self.written[ast.dump(target)] += 1
            case _:
                self.effects.append(self._term(node))

    def _choose(self, test: Term, then: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        before = copy.deepcopy(self.names)
        self.run(then)
        first, self.names = self.names, before
        self.run(orelse)
        second = self.names
        nothing = self.terms.of("undefined")
        joined: dict[tuple[int, int], Known] = {}  # names of one list stay names of one list
        for word in {**first, **second}:
            one, other = first.get(word, nothing), second.get(word, nothing)
            if self.terms.freeze(one) != self.terms.freeze(other):
                pair = id(one), id(other)
                if pair not in joined:
                    joined[pair] = self._either(test, one, other)
                self.names[word] = joined[pair]

    def _either(self, test: Term, one: Known, other: Known) -> Known:
        """What a name stands for after a choice; of lists, what they start with is known still."""
        if not isinstance(one, list) or not isinstance(other, list):
            return self.terms.of("choice", test, self.terms.freeze(one), self.terms.freeze(other))
        same = 0
        while same < min(len(one), len(other)) and self.terms.freeze(one[same]) == self.terms.freeze(other[same]):
            same += 1
        rest = self.terms.of("choice", test, self.terms.freeze(one[same:]), self.terms.freeze(other[same:]))
        return [*one[:same], self.terms.of("all of", rest)]

    def _items(self, node: ast.expr) -> list[Known]:
        """What a loop goes over, in its turns."""
        match node:
            case ast.Call(func=ast.Name(id="zip"), args=args) if not any(isinstance(one, ast.Starred) for one in args):
                return [tuple(items) for items in zip(*(self._items(one) for one in args), strict=False)]
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner]):
                return [(self.terms.of("place", i), item) for i, item in enumerate(self._items(inner))]
            case _:
                value = self.value(node)
                if isinstance(value, list | tuple):
                    return list(value)
                return [self.terms.of("turn", value, i) for i in range(TURNS)]

    # --- expressions -------------------------------------------------------------------------------------------

    def _term(self, node: ast.expr) -> Term:
        return self.terms.freeze(self.value(node))

    def value(self, node: ast.expr) -> Known:
        match node:
            case ast.Name(id=word):
                return self.names[word] if word in self.names else self.terms.of("global", word)
            case ast.Constant(value=value):
                return self.terms.of("constant", repr(value))
            case ast.List(elts=elts):
                return self._listed(elts)
            case ast.Tuple(elts=elts):
                return tuple(self._listed(elts))
            case ast.Subscript(value=value, slice=index):
                return self._subscript(self.value(value), index)
            case ast.Call(func=ast.Name(id="reversed" | "list" as word), args=[inner]):
                value = self.value(inner)
                if isinstance(value, list):
                    return value[::-1] if word == "reversed" else list(value)
                return self.terms.of(word, self.terms.freeze(value))
            case ast.Call():
                return self._call(node)
            case ast.Attribute():
                return self.terms.of("attribute", self._generic(node), self.written[ast.dump(node)])
            case ast.Lambda(args=arguments, body=body):
                return self._lambda(arguments, body)
            case _:
                return self._generic(node)

    def _listed(self, elts: Sequence[ast.expr]) -> list[Known]:
        out: list[Known] = []
        for item in elts:
            if not isinstance(item, ast.Starred):
                out.append(self.value(item))
                continue
            value = self.value(item.value)
            out += list(value) if isinstance(value, list | tuple) else [self.terms.of("all of", value)]
        return out

    def _subscript(self, value: Known, index: ast.expr) -> Known:
        if isinstance(value, list | tuple):
            place = _place(index)
            if isinstance(place, int) and -len(value) <= place < len(value):
                return value[place]
            if isinstance(place, slice):
                return value[place]
        return self.terms.of("entry", self.terms.freeze(value), self._term(index))

    def _call(self, node: ast.Call) -> Term:
        function = self._term(node.func)
        arguments = [self.terms.freeze(value) for value in self._listed(node.args)]
        keywords = [(keyword.arg, self._term(keyword.value)) for keyword in node.keywords]
        made = self.terms.of("call", function, *arguments, *keywords)
        self.calls[made] += 1
        if any(word in _path(node.func) for word in _DRAWS):
            self.drawn[made] += 1
            return self.terms.of("draw", made, self.drawn[made])
        return made

    def _lambda(self, arguments: ast.arguments, body: ast.expr) -> Term:
        """The body over numbered parameters; those with a default stand for it."""
        outer = self.names
        given = [self.value(one) for one in arguments.defaults]
        free = len(arguments.args) - len(given)
        values = [*(self.terms.of("parameter", i) for i in range(free)), *given]
        self.names = {**outer, **{one.arg: value for one, value in zip(arguments.args, values, strict=True)}}
        result = self._term(body)
        self.names = outer
        return self.terms.of("lambda", free, result)

    def _generic(self, node: ast.AST) -> Term:
        parts: list[object] = [type(node).__name__]
        for word, field in ast.iter_fields(node):
            if word == "ctx":
                continue
            items = cast("list[object]", field) if isinstance(field, list) else [field]
            for item in items:
                if isinstance(item, ast.expr):
                    parts.append(self._term(item))
                else:
                    parts.append(self._generic(item) if isinstance(item, ast.AST) else repr(item))
        return self.terms.of(*parts)


def _path(node: ast.expr) -> str:
    """`keras.random.normal`; empty for what is no plain path."""
    match node:
        case ast.Name(id=word):
            return word
        case ast.Attribute(value=value, attr=attr):
            return f"{_path(value)}.{attr}" if _path(value) else ""
        case _:
            return ""


def _place(node: ast.expr | None) -> int | slice | None:
    """An index or slice of literal numbers; None if it is something else."""
    match node:
        case ast.Slice(lower=lower, upper=upper, step=step):
            parts = [_place(part) for part in (lower, upper, step)]
            given = [part is None or place is not None for part, place in zip((lower, upper, step), parts, strict=True)]
            return slice(*parts) if all(given) else None
        case ast.Constant(value=int() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return -number
        case _:
            return None


__all__ = ["Misprint", "Replay", "Terms", "require_same"]
