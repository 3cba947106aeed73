"""Message passing: `messages u -> v along edges into V:`, `send`, `softmax(e, over=v)`, degrees, `aggregate`.

Inside the statement each value is one edge's. A tensor whose first axis is the edges' holds one value per edge, and
that axis is hidden: axes count without it, and values of different rank broadcast edge by edge. The axis is known by
its dimension, never by its size alone: a weight with as many rows as there are edges is no edge's value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlc import ir
from dlc.diagnostics import DlcError, did_you_mean, error
from dlc.dims import Dim
from dlc.ir import Static
from dlc.ops import OPS
from dlc.passes.builder import Builder, is_tensor
from dlc.passes.things import Tensor, Thing, describe
from dlc.spec import syntax
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.calls import Argument

#: The mark of a first axis that is the edges', where their number is a constant.
EDGES = "edges"
AGGREGATIONS = ("sum", "mean", "max", "min")
#: Ops whose `axis` attribute may be given from the front, and then counts without the edge axis.
AXIS_ATTRIBUTES = ("axis", "axes")


def is_edge_tensor(b: Builder, tensor: Tensor) -> bool:
    """Whether a tensor holds one value per edge of the `messages` statement around."""
    shape = b.type_of(tensor).shape
    if b.edges is None or not shape or shape[0] != b.edges:
        return False
    return isinstance(b.edges, Dim) or b.first_axes.get(tensor.id) == EDGES


def execute(b: Builder, node: syntax.Messages) -> None:
    """The statement: binds u and v to the rows of `edges`, runs the body, notes what is sent."""
    from dlc.passes.expressions import evaluate
    from dlc.passes.statements import execute_all

    if b.edges is not None:
        raise error("E0608", "`messages` stands inside `messages`", node.span, hint="end the first one before")
    edges = b.tensor(evaluate(b, node.edges), node.edges.span)
    kind = b.type_of(edges)
    if kind.dtype not in ir.INTS or kind.rank != 2 or kind.shape[0] != 2:
        raise error(
            "E0608",
            "`along` takes the edges",
            node.edges.span,
            found=str(kind),
            expected="int[2, E]: row 0 from, row 1 to",
        )
    count = evaluate(b, node.into)
    if not isinstance(count, Static) or not isinstance(count.value, int | Dim):
        raise error(
            "E0608", "`into` takes the number of nodes", node.into.span, found=describe(count), expected="a dimension"
        )
    b.sent = None
    for row, name in enumerate((node.source, node.target)):
        items = Static((("index", row), ("slice", None, None, 1)), _row_source(row))
        ends = b.apply("slice", [edges], {"items": items}, node.span)[0]
        b.first_axes[ends.id] = EDGES
        b.bind(name, ends, node.span)
    named = _dimension_of(b, node)
    b.first_axes.update({value: EDGES for value, name in b.first_axes.items() if name == named})
    outer, b.edges = b.edges, kind.shape[1]
    b.message_nodes = (b.env[node.source], b.env[node.target], count)
    execute_all(b, node.body)
    b.edges = outer
    if b.sent is None and not b.diagnostics:
        raise error("E0608", "nothing is sent", node.span, expected="`send ...` inside `messages`")


def _dimension_of(b: Builder, node: syntax.Messages) -> str | None:
    """The name of the edges' dimension, where `along` names an input that declares it."""
    for declared in b.declaration.inputs:
        if (
            isinstance(node.edges, syntax.Name)
            and node.edges.id == declared.name
            and len(declared.type.dimensions) == 2
        ):
            return dimension_name(declared.type.dimensions[1])
    return None


def dimension_name(dimension: syntax.Expr | syntax.StarDimension | syntax.SizedDimension) -> str | None:
    """`E` of `E` and of `E = 4`; None for an expression."""
    match dimension:
        case syntax.Name(id=name) | syntax.SizedDimension(name=name):
            return name
        case _:
            return None


def _row_source(row: int) -> syntax.Expr:
    first = syntax.ListLiteral((syntax.Constant("index"), syntax.Constant(row)))
    return syntax.ListLiteral((first, syntax.Constant(None)))


def send(b: Builder, node: syntax.Send) -> None:
    """`send m`: the message of each edge."""
    from dlc.passes.expressions import evaluate

    if b.edges is None or b.message_nodes is None:
        raise error("E0608", "`send` stands inside `messages` only", node.span)
    message = b.tensor(evaluate(b, node.value), node.value.span)
    if not is_edge_tensor(b, message):
        raise error(
            "E0608",
            "the message is no edge's value",
            node.value.span,
            found=str(b.type_of(message)),
            expected=f"a first axis of {b.edges}",
        )
    _, target, count = b.message_nodes
    assert isinstance(target, Tensor)
    b.sent = (message, target, count)


def aggregate(b: Builder, node: syntax.Aggregate) -> None:
    """`aggregate name = sum`: folds the messages onto their targets; a node without edges gets 0."""
    if b.sent is None and b.broken:
        raise DlcError(())
    if b.sent is None:
        raise error("E0608", "there is nothing to aggregate", node.span, expected="a `messages` statement above")
    if node.how not in AGGREGATIONS:
        raise error(
            "E0608",
            f"`{node.how}` is no aggregation",
            node.span,
            expected=f"one of {', '.join(AGGREGATIONS)}",
            hint=did_you_mean(node.how, AGGREGATIONS),
        )
    message, target, count = b.sent
    folded = b.apply(f"segment_{node.how}", [message, target], {"count": count}, node.span)[0]
    b.bind(node.name, folded, node.span)


