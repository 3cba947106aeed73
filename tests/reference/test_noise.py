"""The numbers that perturb."""

from __future__ import annotations

import numpy as np
import pytest
from dlc.backends.reference.noise import POOL, SMALL, Noise, spread


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1, POOL - 1, POOL, POOL + 1, 2 * POOL + 5])
def test_each_element_moves_by_its_own_part_of_the_scale(size: int) -> None:
    moved = Noise(3).shaken(np.full(size, 2.0), 1e-3)
    parts = (moved / 2.0 - 1.0) / 1e-3
    assert parts.shape == (size,)
    assert (np.abs(parts) <= 1.0 + 1e-9).all()
    if size > 500:
        assert abs(parts.mean()) < 0.1
        assert abs(parts.std() - 3**-0.5) < 0.05
        assert len(np.unique(parts[:500])) == 500


def test_shapes_and_order_are_kept() -> None:
    values = np.arange(4.0 * 500).reshape(4, 500).T
    moved = Noise(0).shaken(values, 1e-9)
    np.testing.assert_allclose(moved, values, rtol=1e-8)
    assert Noise(0).shaken(np.float64(3.0), 0.1).shape == ()


def test_a_seed_gives_the_same_and_each_call_another() -> None:
    ones = np.ones(5000)
    noise, again = Noise(1), Noise(1)
    first, second = noise.shaken(ones, 0.1), noise.shaken(ones, 0.1)
    np.testing.assert_array_equal(first, again.shaken(ones, 0.1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, Noise(2).shaken(ones, 0.1))


@pytest.mark.parametrize("length", [100, 2_000, 20_000])
def test_the_model_is_a_chain_of_additions(length: int) -> None:
    terms = np.random.default_rng(0).standard_normal((300, length)).astype(np.float32)
    exact = terms.sum(axis=1, dtype=np.float64)
    chained = np.add.accumulate(terms, axis=1)[:, -1]  # rounds each partial sum
    deviation = np.sqrt(((chained - exact) ** 2).mean() / (exact**2).mean()) * 2.0**24
    assert deviation == pytest.approx(spread(length) / 3**0.5, rel=0.15)


def test_a_single_rounding_moves_by_half_an_epsilon() -> None:
    assert spread(1) == 1.0
    assert spread(10**6) == pytest.approx(520.2, abs=0.1)
