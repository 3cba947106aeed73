"""Quasi-quotes: Python code with holes, parsed once, filled with `ast` nodes.

Text is never spliced into code. `quote("F.relu($x)", x=node)` parses the template and puts the node where the hole is,
so precedence, quoting and injection cannot go wrong. Holes are `$name` or `$0`:

- where an expression stands, a hole takes an `ast.expr`, or a plain Python value, which becomes a literal;
- after a star (`f(*$items)`, `[*$items]`), a list or tuple of expressions, spliced in place;
- where an identifier stands (`self.$name`, `def $name():`, `f($name=1)`), a `str`;
- as a statement on its own (`$body`), a list of statements, spliced in place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

_HOLE = re.compile(r"\$(\w+)")
_MARK = "hole_mark_"


def quote(template: str, /, *positional: object, **holes: object) -> ast.expr:
    """The expression that the template spells. Positional holes are `$0`, `$1`, ...

    Raises ValueError if a hole has no filling.
    """
    tree = _parse(template, "eval")
    assert isinstance(tree, ast.Expression)
    return cast(ast.expr, _Filler(template, _fillings(positional, holes)).fill(tree.body))


def statements(template: str, /, *positional: object, **holes: object) -> list[ast.stmt]:
    """The statements that the template spells (it may be indented)."""
    tree = _parse(template, "exec")
    assert isinstance(tree, ast.Module)
    return cast("list[ast.stmt]", _Filler(template, _fillings(positional, holes)).fill_list(tree.body))


def name(identifier: str) -> ast.expr:
    """A variable."""
    return ast.Name(identifier, ast.Load())


def target(identifiers: Sequence[str]) -> ast.expr:
    """What an assignment to these variables stands on: a name, or a tuple of names."""
    names: list[ast.expr] = [ast.Name(one, ast.Store()) for one in identifiers]
    return names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())


def dotted(path: str) -> ast.expr:
    """`a.b.c` as code."""
    first, *rest = path.split(".")
    node = name(first)
    for part in rest:
        node = ast.Attribute(node, part, ast.Load())
    return node


def literal(value: object) -> ast.expr:
    """A plain value as code: numbers (`float("inf")`), bools, str, None; tuples, lists and dicts of such."""
    if isinstance(value, ast.expr):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return ast.Constant(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, tuple):
        return ast.Tuple([literal(item) for item in cast("tuple[object, ...]", value)], ast.Load())
    if isinstance(value, list):
        return ast.List([literal(item) for item in cast("list[object]", value)], ast.Load())
    if isinstance(value, dict):
        items = cast("dict[object, object]", value)
        return ast.Dict([literal(key) for key in items], [literal(item) for item in items.values()])
    raise TypeError(f"no literal for {value!r}")


def call(function: ast.expr | str, *args: ast.expr, **keywords: ast.expr | None) -> ast.Call:
    """A call; keywords that are None are left out."""
    target = dotted(function) if isinstance(function, str) else function
    given = [ast.keyword(key, value) for key, value in keywords.items() if value is not None]
    return ast.Call(target, list(args), given)


def same(left: ast.AST, right: ast.AST) -> bool:
    """True if two trees are equal."""
    return ast.dump(left) == ast.dump(right)


def _number(value: int | float) -> ast.expr:
    if isinstance(value, float) and value != value:
        return call("float", ast.Constant("nan"))
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        text = ast.Constant("inf") if value > 0 else ast.Constant("-inf")
        return call("float", text)
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _fillings(positional: Sequence[object], named: Mapping[str, object]) -> dict[str, object]:
    return {**{str(i): item for i, item in enumerate(positional)}, **named}


@lru_cache(maxsize=4096)
def _parse(template: str, mode: str) -> ast.AST:
    import textwrap

    return ast.parse(_HOLE.sub(rf"{_MARK}\1", textwrap.dedent(template).strip()), mode=mode)


class _Filler:
    """Copies a parsed template with its holes filled; the template itself is shared and stays as it is."""

    def __init__(self, template: str, fillings: Mapping[str, object]):
        self.template, self.fillings = template, fillings

    def fill(self, node: ast.AST) -> ast.AST:
        hole = self._hole(node.id) if isinstance(node, ast.Name) else None
        if hole is not None:
            return literal(self._filling(hole))
        fields: dict[str, Any] = {key: self._field(value) for key, value in ast.iter_fields(node)}
        return type(node)(**fields)

    def fill_list(self, nodes: Sequence[Any]) -> list[Any]:
        out: list[Any] = []
        for node in nodes:
            hole = self._list_hole(node)
            if hole is None:
                out.append(self.fill(node) if isinstance(node, ast.AST) else self._identifier(node))
            else:
                out.extend(cast("Sequence[Any]", self._filling(hole)))
        return out

    def _field(self, value: Any) -> Any:
        if isinstance(value, ast.AST):
            return self.fill(value)
        if isinstance(value, list):
            return self.fill_list(cast("list[Any]", value))
        return self._identifier(value)

    def _identifier(self, value: Any) -> Any:
        hole = self._hole(value) if isinstance(value, str) else None
        if hole is None:
            return value
        filling = self._filling(hole)
        if not isinstance(filling, str) or not filling.isidentifier():
            raise ValueError(f"hole ${hole} of {self.template!r} needs an identifier, not {filling!r}")
        return filling

    def _list_hole(self, node: Any) -> str | None:
        """The hole of `*$items`, or of a statement that is a hole filled with a list."""
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name):
            hole = self._hole(node.value.id)
            return hole if hole is not None and isinstance(self._filling(hole), list | tuple) else None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Name):
            hole = self._hole(node.value.id)
            return hole if hole is not None and isinstance(self._filling(hole), list) else None
        return None

    def _hole(self, text: str) -> str | None:
        return text[len(_MARK) :] if text.startswith(_MARK) else None

    def _filling(self, hole: str) -> object:
        if hole not in self.fillings:
            raise ValueError(f"hole ${hole} of {self.template!r} is not filled")
        return self.fillings[hole]
