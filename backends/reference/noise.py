"""The numbers that perturb results: uniform, and cheap enough to multiply every intermediate value by."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

POOL = 262_139  # a prime: rows of images do not repeat with it
SMALL = 1024  # up to here, each number is drawn anew


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
