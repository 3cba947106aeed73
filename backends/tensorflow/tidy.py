"""Leaves out assignments that only pass a value on.

- `y = f(); return y`: `return f()`;
- `x = x` (a scan assigns its outputs' variables itself), and `x = y` where nothing reads x;
- `a, y = f(); x = y` where nothing else reads y: `a, x = f()`.
"""

from __future__ import annotations

import ast
from collections import Counter


def tidy(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a function, shorter."""
    module = ast.Module(body, [])
    names = [node for node in ast.walk(module) if isinstance(node, ast.Name)]
    reads = Counter(node.id for node in names if isinstance(node.ctx, ast.Load))
    writes = Counter(node.id for node in names if isinstance(node.ctx, ast.Store))
    return _returned(_Tidy(reads, writes).sequence(module.body))


def _returned(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [*before, ast.Assign([ast.Name(target)], value), ast.Return(ast.Name(source))] if target == source:
            return [*before, ast.Return(value)]
        case _:
            return body


class _Tidy:
    def __init__(self, reads: Counter[str], writes: Counter[str]) -> None:
        self.reads, self.writes = reads, writes

    def sequence(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, ast.For):
                statement.body = self.sequence(statement.body)
            if isinstance(statement, ast.If):
                statement.body, statement.orelse = self.sequence(statement.body), self.sequence(statement.orelse)
            if not self._passes_on(statement, out):
                out.append(statement)
        return out

    def _passes_on(self, statement: ast.stmt, before: list[ast.stmt]) -> bool:
        match statement:
            case ast.Assign([ast.Name(target)], ast.Name(source)):
                idle = target == source or not self.reads[target]
                return idle or (bool(before) and self._renamed(before[-1], source, target))
            case _:
                return False

    def _renamed(self, before: ast.stmt, source: str, target: str) -> bool:
        """Gives the value to `target` at once, if `source` is written there alone and read nowhere else."""
        if self.reads[source] != 1 or self.writes[source] != 1 or not isinstance(before, ast.Assign):
            return False
        stored = [node for node in ast.walk(before.targets[0]) if isinstance(node, ast.Name)]
        stored = [node for node in stored if isinstance(node.ctx, ast.Store)]
        found = [node for node in stored if node.id == source]
        if len(found) != 1 or any(node.id == target for node in stored):
            return False
        found[0].id = target
        return True
