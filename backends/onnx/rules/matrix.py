"""Ops on the last two axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.library import own_values
from dlc.backends.onnx.rule import Apply, Rule
from dlc.dims import add, multiply, product


def _diagonal(b: Builder, use: Apply) -> Value:
    """Every (columns + 1)-th element of the flattened matrices, from the diagonal's first on."""
    shape, offset, count = use.types[0].shape, use.attributes["offset"], use.results[0].shape[-1]
    flat = use.sizes.vector((*shape[:-2], product(shape[-2:])))
    rows = b("Reshape", use.inputs[0], flat, hint="flat", allowzero=1)
    step = use.sizes.scalar(add(shape[-1], 1))
    places = b("Mul", use.sizes.positions(count), step, hint="places")
    if offset:
        first = offset if offset > 0 else multiply(shape[-1], -offset)
        places = b("Add", places, use.sizes.scalar(first), hint="places")
    return b("Gather", rows, places, axis=len(shape) - 2)


def _solve(b: Builder, use: Apply) -> Value:
    """ONNX has none: Gauss' and Jordan's elimination, with the largest pivot of each column."""
    dtype = use.types[0].dtype
    half = b.element(dtype) in ("FLOAT16", "BFLOAT16")
    operands = [b.cast(value, "f32") for value in use.inputs] if half else use.inputs
    inner = "f32" if half else dtype

    def build(b: Builder, given: Sequence[Value]) -> Value:
        return _elimination(b, *given, dtype=inner, rank=use.types[0].rank)

    inputs = list(zip(("a", "b"), operands, strict=True))
    solved = b.library.helper(b, "solve", (inner, use.types[0].rank), inputs, build, "x with a @ x = b.")
    return b.cast(solved, dtype) if half else solved


def _elimination(b: Builder, a: Value, right: Value, dtype: str, rank: int) -> Value:
    """One `Scan` over the columns of [M, N, N + K], all matrices with their right sides; the last K columns remain."""
    joined = b("Concat", a, right, hint="joined", axis=rank - 1)
    unknowns = b("Shape", a, hint="unknowns", start=rank - 1)
    sizes = b("Concat", b.integers([-1]), b("Shape", joined, hint="shape", start=rank - 2), hint="sizes", axis=0)
    start = b("Reshape", joined, sizes, hint="system")
    count = b("Squeeze", unknowns, hint="count")
    positions = b("Range", b.number(0, "int"), count, b.number(1, "int"), hint="positions")
    step = b.nested("eliminate")
    system, k = Value("system"), Value("k")
    step.graph.inputs += [system, k]
    after = _eliminated(step, system, k, positions, dtype)
    step.graph.outputs += own_values(step, [(after, "next_system")], step.graph.inputs)
    attributes: dict[str, Attribute] = {"body": step.graph, "num_scan_inputs": 1}
    final = b.many("Scan", [start, positions], ["final_system"], attributes)[0]
    columns = b("Slice", final, unknowns, b.integers([2**63 - 1]), b.integers([2]), hint="solution")
    return b("Reshape", columns, b("Shape", right), allowzero=1)


def _eliminated(b: Builder, system: Value, k: Value, positions: Value, dtype: str) -> Value:
    """The system with column k of the unit matrix. The largest of the rows from k on is exchanged with row k."""
    place = b("Unsqueeze", k, b.integers([0]), hint="place")
    here = b("Equal", positions, k, hint="here")
    sizes = b("Abs", b("Gather", system, k, hint="column", axis=2), hint="sizes")
    open_rows = b("GreaterOrEqual", positions, k, hint="open_rows")
    candidates = b("Where", open_rows, sizes, b.number(-1, dtype), hint="candidates")
    pivot = b("ArgMax", candidates, hint="pivot", axis=1)
    moved = b("Where", b("Equal", positions, pivot, hint="chosen"), k, positions, hint="moved")
    order = b("Unsqueeze", b("Where", here, pivot, moved, hint="exchanged"), b.integers([2]), hint="order")
    ordered = b("GatherND", system, order, hint="ordered", batch_dims=1)
    row = b("Gather", ordered, place, hint="row", axis=1)
    unit = b("Div", row, b("Gather", row, place, hint="divisor", axis=2), hint="unit")
    parts = b("Mul", b("Gather", ordered, place, hint="factors", axis=2), unit, hint="parts")
    others = b("Sub", ordered, parts, hint="others")
    return b("Where", b("Unsqueeze", here, b.integers([1]), hint="row_k"), unit, others)


RULES: Mapping[str, Rule] = {"diagonal": _diagonal, "solve": _solve}
