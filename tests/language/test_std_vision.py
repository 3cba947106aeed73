"""Image blocks of the standard library that have no parameter-for-parameter twin in PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import Array, Ran, close, normal, run
from std_twins import F, applied, declared, numpy, tensor, torch

BLOCKS = {
    "residual",
    "squeeze_excitation",
    "inception",
    "fractional_starts",
    "fractional_max_pool2d",
    "weight_norm_dense",
    "weight_norm_conv2d",
}

X = normal(2, 8, 9, 7)


def conv(found: Ran, name: str, x: Array, padding: int = 0) -> Array:
    return numpy(
        F.conv2d(
            tensor(x), tensor(found.weight(f"{name}.weight")), tensor(found.weight(f"{name}.bias")), padding=padding
        )
    )


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def test_residual(tmp_path: Path) -> None:
    close(applied(tmp_path, "output y = x -> residual(tanh)", {"x": X})["y"], X + np.tanh(X))


def test_squeeze_excitation(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> squeeze_excitation(4)", {"x": X})
    means = X.mean((2, 3))
    hidden = relu(means @ found.weight("dense.weight").T + found.weight("dense.bias"))
    gate = 1 / (1 + np.exp(-(hidden @ found.weight("dense_2.weight").T + found.weight("dense_2.bias"))))
    close(found["y"], X * gate[:, :, None, None])


def test_inception(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> inception(2, 3, 4, 2, 3, 5)", {"x": X})
    pool = numpy(F.max_pool2d(tensor(X), 3, 1, 1))
    three = conv(found, "conv2d_2", relu(conv(found, "conv2d", X)), 1)
    five = conv(found, "conv2d_4", relu(conv(found, "conv2d_3", X)), 2)
    parts = [conv(found, "one", X), three, five, conv(found, "pool", pool)]
    close(found["y"], relu(np.concatenate(parts, axis=1)))


@pytest.mark.parametrize(("kernel", "height", "width"), [(2, 4, 3), (3, 6, 5), (1, 2, 2)])
def test_fractional_max_pool(tmp_path: Path, kernel: int, height: int, width: int) -> None:
    """torch draws (u of the width, u of the height) for each channel."""
    draws = np.random.default_rng(5).random((2, 8, 2))
    text = declared({"x": X}) + f"    output y = x -> fractional_max_pool2d({kernel}, {height}, {width})\n"
    found = run(tmp_path, text, {"x": X, "fractional_max_pool2d_u": draws})
    samples = tensor(draws[..., ::-1].copy())
    expected = F.fractional_max_pool2d(tensor(X), kernel, (height, width), _random_samples=samples)
    close(found["y"], numpy(expected))


def test_weight_norm_dense(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> weight_norm_dense(5)", {"x": X})
    weight = numpy(torch._weight_norm(tensor(found.weight("v")), tensor(found.weight("g")), 0))
    close(found["y"], X @ weight.T + found.weight("bias"))


def test_weight_norm_conv2d(tmp_path: Path) -> None:
    found = applied(tmp_path, "output y = x -> weight_norm_conv2d(5, 3, stride=2, padding=1)", {"x": X})
    weight = torch._weight_norm(tensor(found.weight("v")), tensor(found.weight("g")), 0)
    close(found["y"], numpy(F.conv2d(tensor(X), weight, tensor(found.weight("bias")), 2, 1)))
