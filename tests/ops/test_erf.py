"""erf against math.erf (the C library's)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dlc.ops.erf import erf

POINTS = np.concatenate(
    [
        np.linspace(-7, 7, 20_011),
        np.geomspace(1e-300, 1, 500),
        [
            side * edge + step
            for side in (-1, 1)
            for edge in (0.84375, 1.25, 1 / 0.35, 6.0)
            for step in (-1e-15, 0, 1e-15)
        ],
    ]
)


def test_to_the_last_bits_of_float64() -> None:
    exact = np.asarray([math.erf(point) for point in POINTS])
    ulps = np.abs(erf(POINTS) - exact) / np.spacing(np.abs(exact))
    assert ulps.max() <= 2


def test_to_the_last_bits_of_float32() -> None:
    points = POINTS[np.abs(POINTS) > 1e-30].astype(np.float32)
    exact = np.asarray([math.erf(point) for point in points], dtype=np.float32)
    got = erf(points)
    assert got.dtype == np.float32
    assert (np.abs(got - exact) / np.spacing(np.abs(exact))).max() <= 4


@pytest.mark.parametrize(("x", "expected"), [(0.0, 0.0), (math.inf, 1.0), (-math.inf, -1.0), (40.0, 1.0)])
def test_ends(x: float, expected: float) -> None:
    assert erf(np.asarray(x)) == expected


def test_not_a_number_stays() -> None:
    assert np.isnan(erf(np.asarray([math.nan]))).all()


def test_any_layout() -> None:
    x = np.linspace(-3, 3, 24).reshape(2, 3, 4).transpose(2, 0, 1)[::-1]
    expected = np.vectorize(math.erf)(x)
    np.testing.assert_allclose(erf(x), expected, rtol=1e-15)
