"""Indexing and slicing: of lists at compile time, of tensors into `slice` and `gather`."""

from __future__ import annotations

from dlc import dims, ir
from dlc.diagnostics import error
from dlc.dims import Dim, Size
from dlc.ir import Static
from dlc.passes.builder import Builder, is_tensor
from dlc.passes.things import Items, Result, Tensor, Thing, describe
from dlc.spec import syntax

FULL = ("slice", None, None, 1)
NO_SOURCE = syntax.Constant(None)


def index(b: Builder, owner: Thing, node: syntax.Index) -> Thing:
    """`owner[items]`. Raises DlcError E0405, E0510."""
    if isinstance(owner, Items):
        return _list_item(b, owner, node)
    if not is_tensor(owner):
        hint = _take_one(owner) if isinstance(owner, Result) else None
        expected = "a list or a tensor"
        raise error("E0405", "this can't be indexed", node.span, found=describe(owner), expected=expected, hint=hint)
    return _tensor_item(b, b.tensor(owner, node.value.span), node)


def _take_one(result: Result) -> str | None:
    return f"take an output by its name: `r.{next(iter(result.outputs))}`" if result.outputs else None


def _list_item(b: Builder, owner: Items, node: syntax.Index) -> Thing:
    if len(node.items) != 1:
        raise error("E0510", "a list has one index", node.span, found=f"{len(node.items)}")
    item = node.items[0]
    if isinstance(item, syntax.Ellipsis):
        raise error("E0510", "`...` stands for axes of a tensor", item.span, found=describe(owner))
    if isinstance(item, syntax.Slice):
        start, stop, step = (_number(b, part) if part else None for part in (item.start, item.stop, item.step))
        return Items(owner.items[start:stop:step])
    position, number = _integer(b, item)
    if not -len(owner.items) <= number < len(owner.items):
        raise error(
            "E0510",
            "this index is outside of the list",
            item.span,
            found=str(number),
            expected=f"0 to {len(owner.items) - 1}",
        )
    thing = owner.items[number]
    if isinstance(thing, Static | Items) and owner.source is not None and position.source is not None:
        source = _item_source(owner.source, position.source, node)
        return Static(thing.value, source) if isinstance(thing, Static) else Items(thing.items, source)
    return thing


def _item_source(listed: syntax.Expr, position: syntax.Expr, node: syntax.Index) -> syntax.Expr:
    """`[a, b][1]` is b."""
    match listed, position:
        case syntax.ListLiteral(items=items), syntax.Constant(value=int() as place) if 0 <= place < len(items):
            return items[place]
        case _:
            return syntax.Index(listed, (position,), node.span)


def _number(b: Builder, node: syntax.Expr) -> int:
    return _integer(b, node)[1]


def _integer(b: Builder, node: syntax.Expr) -> tuple[Static, int]:
    """A list's index, and its value."""
    from dlc.passes.expressions import evaluate

    thing = evaluate(b, node)
    if isinstance(thing, Static) and isinstance(thing.value, int) and not isinstance(thing.value, bool):
        return thing, thing.value
    raise error("E0510", "a list's index is an integer constant", node.span, found=describe(thing))


def _tensor_item(b: Builder, x: Tensor, node: syntax.Index) -> Tensor:
    from dlc.passes.expressions import evaluate
    from dlc.passes.messages import is_edge_tensor

    kind = b.type_of(x)
    hidden = 1 if b.edges is not None and is_edge_tensor(b, x) else 0
    parts = _expanded(node, kind, kind.rank - hidden)
    values: list[object] = [FULL] * hidden
    sources: list[syntax.Expr] = [NO_SOURCE] * hidden
    gather: tuple[int, Tensor] | None = None
    for item in parts:
        axis = len(values)
        if isinstance(item, syntax.Slice):
            value, source = _slice(b, item, kind.shape[axis])
        else:
            thing = evaluate(b, item)
            if is_tensor(thing):
                if gather is not None:
                    raise error("E0405", "an index holds at most one tensor", item.span)
                dropped = sum(1 for v in values if isinstance(v, tuple) and v[0] == "index")
                gather = (axis - dropped, _indices(b, thing, item))
                value, source = FULL, NO_SOURCE
            else:
                value, source = _position(thing, item, kind.shape[axis])
        values.append(value)
        sources.append(source)
    values += [FULL] * (kind.rank - len(values))
    sources += [NO_SOURCE] * (kind.rank - len(sources))
    if any(value != FULL for value in values):
        items = Static(tuple(values), syntax.ListLiteral(tuple(sources)))
        x = b.apply("slice", [x], {"items": items}, node.span)[0]
    if gather is None:
        return x
    axis, indices = gather
    if axis > hidden and _apart(node):
        raise error(
            "E0405",
            "a slice stands between an index and a tensor",
            node.span,
            hint="index in two steps: NumPy would move the tensor's axes to the front here",
        )
    return b.apply("gather", [x, indices], {"axis": Static(axis, syntax.Constant(axis))}, node.span)[0]


