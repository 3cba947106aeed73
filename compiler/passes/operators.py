"""Operators and comparisons: of constants at compile time, of tensors as equations."""

from __future__ import annotations

from dlc.diagnostics import error
from dlc.dims import Dim
from dlc.ir import Static
from dlc.passes import calls, expressions, residuals, static
from dlc.passes.builder import Builder, is_tensor, static_of
from dlc.passes.sources import substitute
from dlc.passes.things import Items, Thing, describe
from dlc.spec import syntax

#: Operators between tensors, and the ops that they mean.
OPERATORS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "//": "floor_divide",
    "%": "remainder",
    "**": "power",
    "@": "matmul",
    "&": "logical_and",
    "|": "logical_or",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}


def unary(b: Builder, node: syntax.Unary) -> Thing:
    """`-x`, `+x`, `~x`, `not c`. Raises DlcError E0502, E0507."""
    operand = expressions.evaluate(b, node.operand)
    if isinstance(operand, Static):
        source = syntax.Unary(node.op, operand.source, node.span) if operand.source else None
        value = operand.value
        match node.op:
            case "not" if not isinstance(value, Dim):
                return Static(not value, source)
            case "-" if isinstance(value, int | float):
                return Static(-value, source)
            case "-" if isinstance(value, Dim):
                return Static(static.binary("*", -1, value, node.span), source)
            case "+" if isinstance(value, int | float | Dim):
                return operand
            case "~" if isinstance(value, bool):
                return Static(not value, source)
            case _:
                raise error("E0502", f"`{node.op}` does not fit this constant", node.span, found=describe(operand))
    if node.op == "not":
        raise error(
            "E0507",
            "`not` decides at compile time",
            node.span,
            found=describe(operand),
            expected="a constant",
            hint="use `~` on bool tensors",
        )
    if node.op == "+":
        return b.tensor(operand, node.span)
    name = "negative" if node.op == "-" else "logical_not"
    return b.apply(name, [operand], {}, node.span)[0]


def binary(b: Builder, node: syntax.Binary) -> Thing:
    """Arithmetic, logic, `list + list`. Raises DlcError E0502, E0507 and those of the ops."""
    if node.op in ("and", "or"):
        return _logical(b, node)
    # A chain such as a + b + c leans left: walk down it instead of recursing, so that long sums are cheap.
    chain: list[syntax.Binary] = []
    left_node: syntax.Expr = node
    while isinstance(left_node, syntax.Binary) and left_node.op not in ("and", "or"):
        chain.append(left_node)
        left_node = left_node.left
    left = expressions.evaluate(b, left_node)
    for step in reversed(chain):
        left = _operate(b, step, left, expressions.evaluate(b, step.right))
    return left


def _operate(b: Builder, node: syntax.Binary, left: Thing, right: Thing) -> Thing:
    if isinstance(left, Items) or isinstance(right, Items):
        return _concatenate(b, node, left, right)
    if isinstance(left, Static) and isinstance(right, Static):
        return _static_binary(b, node, left, right)
    if node.op == "+" and is_tensor(left) and is_tensor(right):
        residuals.check(b, node, b.tensor(left, node.left.span), b.tensor(right, node.right.span))
    return calls.elementwise(b, OPERATORS[node.op], [left, right], node.span)


def _static_binary(b: Builder, node: syntax.Binary, left: Static, right: Static) -> Thing:
    if node.op == "/" and (isinstance(left.value, Dim) or isinstance(right.value, Dim)):
        return b.apply("divide", [left, right], {}, node.span)[0]
    mixed = isinstance(left.value, Dim) != isinstance(right.value, Dim)
    if mixed and (isinstance(left.value, float) or isinstance(right.value, float)):
        return b.apply(OPERATORS[node.op], [left, right], {}, node.span)[0]
    value = static.binary(node.op, left.value, right.value, node.span)
    return Static(value, _joined(node.op, left, right, node))


def _joined(op: str, left: Static, right: Static, node: syntax.Binary) -> syntax.Expr | None:
    if left.source is None or right.source is None:
        return None
    return syntax.Binary(op, left.source, right.source, node.span)


