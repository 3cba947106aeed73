"""Pipes beside operators: parentheses are required, and leaving them out shows both readings."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.diagnostics import error
from dlc.spec.record import replace
from dlc.spec.syntax import Binary, Compare, Conditional, Expr, Pipe, Unary


def check_stages(stages: Sequence[Expr]) -> None:
    """Raises E0112 where a stage of `stages[0] -> stages[1] -> ...` is an operator without parentheses."""
    bare = [i for i, stage in enumerate(stages) if _is_bare(stage)]
    if not bare:
        return
    from dlc.spec.printer import print_expression

    stage = stages[bare[0]]
    whole = stages[0].span.to(stages[-1].span)
    readings = [_chain(stages)]
    other = _other_reading(stages, bare[0])
    if other is not None and len(bare) == 1:
        readings.append(other)
    shown = " or ".join(f"`{print_expression(r)}`" for r in readings)
    raise error(
        "E0112",
        "a pipe beside an operator needs parentheses",
        whole if whole.line == whole.end_line else stage.span,
        found=f"the operator `{_operator(stage)}` beside `->`",
        hint=f"write {shown}",
    )


def _last(node: Expr) -> Expr | None:
    match node:
        case Binary():
            return node.right
        case Unary():
            return node.operand
        case Compare():
            return node.operands[-1]
        case Conditional():
            return node.orelse
        case _:
            return None


def _first(node: Expr) -> Expr | None:
    match node:
        case Binary():
            return node.left
        case Compare():
            return node.operands[0]
        case Conditional():
            return node.body
        case _:
            return None


def _is_bare(node: Expr) -> bool:
    """An operator without parentheses around it ends where its last operand ends."""
    last = _last(node)
    if last is None:
        return False
    return (last.span.end_line, last.span.end_column) == (node.span.end_line, node.span.end_column)


def _operator(node: Expr) -> str:
    match node:
        case Binary() | Unary():
            return node.op
        case Compare():
            return node.ops[0]
        case _:
            return "if"


def _chain(stages: Sequence[Expr]) -> Expr:
    value, *targets = stages
    for target in targets:
        value = Pipe(value, target)
    return value


def _other_reading(stages: Sequence[Expr], at: int) -> Expr | None:
    """The pipes taken with the operands next to them; None for a sign or `not` in front of a target."""
    node = stages[at]
    if at + 1 < len(stages):
        node = _replace_last(node, stages[at + 1 :])
    if at > 0:
        replaced = _replace_first(node, stages[:at])
        if replaced is None:
            return None
        node = replaced
    return node


def _replace_last(node: Expr, targets: Sequence[Expr]) -> Expr:
    """`node` with its last operand (the innermost) piped through `targets`."""
    path: list[Expr] = []
    while _is_bare(node):
        path.append(node)
        last = _last(node)
        assert last is not None
        node = last
    node = _chain([node, *targets])
    for outer in reversed(path):
        match outer:
            case Binary():
                node = replace(outer, right=node)
            case Unary():
                node = replace(outer, operand=node)
            case Compare():
                node = replace(outer, operands=(*outer.operands[:-1], node))
            case Conditional():
                node = replace(outer, orelse=node)
            case _:
                raise AssertionError(outer)
    return node


def _replace_first(node: Expr, stages: Sequence[Expr]) -> Expr | None:
    """`node` with its first operand (the innermost) at the end of the pipe `stages`."""
    path: list[Expr] = []
    while isinstance(node, Unary | Binary | Compare | Conditional):
        first = _first(node)
        if first is None:
            return None
        if path and (first.span.line, first.span.column) != (node.span.line, node.span.column):
            break
        path.append(node)
        node = first
    node = _chain([*stages, node])
    for outer in reversed(path):
        match outer:
            case Binary():
                node = replace(outer, left=node)
            case Compare():
                node = replace(outer, operands=(node, *outer.operands[1:]))
            case Conditional():
                node = replace(outer, body=node)
            case _:
                raise AssertionError(outer)
    return node
