"""Reductions over one, several or all axes. Axes are an input since opset 18; without it, all are reduced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dlc import dims
from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule


def _reduce(b: Builder, op: str, x: Value, use: Apply, keepdims: bool) -> Value:
    axes: tuple[int, ...] = use.attributes["axis"]
    if not axes:  # an empty list of axes would mean all of them
        return x
    every = len(axes) == use.types[0].rank
    return b(op, x, None if every else b.integers(axes), keepdims=int(keepdims))


def _reduction(op: str) -> Rule:
    return lambda b, use: _reduce(b, op, use.inputs[0], use, use.attributes["keepdims"])


def _mean_of(b: Builder, x: Value, use: Apply, keepdims: bool, count: Value | None) -> Value:
    """`ReduceMean` over nothing is 0 in ONNX Runtime, NaN in the language: where that may be, sum over count."""
    if count is None:
        return _reduce(b, "ReduceMean", x, use, keepdims)
    return b("Div", _reduce(b, "ReduceSum", x, use, keepdims), count)


def _count(b: Builder, x: Value, use: Apply) -> Value:
    """How many elements go into one, as a float."""
    sizes = b("Gather", b("Shape", x), b.integers(use.attributes["axis"]), hint="sizes", axis=0)
    return b.cast(b("ReduceProd", sizes, keepdims=0), use.types[0].dtype, "count")


def _surely_some(use: Apply) -> bool:
    """Whether the reduced axes have elements for sure."""
    count = dims.product([use.types[0].shape[axis] for axis in use.attributes["axis"]])
    return isinstance(count, int) and count > 0


def _averaging(name: str, write: Callable[[Builder, Value, Apply], Value], doc: str) -> Rule:
    """Written in place, or where the count is looked up too, as a function of its own."""

    def rule(b: Builder, use: Apply) -> Value:
        if _surely_some(use):
            return write(b, use.inputs[0], use)

        def build(b: Builder, given: Sequence[Value]) -> Value:
            return write(b, given[0], use)

        key = (use.types[0].dtype, use.types[0].rank, tuple(sorted(use.attributes.items())))
        return b.library.helper(b, name, key, [("x", use.inputs[0])], build, doc)

    return rule


def _mean(b: Builder, x: Value, use: Apply) -> Value:
    return _mean_of(b, x, use, use.attributes["keepdims"], None if _surely_some(use) else _count(b, x, use))


def _variance(b: Builder, x: Value, use: Apply) -> Value:
    keepdims = use.attributes["keepdims"]
    count = None if _surely_some(use) else _count(b, x, use)
    centred = b("Sub", x, _mean_of(b, x, use, True, count), hint="centred")
    squares = b("Mul", centred, centred, hint="squares")
    if use.attributes["correction"] == 0:
        return _mean_of(b, squares, use, keepdims, count)
    total = _reduce(b, "ReduceSum", squares, use, keepdims)
    freedom = b("Sub", count or _count(b, x, use), b.number(1, use.types[0].dtype), hint="freedom")
    return b("Div", total, freedom)


def _logic(op: str, fold: str) -> Rule:
    """Bools reduce since opset 20, but not in ONNX Runtime where the operand may be empty: there their numbers do."""

    def rule(b: Builder, use: Apply) -> Value:
        keepdims = use.attributes["keepdims"]
        if all(isinstance(size, int) and size > 0 for size in use.types[0].shape):
            return _reduce(b, op, use.inputs[0], use, keepdims)
        return b.cast(_reduce(b, fold, b.cast(use.inputs[0], "int"), use, keepdims), "bool")

    return rule


def _index(op: str) -> Rule:
    """The first of several: `select_last_index` is 0."""

    def rule(b: Builder, use: Apply) -> Value:
        axis, keepdims = use.attributes["axis"], use.attributes["keepdims"]
        return b(op, use.inputs[0], axis=axis, keepdims=int(keepdims))

    return rule


RULES: Mapping[str, Rule] = {
    "sum": _reduction("ReduceSum"),
    "mean": _averaging("mean", _mean, "The mean; NaN over nothing."),
    "prod": _reduction("ReduceProd"),
    "variance": _averaging("variance", _variance, "The variance; NaN over nothing."),
    "max": _reduction("ReduceMax"),
    "min": _reduction("ReduceMin"),
    "any": _logic("ReduceMax", "ReduceSum"),
    "all": _logic("ReduceMin", "ReduceProd"),
    "argmax": _index("ArgMax"),
    "argmin": _index("ArgMin"),
}
