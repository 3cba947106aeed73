"""Evaluates expressions: constants at compile time, tensors into equations."""

from __future__ import annotations

from collections.abc import Iterator

from dlc import ir
from dlc.diagnostics import DlcError, did_you_mean, error
from dlc.dims import Dim
from dlc.ir import Static
from dlc.ops import OPS
from dlc.passes import calls, configurations, static
from dlc.passes.builder import Builder, is_tensor
from dlc.passes.indexing import index
from dlc.passes.things import (
    BlockValue,
    Items,
    Layer,
    Pending,
    Primitive,
    Result,
    Tensor,
    Thing,
    Unknown,
    describe,
)
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


def evaluate(b: Builder, node: syntax.Expr) -> Thing:
    """What an expression stands for. Raises DlcError."""
    match node:
        case syntax.Constant(value=value):
            return Static(value, node)
        case syntax.Name():
            return lookup(b, node)
        case syntax.Next(name=name):
            return _next(b, name, node)
        case syntax.ListLiteral(items=items):
            return _list(b, [calls.made(b, evaluate(b, item)) for item in items], node)
        case syntax.Comprehension():
            return _comprehension(b, node)
        case syntax.Unary():
            return _unary(b, node)
        case syntax.Binary():
            return _binary(b, node)
        case syntax.Compare():
            return _compare(b, node)
        case syntax.Conditional():
            return _conditional(b, node)
        case syntax.Call():
            return calls.call(b, node)
        case syntax.Pipe():
            return calls.pipe(b, node)
        case syntax.Index(value=value):
            return index(b, evaluate(b, value), node)
        case syntax.Attribute():
            return _attribute(b, node)


def lookup(b: Builder, node: syntax.Name) -> Thing:
    """The thing that a name stands for: local, then blocks, then ops and built-in functions."""
    found = b.env.get(node.id)
    if isinstance(found, Unknown):
        raise DlcError(())
    if found is not None:
        return found
    declaration = b.declaration.scope.lookup(node.id, node.span)
    if declaration is not None:
        return BlockValue(declaration)
    configured = configurations.resolve(b, node.id)
    if configured is not None:
        return configured
    if node.id in OPS or node.id in calls.BUILTINS or node.id in ir.DTYPES:
        return Primitive(node.id)
    known = [*b.env, *b.declaration.scope.names(), *OPS, *calls.BUILTINS]
    raise error("E0201", f"`{node.id}` is not known here", node.span, hint=did_you_mean(node.id, known))


def _next(b: Builder, name: str, node: syntax.Next) -> Thing:
    if name in b.next_states:
        return Tensor(b.next_states[name])
    if isinstance(b.env.get(name), Unknown) or b.broken:
        raise DlcError(())
    if any(state.name == name for state in b.states):
        raise error(
            "E0603", f"`next {name}` is read before it is set", node.span, hint=f"set it above: `next {name} = ...`"
        )
    raise error("E0602", f"`{name}` is no state of this block", node.span, expected=f"`state {name}: ...` above")


def _list(b: Builder, items: list[Thing], node: syntax.Expr, source: syntax.Expr | None = None) -> Items:
    if source is None and all(isinstance(i, Static | Items) and i.source is not None for i in items):
        source = syntax.ListLiteral(tuple(i.source for i in items))  # type: ignore[union-attr, misc]
    return _counted(b, Items(tuple(items), source), node)


