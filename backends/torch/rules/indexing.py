"""Slices, gathers, one-hot rows, and tensors from nothing."""

from __future__ import annotations

import ast
from typing import cast

from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import Rules, Site
from dlc.backends.torch.dtypes import dtype_code


def _slice(site: Site) -> ast.expr:
    items = cast("tuple[tuple[object, ...], ...]", site.value("items"))
    codes = [_items(node) for node in _items(site.attribute("items"))]
    node = site.operands[0]
    entries: list[ast.expr] = []
    flipped: list[int] = []
    kept = 0
    for item, code in zip(items, codes, strict=True):
        if item[0] == "index":
            entries.append(code[1])
            continue
        step = item[3]
        if isinstance(step, int) and step < 0:
            raise_step = _backwards(site, node, items, codes)
            return raise_step
        entries.append(_range(item, code))
        kept += 1
    while entries and _is_full(entries[-1]):
        entries.pop()
    if not entries:
        return node
    index = entries[0] if len(entries) == 1 else ast.Tuple(entries, ast.Load())
    _ = flipped
    return ast.Subscript(node, index, ast.Load())


def _range(item: tuple[object, ...], code: list[ast.expr]) -> ast.expr:
    start = None if item[1] is None or item[1] == 0 else code[1]
    stop = None if item[2] is None else code[2]
    step = None if item[3] == 1 else code[3]
    return ast.Slice(start, stop, step)


def _backwards(
    site: Site, node: ast.expr, items: tuple[tuple[object, ...], ...], codes: list[list[ast.expr]]
) -> ast.expr:
    """torch has no negative steps: the entries are picked by number, last axis first, then indices are taken."""
    for axis in reversed(range(len(items))):
        item, code = items[axis], codes[axis]
        if item[0] == "index":
            node = quote("$x.select($axis, $i)", x=node, axis=axis, i=code[1])
        elif item[1:] != (None, None, 1):
            parts = [
                part if value is not None else literal(None) for part, value in zip(code[1:], item[1:], strict=True)
            ]
            node = ast.Call(site.tools.helper("strided"), [node, *parts], [ast.keyword("dim", literal(axis))])
    return node


def _items(node: ast.expr) -> list[ast.expr]:
    assert isinstance(node, ast.Tuple | ast.List)
    return list(node.elts)


def _is_full(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.lower is None and node.upper is None and node.step is None


def _gather(site: Site) -> ast.expr:
    axis = site.value("axis")
    if not isinstance(axis, int):
        return call("torch.index_select", site.operands[0], site.attribute("axis"), site.operands[1])
    axis %= site.types[0].rank
    full: list[ast.expr] = [ast.Slice(None, None, None) for _ in range(axis)]
    index = site.operands[1] if not full else ast.Tuple([*full, site.operands[1]], ast.Load())
    return ast.Subscript(site.operands[0], index, ast.Load())


def _one_hot(site: Site) -> ast.expr:
    node = quote("F.one_hot($0, $depth)", site.operands[0], depth=site.attribute("depth"))
    if site.types[0].dtype == "i32":
        node = quote("F.one_hot($0.long(), $depth)", site.operands[0], depth=site.attribute("depth"))
    if site.tools.precision == "f32":
        return quote("$x.float()", x=node)
    return quote("$x.to($dtype)", x=node, dtype=dtype_code("float", site.tools.precision))


def _arange(site: Site) -> ast.expr:
    args: list[ast.expr] = [site.attribute("stop")]
    if site.value("start") != 0 or site.value("step") != 1:
        args.insert(0, site.attribute("start"))
    if site.value("step") != 1:
        args.append(site.attribute("step"))
    return ast.Call(quote("torch.arange"), args, site.tools.device())


def _constant(site: Site) -> ast.expr:
    shape = site.attribute("shape")
    sizes: list[ast.expr] = [ast.Starred(shape, ast.Load())]
    if isinstance(shape, ast.Tuple | ast.List):
        sizes = list(shape.elts)
    return site.tools.full(site.attribute("value"), site.value("value"), sizes, site.results[0])


def _dimension(site: Site) -> ast.expr:
    return site.tools.full(site.attribute("size"), None, [], site.results[0])


def places(site: Site) -> ast.expr:
    """The indices, the second operand: where they name places along an axis, torch takes 64 bits alone."""
    return quote("$0.long()", site.operands[1]) if site.types[1].dtype == "i32" else site.operands[1]


def _take_along_axis(site: Site) -> ast.expr:
    return call("torch.take_along_dim", site.operands[0], places(site), dim=site.attribute("axis"))


#: What scatter does to a place that has a number, in torch's words.
_SCATTERS = {"max": "amax", "min": "amin"}


def _scatter(site: Site) -> ast.expr:
    reduction = str(site.value("reduction"))
    x, updates = site.operands[0], site.operands[2]
    if reduction in _SCATTERS:
        how = literal(_SCATTERS[reduction])
        return quote(
            "$0.scatter_reduce($axis, $1, $2, $how)", x, places(site), updates, axis=site.attribute("axis"), how=how
        )
    name = "scatter_add" if reduction == "sum" else "scatter"
    return quote("$0.$name($axis, $1, $2)", x, places(site), updates, axis=site.attribute("axis"), name=name)


RULES: Rules = {
    "slice": _slice,
    "gather": _gather,
    "take_along_axis": _take_along_axis,
    "scatter": _scatter,
    "one_hot": _one_hot,
    "arange": _arange,
    "constant": _constant,
    "dimension": _dimension,
}
