"""Inputs for a comparison: sizes for the dynamic dimensions, and numbers within the spec's bounds.

Sizes: two for each dimension, different from each other and among the dimensions of a run, so that no mixed-up axis
goes unseen. They grow until every tensor of the network has at least one element (a deep stack of pools needs a large
image).

Numbers: floats are normal, rounded to float32 (at the edge: large, with equals). Integers are uniform in their bounds,
booleans true three times out of four; `dlc.verify.values` adds the edges: empty rows, full rows, lonely nodes. An
integer input [N, ..., T] in 0..number is taken for tokens, [2, E] in 0..V for the edges of a graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlc.diagnostics import error
from dlc.dims import Size, evaluate, symbols
from dlc.distributions import draw
from dlc.ir import FLOATS, Call, Distribution, Module, Port, Program, Scan, TensorType
from dlc.verify import values

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

#: Sizes of the first dimension, of those that bound an integer input (nodes, say), and of all others, per run.
#: Batches stay small for networks with many batch norms too: their statistics are reductions over N * H * W, so the
#: noise that is allowed for them grows with N (ResNet-152 in training: e is 0.7e-3 at N=1, 1.4e-3 at N=2,
#: 2.2e-3 at N=4, 3.9e-3 at N=8). One image hides mixed-up batches, so it is `--dim N=1` that asks for it.
_BATCH = (2, 3, 4, 1)
_COUNTED = ((6, 10, 14), (9, 13, 17), (7, 11, 15), (12, 8, 5))
_OTHER = ((5, 7, 11, 4, 8, 13), (8, 4, 9, 6, 12, 7), (6, 9, 5, 7, 10, 15), (1, 2, 3, 5, 4, 6))
#: Of dimensions that only states have: 0 in even runs, these in odd ones.
_GROWN = (10, 11, 14, 15)
_DOUBLINGS = 12
#: The run that has sizes of 1: the batch, and the first of the others.
ONES = 3


def choose_sizes(program: Program, run: int, given: Mapping[str, int] | None = None) -> dict[str, int]:
    """Sizes of the entry's dynamic dimensions for the run number `run`; `given` ones stay as they are (others' are
    ignored).

    Raises DlcError (E0812) where no sizes up to 4096 times the first choice make every tensor non-empty.
    """
    entry = program.module(program.entry)
    fixed = dict(given or {})
    names = list(dict.fromkeys(home.symbol for home in entry.homes))
    growing = _state_only(entry)
    counted = {name for port in entry.inputs if port.bounds for bound in port.bounds for name in symbols(bound)}
    sizes: dict[str, int] = {}
    grown = iter(_GROWN * len(names))
    others, counts = iter(_OTHER[run % 4] * 3), iter(_COUNTED[run % 4] * 3)
    for index, name in enumerate(names):
        if name in growing:
            choice = 0 if run % 2 == 0 else next(grown)
        elif name in counted and not name_is_time(entry, name):
            choice = next(counts)
        else:
            choice = _BATCH[run % 4] if index == 0 else next(others)
        sizes[name] = fixed.get(name, choice)
    return _grown(program, sizes, {*fixed, *growing, *names[:1]})


def name_is_time(entry: Module, name: str) -> bool:
    """Whether a dimension bounds lengths (`in 1..T + 1`) rather than indices (`in 0..V`)."""
    bounds = [port.bounds for port in entry.inputs if port.bounds and name in symbols(port.bounds[1])]
    return all(low != 0 for low, _ in bounds)


def make_inputs(
    program: Program,
    sizes: Mapping[str, int],
    seed: int,
    draws: Mapping[str, Distribution] | None = None,
    *,
    edge: bool = False,
) -> dict[str, Array]:
    """Inputs and states of the entry, by name; `draws` are the inputs that stand for random draws. `edge`: floats are
    large, many of them equal, instead of normal.
    """
    import numpy as np

    entry = program.module(program.entry)
    found: dict[str, Array] = {}
    for index, port in enumerate(entry.inputs):
        type_, distribution = entry.types[port.value], (draws or {}).get(port.name)
        shape = tuple(evaluate(size, sizes) for size in type_.shape)
        if distribution is not None:
            found[port.name] = draw(distribution, shape, port.name, seed).astype(np.float32)
        else:
            found[port.name] = _values(port, type_, shape, sizes, seed, index, edge)
    growing = _state_only(entry)
    for index, state in enumerate(entry.states):
        type_ = entry.types[state.value]
        shape = tuple(evaluate(size, sizes) for size in type_.shape)
        if type_.dtype not in FLOATS and state.initial is not None:
            found[state.name] = np.full(shape, state.initial.value, _integer(type_.dtype))
        elif state.initial is None or seed % 2 or growing:
            turn = len(entry.inputs) + index
            found[state.name] = _values(Port(state.name, state.value), type_, shape, sizes, seed, turn, edge)
    return found


def _values(
    port: Port, type_: TensorType, shape: Sequence[int], sizes: Mapping[str, int], seed: int, turn: int, edge: bool
) -> Array:
    """Numbers for one input; `turn` tells the inputs of a network apart."""
    import numpy as np

    generator = np.random.default_rng([seed, turn])
    if type_.dtype in FLOATS and edge:
        return values.large(shape, generator)
    if type_.dtype in FLOATS:
        return generator.standard_normal(shape).astype(np.float32)
    if type_.dtype == "bool":
        return values.booleans(shape, turn, generator)
    bounds: tuple[Size, Size] = port.bounds or (-8, 8)
    low, high = (evaluate(bound, sizes) for bound in bounds)
    if high <= low:
        raise error("E0812", f"the bounds of `{port.name}` leave nothing: {low}..{high}")
    integer = _integer(type_.dtype)
    if low == 0 and len(shape) == 2 and type_.shape[0] == 2:
        return values.edges(shape[1], high, turn, generator).astype(integer)
    if low == 0 and isinstance(bounds[1], int) and high > 1 and len(shape) > 1 and shape[-1]:
        return values.tokens(shape, high, turn, generator).astype(integer)
    wide = values.WIDE if edge and port.bounds is None and integer is np.int64 else 1
    return np.asarray(values.integers(shape, low, high, turn, generator).astype(integer) * wide)


def _integer(dtype: str) -> Any:
    import numpy as np

    return {"i32": np.int32, "bool": np.bool_}.get(dtype, np.int64)


def _state_only(entry: Module) -> set[str]:
    """Dimensions that only states have: they start at 0 and may grow."""
    seen = {name for port in entry.inputs for size in entry.types[port.value].shape for name in symbols(size)}
    return {home.symbol for home in entry.homes} - seen


def _grown(program: Program, sizes: dict[str, int], kept: set[str]) -> dict[str, int]:
    for _ in range(_DOUBLINGS):
        empty = next(_empty_types(program, sizes), None)
        if empty is None:
            return sizes
        free = [name for name in sizes if name not in kept]
        if not free:
            break
        sizes = {name: size * 2 if name in free else size for name, size in sizes.items()}
    shown = ", ".join(f"{name}={size}" for name, size in sizes.items())
    raise error("E0812", f"no sizes found that suit `{program.network}`", found=shown, hint="choose them with --dim")


def _empty_types(program: Program, sizes: Mapping[str, int]) -> Iterator[str]:
    """Types that have no element at these sizes, unless a size that is 0 by choice makes them so."""
    zero = {name for name, size in sizes.items() if size == 0}
    table = program.table
    queue: list[tuple[str, dict[str, int], set[str]]] = [(program.entry, dict(sizes), zero)]
    seen: set[tuple[str, tuple[tuple[str, int], ...]]] = set()
    while queue:
        key, dims, zeros = queue.pop()
        if (key, tuple(sorted(dims.items()))) in seen:
            continue
        seen.add((key, tuple(sorted(dims.items()))))
        module = table[key]
        for type_ in module.types:
            for size in type_.shape:
                if not isinstance(size, int) and evaluate(size, dims) < 1 and not zeros & set(symbols(size)):
                    yield str(type_)
        for equation in module.body:
            if isinstance(equation.target, Call | Scan):
                inner = {name: evaluate(size, dims) for name, size in equation.target.dims}
                below = {name for name, size in equation.target.dims if zeros & set(symbols(size))}
                queue.append((equation.target.module, inner, below))