def _counted(b: Builder, made: Items, node: syntax.Expr) -> Items:
    """The list, its length checked and its cost counted."""
    static.check_length(made.size, node.span)
    b.elaborator.spend(node.span, made.size // 16)
    return made


# --- operators -------------------------------------------------------------------------------------------------


def _unary(b: Builder, node: syntax.Unary) -> Thing:
    operand = evaluate(b, node.operand)
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


def _binary(b: Builder, node: syntax.Binary) -> Thing:
    if node.op in ("and", "or"):
        return _logical(b, node)
    # A chain such as a + b + c leans left: walk down it instead of recursing, so that long sums are cheap.
    chain: list[syntax.Binary] = []
    left_node: syntax.Expr = node
    while isinstance(left_node, syntax.Binary) and left_node.op not in ("and", "or"):
        chain.append(left_node)
        left_node = left_node.left
    left = evaluate(b, left_node)
    for step in reversed(chain):
        left = _operate(b, step, left, evaluate(b, step.right))
    return left


def _operate(b: Builder, node: syntax.Binary, left: Thing, right: Thing) -> Thing:
    if isinstance(left, Items) or isinstance(right, Items):
        return _concatenate(b, node, left, right)
    if isinstance(left, Static) and isinstance(right, Static):
        return _static_binary(b, node, left, right)
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
    left = _truth(b, node.left, f"`{node.op}`")
    # As in Python, the right side is not looked at where the left side decides.
    if (node.op == "and") != left.value:
        other = substitute(b, node.right)
        source = syntax.Binary(node.op, left.source, other, node.span) if left.source and other else None
        return Static(left.value, source)
    right = _truth(b, node.right, f"`{node.op}`")
    return Static(right.value, _joined(node.op, left, right, node))


def _truth(b: Builder, node: syntax.Expr, what: str) -> Static:
    return decide(b, evaluate(b, node), node, what)


def decide(b: Builder, thing: Thing, node: syntax.Expr, what: str) -> Static:
    """A thing as a compile-time truth value. Raises DlcError where it is none."""
    if isinstance(thing, Static) and isinstance(thing.value, bool):
        return thing
    hint = "choose between tensors with `where(condition, a, b)`" if is_tensor(thing) else None
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
        return _counted(b, Items(left.items + right.items, source), node)
    if isinstance(left, Items) and isinstance(right, Static) and type(right.value) is int and node.op == "*":
        static.check_length(left.size * max(right.value, 0), node.span)
        source = syntax.Binary("*", left.source, right.source, node.span) if left.source and right.source else None
        return _counted(b, Items(left.items * right.value, source), node)
    raise error(
        "E0502",
        f"`{node.op}` does not fit lists",
        node.span,
        found=f"{describe(left)} {node.op} {describe(right)}",
        expected="list + list, or list * integer",
    )


def _compare(b: Builder, node: syntax.Compare) -> Thing:
    operands = [evaluate(b, operand) for operand in node.operands]
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
        constant = _comparable(operand, part)
        values.append(constant.value)
        sources.append(constant.source)
    answer = all(static.compare(op, values[i], values[i + 1], node.span) for i, op in enumerate(node.ops))
    known = [s for s in sources if s is not None]
    source = syntax.Compare(node.ops, tuple(known), node.span) if len(known) == len(sources) else None
    return Static(answer, source)


def _comparable(thing: Thing, node: syntax.Expr) -> Static:
    from dlc.passes.builder import static_of

    return static_of(thing, node.span)


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


def _conditional(b: Builder, node: syntax.Conditional) -> Thing:
    test = decide(b, evaluate(b, node.test), node.test, "`if`")
    taken, other = (node.body, node.orelse) if test.value else (node.orelse, node.body)
    number = len(b.choices)
    before = len(b.body)
    arm = 0 if test.value else 1
    if test.source is not None:
        b.choices.append(ir.Choice(place(node), (test.source,), arm, expression=True))
    with b.inside(ir.Arm(number, arm)) if test.source is not None else b.inside_nothing():
        thing = evaluate(b, taken)
    if len(b.body) == before and test.source is not None:
        del b.choices[number:]
    if isinstance(thing, Static | Items):
        return _with_conditional_source(b, node, test, thing, substitute(b, other))
    return thing


def _with_conditional_source(
    b: Builder, node: syntax.Conditional, test: Static, thing: Static | Items, other: syntax.Expr | None
) -> Thing:
    source = None
    if test.source is not None and thing.source is not None and other is not None:
        parts = (thing.source, other) if test.value else (other, thing.source)
        source = syntax.Conditional(parts[0], test.source, parts[1], node.span)
    return Static(thing.value, source) if isinstance(thing, Static) else Items(thing.items, source)


def _comprehension(b: Builder, node: syntax.Comprehension) -> Thing:
    items: list[Thing] = []
    hidden = {t: b.env.get(t) for clause in node.clauses for t in clause.targets}
    _clauses(b, node, 0, items)
    for name, thing in hidden.items():
        if thing is None:
            b.env.pop(name, None)
        else:
            b.env[name] = thing
    return _counted(b, Items(tuple(items), substitute(b, node)), node)


def _clauses(b: Builder, node: syntax.Comprehension, depth: int, items: list[Thing]) -> None:
    if depth == len(node.clauses):
        items.append(calls.made(b, evaluate(b, node.element)))
        static.check_length(len(items), node.span)
        return
    clause = node.clauses[depth]
    for _ in turns(b, clause.targets, clause.iterable, place(clause), comprehension=True):
        if all(_truth(b, condition, "a filter").value for condition in clause.conditions):
            _clauses(b, node, depth + 1, items)


def turns(
    b: Builder, targets: tuple[str, ...], iterable: syntax.Expr, statement: int, *, comprehension: bool = False
) -> Iterator[int]:
    """Goes through a compile-time loop: binds the targets for each turn, and yields its number."""
    sequence = evaluate(b, iterable)
    if not isinstance(sequence, Items):
        hint = "time steps of a tensor are looped over by `scan`" if is_tensor(sequence) else None
        raise error("E0508", "a loop goes over a list", iterable.span, found=describe(sequence), hint=hint)
    b.elaborator.spend(iterable.span, len(sequence.items) // 2)
    rows = [_unpacked(item, targets, iterable) for item in sequence.items]
    number = len(b.loops)
    values = tuple(tuple(t if isinstance(t, Static) else None for t in row) for row in rows)
    b.loops.append(ir.Loop(statement, targets, sequence.source or iterable, values, comprehension))
    for turn, row in enumerate(rows):
        b.elaborator.spend(iterable.span)
        with b.inside(ir.Turn(number, turn)):
            for target, thing in zip(targets, row, strict=True):
                b.env[target] = named(thing, syntax.Name(target))
            yield turn


def _unpacked(item: Thing, targets: tuple[str, ...], node: syntax.Expr) -> tuple[Thing, ...]:
    if len(targets) == 1:
        return (item,)
    if isinstance(item, Items) and len(item.items) == len(targets):
        return item.items
    found = f"{len(item.items)} values" if isinstance(item, Items) else describe(item)
    raise error("E0509", f"each item of this loop must give {len(targets)} values", node.span, found=found)


def named(thing: Thing, source: syntax.Expr) -> Thing:
    """A constant, known in its scope as `source` from now on."""
    match thing:
        case Static(value=value):
            return Static(value, source)
        case Items(items=items):
            parts = (named(item, syntax.Index(source, (syntax.Constant(i),))) for i, item in enumerate(items))
            return Items(tuple(parts), source)
        case _:
            return thing


def substitute(b: Builder, node: syntax.Expr) -> syntax.Expr | None:
    """The expression with local constants replaced by their sources; None if it has no source.

    Used for what is not evaluated: the branch not taken, a comprehension as a whole.
    """
    match node:
        case syntax.Constant():
            return node
        case syntax.Name(id=name):
            thing = b.env.get(name)
            if isinstance(thing, Static | Items):
                return thing.source if thing.source is not None else None
            return node
        case syntax.Unary(op=op, operand=operand):
            inner = substitute(b, operand)
            return syntax.Unary(op, inner, node.span) if inner else None
        case syntax.Binary(op=op, left=left, right=right):
            first, second = substitute(b, left), substitute(b, right)
            return syntax.Binary(op, first, second, node.span) if first and second else None
        case syntax.Compare(ops=ops, operands=operands):
            parts = [substitute(b, operand) for operand in operands]
            return syntax.Compare(ops, tuple(p for p in parts if p), node.span) if all(parts) else None
        case syntax.Conditional(body=body, test=test, orelse=orelse):
            three = [substitute(b, part) for part in (body, test, orelse)]
            return syntax.Conditional(*three, node.span) if all(three) else None  # type: ignore[arg-type]
        case syntax.Call(function=function, args=args, keywords=()) if isinstance(function, syntax.Name):
            parts = [substitute(b, arg) for arg in args]
            return syntax.Call(function, tuple(p for p in parts if p), (), node.span) if all(parts) else None
        case syntax.ListLiteral(items=items):
            parts = [substitute(b, item) for item in items]
            return syntax.ListLiteral(tuple(p for p in parts if p), node.span) if all(parts) else None
        case syntax.Index(value=value, items=items) if not any(isinstance(i, syntax.Slice) for i in items):
            inner = substitute(b, value)
            parts = [substitute(b, item) for item in items]  # type: ignore[arg-type]
            return syntax.Index(inner, tuple(p for p in parts if p), node.span) if inner and all(parts) else None
        case syntax.Comprehension():
            return _substitute_comprehension(b, node)
        case _:
            return None


def _substitute_comprehension(b: Builder, node: syntax.Comprehension) -> syntax.Expr | None:
    own = {target for clause in node.clauses for target in clause.targets}
    outer = {name: b.env.pop(name) for name in own if name in b.env}
    try:
        clauses: list[syntax.Clause] = []
        for clause in node.clauses:
            iterable = substitute(b, clause.iterable)
            conditions = [substitute(b, condition) for condition in clause.conditions]
            if iterable is None or not all(conditions):
                return None
            clauses.append(syntax.Clause(clause.targets, iterable, tuple(c for c in conditions if c), clause.span))
        element = substitute(b, node.element)
        return syntax.Comprehension(element, tuple(clauses), node.span) if element else None
    finally:
        b.env.update(outer)


def place(node: syntax.Expr | syntax.Statement | syntax.Clause) -> int:
    """A number for a place in a block's text, in text order."""
    return node.span.line * 1000 + node.span.column


# --- attributes ------------------------------------------------------------------------------------------------


def _attribute(b: Builder, node: syntax.Attribute) -> Thing:
    owner = evaluate(b, node.value)
    match owner:
        case Result(outputs=outputs, states=states):
            if node.name in outputs:
                return outputs[node.name]
            if node.name in states:
                return states[node.name]
            bundle = {k.removeprefix(f"{node.name}."): t for k, t in states.items() if k.startswith(f"{node.name}.")}
            if bundle:
                return Result(f"{owner.block}.{node.name}", {}, bundle)
            names = [*outputs, *dict.fromkeys(name.partition(".")[0] for name in states)]
            raise error(
                "E0208",
                f"`{owner.block}` has no output or state `{node.name}`",
                node.span,
                expected=f"one of {', '.join(names)}",
                hint=did_you_mean(node.name, names),
            )
        case Layer() | Pending():
            return calls.read_parameter(b, calls.layer_of(b, owner), node)
        case _:
            raise error(
                "E0208",
                f"`.{node.name}` can't be read from this",
                node.span,
                found=describe(owner),
                expected="the result of a block, or a layer",
            )
