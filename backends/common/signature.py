"""Constructor arguments: names, types, defaults, read from the block's declaration."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from dlc.backends.common.evaluate import Unknown, evaluate
from dlc.backends.common.folding import Folded
from dlc.backends.common.names import Scope, dimension_name
from dlc.backends.common.quote import literal, name, quote
from dlc.ir import BlockId
from dlc.spec.syntax import Block, ConstantType

NO_DEFAULT = ...


@dataclass(frozen=True, slots=True)
class Argument:
    """`word` is the spec's name, `name` Python's; `default` a plain value, or Ellipsis."""

    word: str
    name: str
    annotation: ast.expr
    default: object = NO_DEFAULT
    dimension: bool = False


def constructor(
    folded: Folded, declarations: Mapping[BlockId, Block], reserved: Iterable[str] = ()
) -> tuple[Argument, ...]:
    """Dimensions first, then hyperparameters, in the spec's order; a default only where all that follow have one.

    `reserved`: what the file imports, which the constructor's body needs (`nn.Linear`).
    """
    scope = Scope(reserved)
    block = declarations.get(folded.block)
    declared = {one.name: one for one in block.hyperparameters} if block is not None else {}
    wishes = {word: word for word in folded.hyperparameters}
    taken = {word: scope.allocate(wish) for word, wish in wishes.items()}
    out: list[Argument] = []
    for word in folded.dims:
        out.append(Argument(word, scope.allocate(dimension_name(word)), name("int"), NO_DEFAULT, True))
    for word in folded.hyperparameters:
        one = declared.get(word)
        default: object = NO_DEFAULT
        if one is not None and one.default is not None:
            try:
                default = evaluate(one.default, {})
            except Unknown:
                default = NO_DEFAULT
        annotation = _annotation(one.type) if one is not None else _guess(folded, word)
        out.append(Argument(word, taken[word], annotation, default))
    return _ordered(out)


def _ordered(arguments: list[Argument]) -> tuple[Argument, ...]:
    last = max((i for i, one in enumerate(arguments) if one.default is NO_DEFAULT), default=-1)
    return tuple(
        Argument(one.word, one.name, one.annotation, NO_DEFAULT if i <= last else one.default, one.dimension)
        for i, one in enumerate(arguments)
    )


def parameters(arguments: tuple[Argument, ...]) -> tuple[list[ast.arg], list[ast.expr]]:
    """As `ast.arguments` takes them."""
    args = [ast.arg(one.name, one.annotation) for one in arguments]
    return args, [literal(one.default) for one in arguments if one.default is not NO_DEFAULT]


def _annotation(kind: ConstantType) -> ast.expr:
    if kind.options:
        return union_code([_annotation(option) for option in kind.options])
    if kind.name == "list":
        inner = _annotation(kind.element) if kind.element is not None else name("object")
        return quote("Sequence[$t]", t=inner)
    if kind.name == "none":
        return literal(None)
    return name({"size": "int", "literal": "str"}.get(kind.name, kind.name))


def union_code(options: Sequence[ast.expr]) -> ast.expr:
    """`a | b` without repetition."""
    different = {ast.unparse(option): option for option in options}
    return reduce(lambda a, b: ast.BinOp(a, ast.BitOr(), b), different.values())


def _guess(folded: Folded, word: str) -> ast.expr:
    value = dict(folded.members[0].module.hyperparameters)[word].value
    return name(type(value).__name__ if isinstance(value, bool | int | float | str) else "object")