def _logical(b: Builder, node: syntax.Binary) -> Thing:
    left = truth(b, node.left, f"`{node.op}`")
    # As in Python, the right side is not looked at where the left side decides.
    if (node.op == "and") != left.value:
        other = substitute(b, node.right)
        source = syntax.Binary(node.op, left.source, other, node.span) if left.source and other else None
        return Static(left.value, source)
    right = truth(b, node.right, f"`{node.op}`")
    return Static(right.value, _joined(node.op, left, right, node))


def truth(b: Builder, node: syntax.Expr, what: str) -> Static:
    """The value of a compile-time condition; `what` asks. Raises DlcError E0507."""
    return decide(b, expressions.evaluate(b, node), node, what)


def decide(b: Builder, thing: Thing, node: syntax.Expr, what: str) -> Static:
    """A thing as a compile-time truth value. Raises DlcError where it is none."""
    if isinstance(thing, Static) and isinstance(thing.value, bool):
        return thing
    hint = "choose between tensors with `where(condition, a, b)`" if is_tensor(thing) else None
    sign = {"`and`": "&", "`or`": "|"}.get(what)
    if hint is not None and sign is not None:
        hint = f"between bool tensors write `(a) {sign} (b)`"
    raise error(
        "E0507",
        f"{what} decides at compile time",
        node.span,
        found=describe(thing),
        expected="true or false",
        hint=hint,
    )


def _concatenate(b: Builder, node: syntax.Binary, left: Thing, right: Thing) -> Thing:
    if isinstance(left, Items) and isinstance(right, Items) and node.op == "+":
        static.check_length(len(left.items) + len(right.items), node.span)
        source = syntax.Binary("+", left.source, right.source, node.span) if left.source and right.source else None
        return counted(b, Items(left.items + right.items, source), node)
    if isinstance(left, Items) and isinstance(right, Static) and type(right.value) is int and node.op == "*":
        static.check_length(left.size * max(right.value, 0), node.span)
        source = syntax.Binary("*", left.source, right.source, node.span) if left.source and right.source else None
        return counted(b, Items(left.items * right.value, source), node)
    raise error(
        "E0502",
        f"`{node.op}` does not fit lists",
        node.span,
        found=f"{describe(left)} {node.op} {describe(right)}",
        expected="list + list, or list * integer",
    )


def comparison(b: Builder, node: syntax.Compare) -> Thing:
    """`a < b`, chains of constants, `x is none`. Raises DlcError E0502, E0507."""
    operands = [expressions.evaluate(b, operand) for operand in node.operands]
    if len(node.ops) == 1 and node.ops[0] in OPERATORS and any(is_tensor(o) for o in operands):
        return calls.elementwise(b, OPERATORS[node.ops[0]], operands, node.span)
    if node.ops[0] in ("is", "is not") and len(operands) == 2:
        return _is(b, node, operands)
    values: list[object] = []
    sources: list[syntax.Expr | None] = []
    for operand, part in zip(operands, node.operands, strict=True):
        if is_tensor(operand):
            raise error(
                "E0507",
                "a chain of comparisons decides at compile time",
                part.span,
                found="a tensor",
                hint="write (a < b) & (b < c) for tensors",
            )
        constant = static_of(operand, part.span)
        values.append(constant.value)
        sources.append(constant.source)
    answer = all(static.compare(op, values[i], values[i + 1], node.span) for i, op in enumerate(node.ops))
    known = [s for s in sources if s is not None]
    source = syntax.Compare(node.ops, tuple(known), node.span) if len(known) == len(sources) else None
    return Static(answer, source)


def _is(b: Builder, node: syntax.Compare, operands: list[Thing]) -> Static:
    """`x is none`: asks at compile time whether an optional input is there."""
    second = operands[1]
    if not (isinstance(second, Static) and second.value is None):
        raise error("E0502", "`is` compares with none only", node.span, expected="`x is none` or `x is not none`")
    first = operands[0]
    absent = isinstance(first, Static) and first.value is None
    left = substitute(b, node.operands[0])
    source = syntax.Compare(node.ops, (left, syntax.Constant(None)), node.span) if left else None
    return Static(absent == (node.ops[0] == "is"), source)


def counted(b: Builder, made: Items, node: syntax.Expr) -> Items:
    """The list, its length checked and its cost counted."""
    static.check_length(made.size, node.span)
    b.elaborator.spend(node.span, made.size // 16)
    return made
