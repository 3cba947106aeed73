"""Initial values: the right distribution, the same numbers everywhere, in pieces of any size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dlc import distributions
from dlc.distributions import DISTRIBUTIONS, arguments, chunks, draw, fans, normal_quantile
from dlc.ir import Distribution, Static


def of(name: str, *values: object) -> Distribution:
    return Distribution(name, tuple(Static(value) for value in values))


MOMENTS = [  # distribution, mean, standard deviation, largest absolute value
    (of("uniform", -1, 3), 1.0, 4 / math.sqrt(12), 3.0),
    (of("uniform"), 0.5, 1 / math.sqrt(12), 1.0),
    (of("normal"), 0.0, 1.0, math.inf),
    (of("normal", 2, 0.5), 2.0, 0.5, math.inf),
    (of("truncated_normal"), 0.0, 0.8796, 2.0),
    (of("truncated_normal", 1, 0.1), 1.0, 0.08796, 1.2),
    (of("xavier_uniform"), 0.0, math.sqrt(2 / (200 + 300)), math.sqrt(6 / 500)),
    (of("xavier_uniform", 2.0), 0.0, 2 * math.sqrt(2 / 500), 2 * math.sqrt(6 / 500)),
    (of("xavier_normal"), 0.0, math.sqrt(2 / 500), math.inf),
    (of("kaiming_uniform"), 0.0, math.sqrt(2 / 300), math.sqrt(6 / 300)),
    (of("kaiming_uniform", 1.0), 0.0, math.sqrt(1 / 300), math.sqrt(3 / 300)),
    (of("kaiming_normal"), 0.0, math.sqrt(2 / 300), math.inf),
    (of("lecun_normal"), 0.0, math.sqrt(1 / 300), math.inf),
]


@pytest.mark.parametrize(("distribution", "mean", "std", "largest"), MOMENTS, ids=str)
def test_moments_and_bounds(distribution: Distribution, mean: float, std: float, largest: float) -> None:
    values = draw(distribution, (200, 300), "w", 0)
    assert values.shape == (200, 300)
    assert abs(values.mean() - mean) < 0.02 * max(std, 0.1)
    assert abs(values.std() - std) < 0.01 * std
    assert np.abs(values).max() <= largest
    if math.isfinite(largest):
        assert np.abs(values).max() > 0.99 * largest


def test_every_distribution_is_drawn() -> None:
    for name, spec in DISTRIBUTIONS.items():
        given = [1.0] if spec.arguments and spec.arguments[0][1] is None else []
        assert draw(of(name, *given), (6, 5), "w", 0).shape == (6, 5)


def test_numbers_depend_on_name_and_seed_only() -> None:
    first = draw(of("normal"), (50,), "a.weight", 3)
    np.testing.assert_array_equal(first, draw(of("normal"), (50,), "a.weight", 3))
    assert not np.array_equal(first, draw(of("normal"), (50,), "a.weight", 4))
    assert not np.array_equal(first, draw(of("normal"), (50,), "b.weight", 3))
    np.testing.assert_array_equal(first[:20], draw(of("normal"), (20,), "a.weight", 3))


def test_the_bits_are_fixed() -> None:
    """A change of these numbers is a change of every user's weights file."""
    values = draw(of("normal"), (3,), "layer.weight", 1).astype(np.float32)
    assert [float(v).hex() for v in values] == EXPECTED


EXPECTED = ["0x1.5dd42e0000000p-1", "-0x1.85e8220000000p-1", "-0x1.c439420000000p-2"]


def test_pieces_do_not_change_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw(of("truncated_normal"), (7, 30), "w", 0)
    monkeypatch.setattr(distributions, "CHUNK", 11)
    pieces = list(chunks(of("truncated_normal"), (7, 30), "w", 0))
    assert [len(piece) for piece in pieces] == [11] * 19 + [1]
    np.testing.assert_array_equal(np.concatenate(pieces), whole.reshape(-1))


@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 8), (4, 2, 3), (6,)])
def test_orthogonal_as_torch(shape: tuple[int, ...]) -> None:
    values = draw(of("orthogonal", 2.0), shape, "w", 0).reshape(shape[0], -1) / 2.0
    product = values @ values.T if shape[0] <= values.shape[1] else values.T @ values
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3), (7, 5, 3, 2)])
def test_fans_are_torch_s(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    from torch.nn.init import _calculate_fan_in_and_fan_out

    assert fans(shape) == _calculate_fan_in_and_fan_out(torch.empty(shape))


def test_fans_of_short_shapes() -> None:
    assert fans((4,)) == (4, 4)
    assert fans(()) == (1, 1)


def test_the_quantile_is_the_normal_distribution_s() -> None:
    scipy = pytest.importorskip("scipy.stats")
    u = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 9999), 10.0 ** -np.linspace(1, 16, 64)])
    np.testing.assert_allclose(normal_quantile(u), scipy.norm.ppf(u), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (of("constant", 2.5), [[2.5, 2.5], [2.5, 2.5]]),
        (of("zeros"), [[0, 0], [0, 0]]),
        (of("ones"), [[1, 1], [1, 1]]),
        (of("expression", ((1, 2), (3, 4))), [[1, 2], [3, 4]]),
        (of("expression", (1, 2)), [[1, 2], [1, 2]]),
        (of("expression", 7), [[7, 7], [7, 7]]),
        (of("expression", 1, 2, 3, 4), [[1, 2], [3, 4]]),
    ],
    ids=str,
)
def test_numbers(distribution: Distribution, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(draw(distribution, (2, 2), "w", 0), expected)


def test_wrong_arguments() -> None:
    with pytest.raises(KeyError):
        arguments(of("wobble"))
    with pytest.raises(KeyError):
        arguments(of("normal", 1, 2, 3))
    with pytest.raises(KeyError):
        arguments(of("constant"))
