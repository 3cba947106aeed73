"""Loops, comprehensions and conditional expressions: all run at compile time."""

from __future__ import annotations

from collections.abc import Iterator

from dlc import ir
from dlc.diagnostics import error
from dlc.ir import Static
from dlc.passes import calls, expressions, operators, static
from dlc.passes.builder import Builder, is_tensor
from dlc.passes.sources import named, place, substitute
from dlc.passes.things import Items, Tensor, Thing, describe
from dlc.spec import syntax


def comprehension(b: Builder, node: syntax.Comprehension) -> Thing:
    """The list that a comprehension makes; its names are its own."""
    items: list[Thing] = []
    hidden = {t: b.env.get(t) for clause in node.clauses for t in clause.targets}
    _clauses(b, node, 0, items)
    for name, thing in hidden.items():
        if thing is None:
            b.env.pop(name, None)
        else:
            b.env[name] = thing
    return operators.counted(b, Items(tuple(items), substitute(b, node)), node)


def _clauses(b: Builder, node: syntax.Comprehension, depth: int, items: list[Thing]) -> None:
    if depth == len(node.clauses):
        items.append(calls.made(b, expressions.evaluate(b, node.element)))
        static.check_length(len(items), node.span)
        return
    clause = node.clauses[depth]
    for _ in turns(b, clause.targets, clause.iterable, place(clause), comprehension=True):
        if all(operators.truth(b, condition, "a filter").value for condition in clause.conditions):
            _clauses(b, node, depth + 1, items)


def turns(
    b: Builder, targets: tuple[str, ...], iterable: syntax.Expr, statement: int, *, comprehension: bool = False
) -> Iterator[int]:
    """Goes through a compile-time loop: binds the targets for each turn, and yields its number."""
    sequence = expressions.evaluate(b, iterable)
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


def conditional(b: Builder, node: syntax.Conditional) -> Thing:
    """`a if c else b`: only the side that is taken is evaluated. Raises DlcError E0507 where c is no constant."""
    test = operators.decide(b, expressions.evaluate(b, node.test), node.test, "`if`")
    taken, other = (node.body, node.orelse) if test.value else (node.orelse, node.body)
    number = len(b.choices)
    before = len(b.body)
    arm = 0 if test.value else 1
    if test.source is not None:
        b.choices.append(ir.Choice(place(node), (test.source,), arm, expression=True))
    with b.inside(ir.Arm(number, arm)) if test.source is not None else b.inside_nothing():
        thing = expressions.evaluate(b, taken)
    if len(b.body) == before and test.source is not None and not _holds_tensors(thing):
        del b.choices[number:]
    if isinstance(thing, Static | Items):
        return _with_conditional_source(b, node, test, thing, substitute(b, other))
    return thing


def _holds_tensors(thing: Thing) -> bool:
    """True for a tensor, and for a list with tensors in it: later equations may use what the other side gives."""
    return any(map(_holds_tensors, thing.items)) if isinstance(thing, Items) else isinstance(thing, Tensor)


def _with_conditional_source(
    b: Builder, node: syntax.Conditional, test: Static, thing: Static | Items, other: syntax.Expr | None
) -> Thing:
    source = None
    if test.source is not None and thing.source is not None and other is not None:
        parts = (thing.source, other) if test.value else (other, thing.source)
        source = syntax.Conditional(parts[0], test.source, parts[1], node.span)
    return Static(thing.value, source) if isinstance(thing, Static) else Items(thing.items, source)
