"""Faults in a piece of Python code: one keyword left out, one constant changed, two operands swapped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy


def mutants(code: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """All of them, each with what was done."""
    for number, node in enumerate(ast.walk(code)):
        for kind in _kinds(node):
            copy = deepcopy(code)
            target = list(ast.walk(copy))[number]
            label = _change(target, kind)
            yield f"{number}: {label}", copy


def mutant(code: ast.expr, label: str) -> ast.expr:
    """The one called so, or the code as it is where there is none."""
    return next((changed for name, changed in mutants(code) if name == label), code)


def _kinds(node: ast.AST) -> list[int]:
    """-1: swap; -2: change the constant; from 0: leave out the keyword of that number."""
    if isinstance(node, ast.Call):
        return [*range(len(node.keywords)), *([-1] if len(node.args) > 1 else [])]
    if isinstance(node, ast.BinOp):
        return [-1]
    plain = isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float)
    return [-2] if plain else []


def _change(node: ast.AST, kind: int) -> str:
    if isinstance(node, ast.Call) and kind >= 0:
        return f"without {node.keywords.pop(kind).arg}"
    if isinstance(node, ast.Call):
        node.args[:2] = node.args[1::-1]
        return "arguments swapped"
    if isinstance(node, ast.BinOp):
        node.left, node.right = node.right, node.left
        return "operands swapped"
    assert isinstance(node, ast.Constant)
    before = node.value
    assert isinstance(before, bool | int | float)
    node.value = (not before) if isinstance(before, bool) else before + 1 if isinstance(before, int) else 2 * before + 1
    return f"{before} -> {node.value}"
