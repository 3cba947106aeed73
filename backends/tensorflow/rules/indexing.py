"""Indexing, and sums over segments."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import dtype_code, function, unless


def _slice(site: Site) -> ast.expr:
    node = site.attribute("items")
    assert isinstance(node, ast.Tuple)
    items = [_item(item) for item in node.elts]
    while len(items) > 1 and _is_full(items[-1]):
        items.pop()
    index = items[0] if len(items) == 1 else ast.Tuple(items, ast.Load())
    return ast.Subscript(site.operands[0], index, ast.Load())


def _item(item: ast.expr) -> ast.expr:
    """`("index", i)` or `("slice", start, stop, step)` as what stands between the brackets."""
    assert isinstance(item, ast.Tuple)
    kind, *parts = item.elts
    if isinstance(kind, ast.Constant) and kind.value == "index":
        return parts[0]
    start, stop, step = (None if isinstance(part, ast.Constant) and part.value is None else part for part in parts)
    if isinstance(step, ast.Constant) and step.value == 1:
        step = None
    return ast.Slice(start, stop, step)


def _is_full(item: ast.expr) -> bool:
    return isinstance(item, ast.Slice) and item.lower is None and item.upper is None and item.step is None


def _gather(site: Site) -> ast.expr:
    """ops.take looks for negative indices at run time; they do not occur."""
    return function("tf.gather", *site.operands, axis=unless(site, "axis", 0))


def _scatter(site: Site) -> ast.expr:
    """TensorFlow scatters by whole coordinates."""
    arguments = [ast.keyword("axis", site.attribute("axis"))]
    if site.value("reduction") != "set":
        arguments.append(ast.keyword("reduction", site.attribute("reduction")))
    return ast.Call(site.tools.helper("scatter"), list(site.operands), arguments)


def _one_hot(site: Site) -> ast.expr:
    dtype = dtype_code(site.results[0].dtype)
    return function("ops.one_hot", site.operands[0], site.attribute("depth"), dtype=dtype)


def _triangular(site: Site) -> ast.expr:
    """ops.tril fails where the diagonal lies outside the matrix."""
    diagonal, sizes = site.value("diagonal"), site.types[0].shape[-2:]
    inside = isinstance(diagonal, int) and all(isinstance(size, int) and abs(diagonal) <= size for size in sizes)
    if diagonal != 0 and not inside:
        keywords = [ast.keyword("upper", site.attribute("upper"))] if site.value("upper") else []
        return ast.Call(site.tools.helper("triangle"), [site.operands[0], site.attribute("diagonal")], keywords)
    name = "ops.triu" if site.value("upper") else "ops.tril"
    return function(name, site.operands[0], k=unless(site, "diagonal", 0))


def _segment(name: str) -> Rule:
    """An empty segment gives 0 in TensorFlow for sums and means, the lowest number for maxima."""

    def rule(site: Site) -> ast.expr:
        data, segments = site.operands
        if name in ("max", "min"):
            return ast.Call(site.tools.helper(f"segment_{name}"), [data, segments, site.attribute("count")], [])
        return quote(f"tf.math.unsorted_segment_{name}($0, $1, $count)", data, segments, count=site.attribute("count"))

    return rule


def _segment_softmax(site: Site) -> ast.expr:
    helper = site.tools.helper("segment_softmax")
    return ast.Call(helper, [*site.operands, site.attribute("count")], [])


def _segment_count(site: Site) -> ast.expr:
    """tf.math.bincount takes int32 alone."""
    segments = site.operands[0]
    return quote("tf.math.unsorted_segment_sum(ops.ones_like($0), $0, $count)", segments, count=site.attribute("count"))


INDEXING: dict[str, Rule] = {
    "slice": _slice,
    "gather": _gather,
    "take_along_axis": "ops.take_along_axis($0, $1, axis=$axis)",
    "scatter": _scatter,
    "one_hot": _one_hot,
    "triangular": _triangular,
    "segment_count": _segment_count,
    "segment_softmax": _segment_softmax,
    "segment_sum": _segment("sum"),
    "segment_mean": _segment("mean"),
    "segment_max": _segment("max"),
    "segment_min": _segment("min"),
}