def softmax_over(b: Builder, given: Sequence[Argument], span: Span) -> Tensor:
    """`softmax(e, over=v)`: normalises over a node's incoming edges."""
    over = next(a for a in given if a.name == "over")
    scores = [a for a in given if a.name is None]
    if b.edges is None or b.message_nodes is None:
        raise error("E0608", "`over` stands inside `messages` only", over.span, hint="`axis=` normalises over an axis")
    if len(scores) != 1 or len(given) != 2 or not is_tensor(scores[0].thing):
        raise error("E0306", "`softmax` over nodes takes one tensor", span, expected="softmax(e, over=v)")
    _check_node(b, over, b.message_nodes[:2])
    operands = [b.tensor(scores[0].thing, span), b.tensor(over.thing, over.span)]
    return b.apply("segment_softmax", operands, {"count": b.message_nodes[2]}, span)[0]


def degree(b: Builder, name: str, given: Sequence[Argument], span: Span) -> Tensor:
    """`in_degree(v)`, `out_degree(u)`: the number of edges into (out of) each edge's node v (u), as a float."""
    if b.edges is None or b.message_nodes is None:
        raise error("E0608", f"`{name}` stands inside `messages` only", span)
    if len(given) != 1 or given[0].name:
        raise error("E0306", f"`{name}` takes one node", span, expected=f"{name}(v)")
    _check_node(b, given[0], b.message_nodes[:2])
    source, target, count = b.message_nodes
    ends = target if name == "in_degree" else source
    counts = b.apply("segment_count", [ends], {"count": count}, span)[0]
    node = b.tensor(given[0].thing, given[0].span)
    gathered = b.apply("gather", [counts, node], {"axis": Static(0, syntax.Constant(0))}, span)[0]
    return b.cast(gathered, "float", span)


def _check_node(b: Builder, argument: Argument, nodes: Sequence[Thing]) -> None:
    if argument.thing not in nodes:
        raise error(
            "E0608",
            "this is no end of the edges",
            argument.span,
            found=describe(argument.thing),
            expected="the statement's u or v",
        )


def apply(
    b: Builder, name: str, operands: Sequence[Thing], statics: dict[str, Static], span: Span
) -> tuple[Tensor, ...]:
    """An op inside `messages`, with the edge axis hidden."""
    things = [thing if isinstance(thing, Static) else b.tensor(thing, span) for thing in operands]
    edge = [isinstance(t, Tensor) and is_edge_tensor(b, t) for t in things]
    if not any(edge) or name in ("gather",) or name.startswith("segment_"):
        return b.apply(name, things, statics, span)
    op = OPS[name]
    attributes = dict(statics)
    for attribute in op.attributes:
        if attribute.name in AXIS_ATTRIBUTES and attribute.kind in ("axis", "axes", "new_axis"):
            written = attributes.get(attribute.name)
            rank = max(b.type_of(t).rank for t in things if isinstance(t, Tensor))
            attributes[attribute.name] = _shifted(written, attribute.default, rank)
    if name == "matmul":
        return _matmul(b, things, edge, span)
    if len(things) > 1:
        things = _aligned(b, things, edge, span)
    return b.apply(name, things, attributes, span)


def _matmul(b: Builder, things: Sequence[Thing], edge: Sequence[bool], span: Span) -> tuple[Tensor, ...]:
    """`a @ b` per edge. An edge's vector is made a row or a column, so that its edge axis is not taken for a
    matrix's."""
    left, right = (b.tensor(thing, span) for thing in things)
    row = all(edge) and b.type_of(left).rank == 2
    column = edge[1] and b.type_of(right).rank == 2
    if row:
        left = b.apply("expand_dims", [left], {"axis": Static(1, syntax.Constant(1))}, span)[0]
    if column:
        right = b.apply("expand_dims", [right], {"axis": Static(2, syntax.Constant(2))}, span)[0]
    product = b.apply("matmul", [left, right], {}, span)[0]
    added = tuple(axis for axis, is_added in ((-2, row), (-1, column)) if is_added)
    if not added:
        return (product,)
    shape = list(b.type_of(product).shape)
    kept = [size for axis, size in enumerate(shape, -len(shape)) if axis not in added]
    return b.apply("reshape", [product], {"shape": Static(tuple(kept))}, span)


def _shifted(written: Static | None, default: object, rank: int) -> Static:
    """An axis as counted without the edge axis; all axes means all but that one."""
    value = written.value if written else (default if isinstance(default, int) else None)
    if value is None:
        return Static(tuple(range(1, rank)))
    if isinstance(value, tuple):
        return Static(tuple(v + 1 if isinstance(v, int) and v >= 0 else v for v in value))
    assert isinstance(value, int)
    if value >= 0:
        return Static(value + 1, syntax.Constant(value + 1))
    return Static(value, written.source if written else syntax.Constant(value))


def _aligned(b: Builder, things: Sequence[Thing], edge: Sequence[bool], span: Span) -> list[Thing]:
    """Operands whose edge axes stand together: lower ranks get axes of size 1 behind the edge axis."""
    ranks = [b.type_of(t).rank - e if isinstance(t, Tensor) else 0 for t, e in zip(things, edge, strict=True)]
    rank = max(ranks)
    result: list[Thing] = []
    for thing, is_edge, own in zip(things, edge, ranks, strict=True):
        while is_edge and own < rank:
            thing = b.apply("expand_dims", [thing], {"axis": Static(1, syntax.Constant(1))}, span)[0]
            own += 1
        result.append(thing)
    return result
