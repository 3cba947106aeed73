"""Numbers for one made-up input, with the edges that random numbers miss.

A softmax over nothing, a mean over no neighbours or a scan over no steps shows only where a row is empty, so each
input holds one where its type allows: what is listed here stands in every input that has the room for it.

| input | what is certain |
|---|---|
| tokens, int[..., T] in 0..number | one row is full, another is nothing but padding (0); padding ends the others |
| edges, int[2, E] in 0..V | an isolated node, a self-loop, an edge that stands twice |
| any other integers (lengths, labels) | the least and the largest number that the bounds allow |
| float, in a run at the edge | zeros, halves, and large numbers whose exponentials overflow; equal ones |
| integers without bounds, there | numbers of 32 bits and more |
| bool[..., T] | one row is true throughout, another false |
| bool[N] | one true, one false |

Which row it is differs from input to input (`turn`), so that the empty row of one meets the full row of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

TRUE_SHARE = 0.75
LARGE = 256.0  # the numbers at the edge are exact in any float
HALVES_SHARE = 0.25
WIDE = 1 << 28  # eight times this is beyond 32 bits, its square within 64


def booleans(shape: Sequence[int], turn: int, generator: Any) -> Array:
    """True three times out of four; where there are two rows, one is all true and the next all false."""
    import numpy as np

    values = np.asarray(generator.random(shape) < TRUE_SHARE)
    if not values.size:
        return values
    rows = values.reshape(-1, shape[-1] if len(shape) > 1 else 1)  # a view: `values` is new and contiguous
    full, empty = _two(len(rows), turn)
    rows[full] = True
    rows[empty] = False
    return values


def large(shape: Sequence[int], generator: Any) -> Array:
    """Multiples of 256, and a quarter of halves (0.5, -1.5, 2.5). They show a formula that overflows, which of several
    equals comes first, what becomes of 0, how halves are rounded.

    The last of a row is its largest, which so stands there twice, or at least once.
    """
    import numpy as np

    whole = np.round(generator.standard_normal(shape))
    values = np.where(generator.random(shape) < HALVES_SHARE, 2 * whole + 0.5, whole * LARGE).astype(np.float32)
    if values.ndim and values.size:
        values[..., -1] = values.max(axis=-1)
    return values


def tokens(shape: Sequence[int], high: int, turn: int, generator: Any) -> Array:
    """Numbers in 1..high; each row ends in zeros after a length of its own."""
    import numpy as np

    values = generator.integers(1, high, shape)
    lengths = generator.integers(1, shape[-1] + 1, shape[:-1])
    rows = lengths.reshape(-1)
    full, empty = _two(rows.size, turn)
    rows[full] = shape[-1]
    rows[empty] = 0
    return np.where(np.arange(shape[-1]) < lengths[..., None], values, 0)


def edges(count: int, nodes: int, turn: int, generator: Any) -> Array:
    """[2, count]: ends of edges among all nodes but one. The first of four or more is a loop, the last a repetition."""
    import numpy as np

    if nodes < 2:
        return np.zeros((2, count), np.int64)
    lonely = turn % nodes
    ends = generator.integers(0, nodes - 1, (2, count))
    ends += ends >= lonely
    if count > 3:
        ends[1, 0] = ends[0, 0]
        ends[:, -1] = ends[:, 1]
    return ends


def integers(shape: Sequence[int], low: int, high: int, turn: int, generator: Any) -> Array:
    """Uniform in low..high; where there are two, the largest and the least stand next to each other."""
    import numpy as np

    values = np.asarray(generator.integers(low, high, shape))
    flat = values.reshape(-1)  # a view
    if flat.size < 2:
        return values
    largest, least = _two(flat.size, turn)
    flat[largest] = high - 1
    flat[least] = low
    return values


def _two(count: int, turn: int) -> tuple[slice, slice]:
    """Two neighbouring places among `count`, as slices: of a single one only the first, of none neither."""
    if not count:
        return slice(0), slice(0)
    first = turn % count
    second = (turn + 1) % count
    return slice(first, first + 1), slice(second, second + 1) if count > 1 else slice(0)
