"""Functions as blocks: `residual(relu)` gives a block hyperparameter the function `relu`.

Such a function has one tensor and no argument that must be given. It becomes the block that says it, `block relu:` with
`input x: float[*B]` and `output relu(x)`; arguments that are bound already (`softmax(axis=1)`) stand in its call.
"""

from __future__ import annotations

from functools import lru_cache

from dlc import ir
from dlc.ir import Static
from dlc.ops import OPS
from dlc.ops.api import REQUIRED
from dlc.passes.resolve import standard_library
from dlc.passes.things import BlockDeclaration, BlockValue, Items, Pending, Primitive, Thing
from dlc.spec import syntax
from dlc.spec.source import Span

Bound = tuple[tuple[str, syntax.Constant], ...]


def as_given(kind: syntax.ConstantType, thing: Thing, span: Span) -> Thing:
    """A hyperparameter's value with functions as blocks, where its type asks for blocks or layers; else itself."""
    match kind.name, thing:
        case "list", Items(items=items) if kind.element is not None:
            return Items(tuple(as_given(kind.element, item, span) for item in items), thing.source)
        case "block", Primitive():
            return _block(thing) or thing
        case "layer", Primitive():
            block = _block(thing)
            return thing if block is None else Pending(block, span, span)
        case _:
            return thing


def _block(thing: Primitive) -> BlockValue | None:
    op = OPS.get(thing.name)
    bound = tuple((name, syntax.Constant(value)) for name, value in map(_plain, thing.keywords) if value is not None)
    if op is None or len(bound) != len(thing.keywords):
        return None
    given = {name for name, _ in bound}
    open_names = [a.name for a in op.attributes if a.default is REQUIRED and a.name not in given]
    if len(op.operands) != 1 or op.operands[0].startswith("*") or open_names:
        return None
    return BlockValue(_declaration(thing.name, bound))


def _plain(keyword: tuple[str, Thing]) -> tuple[str, int | float | bool | str | None]:
    name, thing = keyword
    value = thing.value if isinstance(thing, Static) else None
    return name, value if isinstance(value, int | float | bool | str) else None


@lru_cache
def _declaration(name: str, bound: Bound) -> BlockDeclaration:
    x = syntax.Input("x", syntax.TensorType("float", (syntax.StarDimension("B"),)))
    keywords = tuple(syntax.Keyword(word, value) for word, value in bound)
    output = syntax.Output(None, syntax.Call(syntax.Name(name), (syntax.Name("x"),), keywords))
    block = syntax.Block("block", name, (), None, (x, output))
    return BlockDeclaration(ir.BlockId("std/functions.dl", name), block, standard_library())
