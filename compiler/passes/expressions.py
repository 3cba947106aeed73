"""Evaluates expressions: constants at compile time, tensors into equations."""

from __future__ import annotations

from dlc import ir
from dlc.diagnostics import DlcError, did_you_mean, error
from dlc.ir import Static
from dlc.ops import OPS
from dlc.passes import calls, configurations, foreign, loops, operators
from dlc.passes.builder import Builder
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
            return loops.comprehension(b, node)
        case syntax.Unary():
            return operators.unary(b, node)
        case syntax.Binary():
            return operators.binary(b, node)
        case syntax.Compare():
            return operators.comparison(b, node)
        case syntax.Conditional():
            return loops.conditional(b, node)
        case syntax.Call():
            return calls.call(b, node)
        case syntax.Pipe():
            return calls.pipe(b, node)
        case syntax.Index(value=value):
            return index(b, evaluate(b, value), node)
        case syntax.Attribute():
            return _attribute(b, node)


def as_argument(b: Builder, node: syntax.Expr) -> Thing:
    """An argument of a block: what a list holds is not made yet, because the block may take templates."""
    if isinstance(node, syntax.ListLiteral):
        return _list(b, [as_argument(b, item) for item in node.items], node)
    return evaluate(b, node)


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
    hint = foreign.name_hint(node.id, _known(b))
    raise error("E0201", f"`{node.id}` is not known here", node.span, hint=hint)


def _known(b: Builder) -> list[str]:
    return [*b.env, *b.declaration.scope.names(), *OPS, *calls.BUILTINS]


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


def _list(b: Builder, items: list[Thing], node: syntax.Expr) -> Items:
    source = None
    if all(isinstance(i, Static | Items) and i.source is not None for i in items):
        source = syntax.ListLiteral(tuple(i.source for i in items))  # type: ignore[union-attr, misc]
    return operators.counted(b, Items(tuple(items), source), node)


def _attribute(b: Builder, node: syntax.Attribute) -> Thing:
    owner = evaluate(b, node.value)
    match owner:
        case Result(outputs=outputs, states=states):
            if node.name in outputs:
                return outputs[node.name]
            if node.name in states:
                return states[node.name]
            if node.name == "output" and len(outputs) == 1:  # the only one, whatever its own name
                return next(iter(outputs.values()))
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
        case Tensor():
            raise error(
                "E0208",
                f"`.{node.name}` can't be read from a tensor",
                node.span,
                found=f"{b.type_of(owner)}",
                hint=foreign.method_hint(node.name, node.value, b.type_of(owner).shape, _known(b)),
            )
        case _:
            raise error(
                "E0208",
                f"`.{node.name}` can't be read from this",
                node.span,
                found=describe(owner),
                expected="the result of a block, or a layer",
            )