def _expanded(node: syntax.Index, kind: ir.TensorType, rank: int) -> list[syntax.Expr | syntax.Slice]:
    """The items of an index to a tensor of `rank` visible axes, with `:` for each axis that `...` stands for."""
    dots = [item for item in node.items if isinstance(item, syntax.Ellipsis)]
    if len(dots) > 1:
        raise error("E0405", "an index holds at most one `...`", dots[1].span)
    left = rank - (len(node.items) - len(dots))
    if left < 0:
        raise error(
            "E0405",
            "more indices than axes",
            node.span,
            found=f"{rank - left} indices",
            expected=f"at most {rank}: {kind}",
        )
    items: list[syntax.Expr | syntax.Slice] = []
    for item in node.items:
        if isinstance(item, syntax.Ellipsis):
            items += [syntax.Slice(None, None, None, item.span)] * left
        else:
            items.append(item)
    return items


def _apart(node: syntax.Index) -> bool:
    """Whether a slice or `...` stands between two other items."""
    kept = [isinstance(item, syntax.Slice | syntax.Ellipsis) for item in node.items]
    first, last = kept.index(False), len(kept) - kept[::-1].index(False)
    return any(kept[first:last])


def _indices(b: Builder, thing: Thing, node: syntax.Expr) -> Tensor:
    tensor = b.tensor(thing, node.span)
    kind = b.type_of(tensor)
    if kind.dtype not in ir.INTS:
        raise error(
            "E0405",
            "a tensor is indexed by an int tensor",
            node.span,
            found=str(kind),
            hint="choose by a bool tensor with `where`" if kind.dtype == "bool" else "cast it: `int(...)`",
        )
    return tensor


def _position(thing: Thing, node: syntax.Expr, size: Size) -> tuple[object, syntax.Expr]:
    if not isinstance(thing, Static) or not (type(thing.value) is int or isinstance(thing.value, Dim)):
        raise error("E0405", "an index is an integer, a slice or an int tensor", node.span, found=describe(thing))
    value = thing.value
    assert isinstance(value, int | Dim)
    if isinstance(value, int) and isinstance(size, int) and not -size <= value < size:
        raise error(
            "E0405", "this index is outside of its axis", node.span, found=str(value), expected=f"0 to {size - 1}"
        )
    if isinstance(value, int) and value < 0:
        value = dims.add(size, value)
    return ("index", value), syntax.ListLiteral((syntax.Constant("index"), thing.source or NO_SOURCE))


def _slice(b: Builder, item: syntax.Slice, size: Size) -> tuple[object, syntax.Expr]:
    if item.start is None and item.stop is None and item.step is None:
        return FULL, NO_SOURCE
    step, step_source = 1, syntax.Constant(1)
    if item.step is not None:
        found, step = _integer(b, item.step)
        step_source = found.source or NO_SOURCE
        if step == 0:
            raise error("E0405", "the step of a slice is 0", item.step.span)
    start, start_source = _bound(b, item.start, size)
    stop, stop_source = _bound(b, item.stop, size)
    source = syntax.ListLiteral((syntax.Constant("slice"), start_source, stop_source, step_source))
    return ("slice", start, stop, step), source


def _bound(b: Builder, node: syntax.Expr | None, size: Size) -> tuple[Size | None, syntax.Expr]:
    """A slice's start or stop as a non-negative size. A negative one counts from the end; so does `-M` for a size M."""
    from dlc.passes.expressions import evaluate

    if node is None:
        return None, NO_SOURCE
    thing = evaluate(b, node)
    if not isinstance(thing, Static) or not (type(thing.value) is int or isinstance(thing.value, Dim)):
        raise error("E0405", "a slice's bound is an integer or a size", node.span, found=describe(thing))
    value = thing.value
    assert isinstance(value, int | Dim)
    if _negated(node) or (isinstance(value, int) and value < 0):
        # x[:, -M:] keeps the last M, none if M is 0.
        value = dims.add(size, value)
        value = max(value, 0) if isinstance(value, int) else value
        plain = isinstance(node, syntax.Unary) and isinstance(node.operand, syntax.Constant)
        return value, node if plain else NO_SOURCE
    if isinstance(value, int) and isinstance(size, int):
        value = min(value, size)
    return value, thing.source or NO_SOURCE


def _negated(node: syntax.Expr) -> bool:
    return isinstance(node, syntax.Unary) and node.op == "-"
