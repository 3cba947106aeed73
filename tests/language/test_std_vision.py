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
    "deformable_conv2d",
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


@pytest.mark.parametrize(("mode", "twin"), [("nearest", "nearest"), ("linear", "bilinear"), ("cubic", "bicubic")])
def test_upsample(tmp_path: Path, mode: str, twin: str) -> None:
    found = applied(tmp_path, f'output y = x -> upsample(3, mode="{mode}")', {"x": X})
    close(found["y"], numpy(F.interpolate(tensor(X), scale_factor=3, mode=twin)))


def between_pixels(image: Array, row: float, column: float) -> Array:
    """[C, H, W] at a place between pixels, 0 outside (Dai et al., 2017, equations 3 and 4)."""
    total = np.zeros(len(image))
    for y in range(image.shape[1]):
        for x in range(image.shape[2]):
            total += image[:, y, x] * max(0, 1 - abs(row - y)) * max(0, 1 - abs(column - x))
    return total


def test_deformable_conv2d(tmp_path: Path) -> None:
    """Place by place."""
    x = X[:1, :2]
    found = applied(tmp_path, "output y = x -> deformable_conv2d(3, 2, stride=2, padding=1)", {"x": x})
    offset_weight, offset_bias = tensor(found.weight("offset_weight")), tensor(found.weight("offset_bias"))
    offsets = numpy(F.conv2d(tensor(x), offset_weight, offset_bias, 2, 1))[0]
    assert abs(offsets).max() > 1
    expected = np.zeros((3, 5, 4)) + found.weight("bias")[:, None, None]
    for p, q, i, j in np.ndindex(5, 4, 2, 2):
        down, across = offsets[2 * (2 * i + j) : 2 * (2 * i + j) + 2, p, q]
        seen = between_pixels(x[0], 2 * p - 1 + i + down, 2 * q - 1 + j + across)
        expected[:, p, q] += found.weight("weight")[:, :, i, j] @ seen
    close(found["y"][0], expected)
