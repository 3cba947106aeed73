"""Shape ops."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import literal, quote
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import elements, function, is_minus_zero, is_size, minus_zero, unless


def _reshape(site: Site) -> ast.expr:
    """One run-time size is -1, if the others are no run-time sizes and not 0."""
    node, value = site.attribute("shape"), site.value("shape")
    if isinstance(node, ast.Tuple):
        runtime = [index for index, item in enumerate(node.elts) if is_size(item)]
        if len(runtime) == 1 and not is_open(node) and not (isinstance(value, tuple) and 0 in value):
            items = [literal(-1) if index in runtime else item for index, item in enumerate(node.elts)]
            node = ast.Tuple(items, ast.Load())
    return quote("ops.reshape($0, $1)", site.operands[0], node)


def is_open(shape: ast.Tuple) -> bool:
    """Whether a size is left to the reshape."""
    return any(ast.unparse(item) == "-1" for item in shape.elts)


def _transpose(site: Site) -> ast.expr:
    axes = site.value("axes")
    if axes == tuple(reversed(range(site.types[0].rank))) and not site.ranks_vary:
        return quote("ops.transpose($0)", site.operands[0])
    return quote("ops.transpose($0, $axes)", site.operands[0], axes=site.attribute("axes"))


def _pad(site: Site) -> ast.expr:
    """TensorFlow has no mode that repeats the border, or the other end."""
    pairs = site.attribute("pairs")
    mode = site.value("mode")
    if mode in ("edge", "wrap"):
        return ast.Call(site.tools.helper(f"{mode}_pad"), [site.operands[0], _padded_axes(site)], [])
    if mode == "reflect":
        return function("ops.pad", site.operands[0], pairs, mode=literal("reflect"))
    return function("ops.pad", site.operands[0], pairs, constant_values=_padding_value(site))


def _padded_axes(site: Site) -> ast.expr:
    """`{2: (1, 1)}`: the pairs of the axes that are padded."""
    pairs, values = elements(site.attribute("pairs")), site.value("pairs")
    assert isinstance(values, tuple)
    found = [(literal(axis), pair) for axis, pair in enumerate(pairs) if values[axis] != (0, 0)]
    return ast.Dict([axis for axis, _ in found], [pair for _, pair in found])


def _padding_value(site: Site) -> ast.expr | None:
    value = site.value("value")
    if is_minus_zero(value):
        return minus_zero(site.types[0])
    return None if value in (0, False) else site.attribute("value")


def _concat(site: Site) -> ast.expr:
    return function("ops.concatenate", _listed(site), axis=_axis(site))


def _listed(site: Site) -> ast.expr:
    """The operands as a list; a list that is all of them stands for itself."""
    if len(site.operands) == 1 and isinstance(site.operands[0], ast.Starred):
        return site.operands[0].value
    return ast.List(list(site.operands), ast.Load())


def _axis(site: Site) -> ast.expr | None:
    """Concatenation is along the last axis unless told otherwise, as is ops.concatenate's default."""
    last = site.known("axis") and site.value("axis") == site.results[0].rank - 1 and not site.ranks_vary
    return literal(-1) if last else site.attribute("axis")


def _stack(site: Site) -> ast.expr:
    return function("ops.stack", _listed(site), axis=unless(site, "axis", 0))


def _split(site: Site) -> ast.expr:
    """tf's takes a number of parts or a list of sizes; ops.split takes places to cut."""
    last = site.known("axis") and site.value("axis") == site.types[0].rank - 1 and not site.ranks_vary
    parts = site.attribute("parts")
    if isinstance(parts, ast.Tuple):
        parts = ast.List(elements(parts), ast.Load())
    return function("tf.split", site.operands[0], parts, axis=literal(-1) if last else site.attribute("axis"))


def _unstack(site: Site) -> ast.expr:
    """The number is given since the static shape may be unknown while Keras traces."""
    return function("ops.unstack", site.operands[0], literal(len(site.results)), axis=unless(site, "axis", 0))


SHAPE: dict[str, Rule] = {
    "reshape": _reshape,
    "expand_dims": "ops.expand_dims($0, axis=$axis)",
    "squeeze": "ops.squeeze($0, axis=$axis)",
    "transpose": _transpose,
    "broadcast_to": "ops.broadcast_to($0, $shape)",
    "flip": "ops.flip($0, axis=$axis)",
    "roll": "ops.roll($0, $shift, axis=$axis)",
    "pad": _pad,
    "tile": "ops.tile($0, $counts)",
    "repeat": "ops.repeat($0, $count, axis=$axis)",
    "concat": _concat,
    "stack": _stack,
    "split": _split,
    "unstack": _unstack,
}
