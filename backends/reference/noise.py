"""The numbers that perturb results: uniform, and cheap enough to multiply every intermediate value by.

How large they are: what is rounded once moves by up to u, half the precision's epsilon. A result of n additions is
modelled as one chain of them, the least exact order that anyone uses: TensorFlow's convolutions do up to 4,608 terms,
ONNX Runtime's and NumPy's sums over leading axes at any length. (Others add in blocks or pairs and are far better.)
Each addition rounds its partial sum, with a relative deviation of u sqrt(E[1 / m^2] / 3) = 0.425 u, where mantissas m
are spread log-uniformly over 1 to 2. The i-th partial sum of random terms is sqrt(i / n) of the whole, so that of the
whole the chain's deviation is 0.425 u sqrt(n / 2) = 0.30 u sqrt(n); of positive terms, 0.25 u sqrt(n). All frameworks
were measured at these two numbers where they chain. A uniform number of that deviation lies within sqrt(3) times it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

POOL = 262_139  # a prime: rows of images do not repeat with it
SMALL = 1024  # up to here, each number is drawn anew
_MANTISSAS = 3 / (8 * math.log(2))  # E[1 / m^2]


def spread(length: int) -> float:
    """The bound of a uniform number that models the rounding of `length` additions, in u; 1 for a single one."""
    return math.sqrt(max(1.0, _MANTISSAS * length / 2))


class Noise:
    """Random numbers of one run. Large arrays repeat a pool of them, from a random place on: it is 10 times faster."""

    def __init__(self, seed: int):
        self._generator = np.random.default_rng(seed)
        self._pool = self._generator.uniform(-1.0, 1.0, POOL)

    def shaken(self, values: Array, scale: float) -> Array:
        """values * (1 + scale * r), r uniform in [-1, 1], one for each element."""
        shape, size = np.shape(values), np.size(values)
        if size <= SMALL:
            return np.asarray(values * (1.0 + scale * self._generator.uniform(-1.0, 1.0, shape)))
        start = int(self._generator.integers(POOL))
        factors = np.roll(self._pool, -start)[: min(size, POOL)]
        factors *= scale
        factors += 1.0
        flat = np.ascontiguousarray(values).reshape(-1)
        result = np.empty(size)
        for at in range(0, size, POOL):
            block = slice(at, min(at + POOL, size))
            np.multiply(flat[block], factors[: block.stop - at], out=result[block])
        return result.reshape(shape)
