"""Sizes of an input that a body reads often get names, before everything else: `n, t, dim = ops.shape(query)`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from dlc.backends.common.quote import quote, statements

#: From how many reads on.
OFTEN = 2


def name_sizes(body: list[ast.stmt], axes: Mapping[str, Sequence[str]], fresh: Callable[[str], str]) -> list[ast.stmt]:
    """`axes`: what the axes of each input might be called, by the input's variable. `fresh` gives free names."""
    module = ast.Module(body, [])
    stored = {node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    before: list[ast.stmt] = []
    for variable, wishes in axes.items():
        reads = [place for node in ast.walk(module) if (place := _read(node, variable)) is not None]
        if variable in stored or len(reads) < OFTEN:
            continue
        names = {axis: fresh(wishes[axis]) for axis in sorted(set(reads))}
        before += _assigned(variable, names, len(wishes))
        module = _Named(variable, names).visit(module)
    return [*before, *module.body]


def _read(node: ast.AST, variable: str) -> int | None:
    """The axis, where a node is `ops.shape(variable)[axis]`."""
    match node:
        case ast.Subscript(
            ast.Call(ast.Attribute(ast.Name("ops"), "shape"), [ast.Name(read)]), ast.Constant(int() as axis)
        ) if read == variable:
            return axis
        case _:
            return None


def _assigned(variable: str, names: Mapping[int, str], rank: int) -> list[ast.stmt]:
    shape = quote(f"ops.shape({variable})")
    if len(names) == 1:
        ((axis, word),) = names.items()
        return statements(f"{word} = $shape[$axis]", shape=shape, axis=axis)
    targets: list[ast.expr] = [ast.Name(names.get(axis, "_"), ast.Store()) for axis in range(rank)]
    return [ast.Assign([ast.Tuple(targets, ast.Store())], shape)]


class _Named(ast.NodeTransformer):
    def __init__(self, variable: str, names: Mapping[int, str]) -> None:
        self.variable, self.names = variable, names

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        axis = _read(node, self.variable)
        if axis is not None:
            return ast.Name(self.names[axis], ast.Load())
        self.generic_visit(node)
        return node
