"""Normalisation.

Not here: `group_norm`. `GroupNormalization` gives data as it takes them; the block's body splits the channels in the
spec's order and gives what follows channels-last.
"""

from __future__ import annotations

import ast

from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import call, literal, quote
from dlc.backends.tensorflow.natives.parts import (
    All,
    KerasNative,
    channels_last,
    has_batch,
    is_float,
    option,
    over_last,
    over_positions,
)


def _layer_norm(a: Arguments) -> ast.expr:
    return call("keras.layers.LayerNormalization", epsilon=a.code["epsilon"])


def _rms_norm(a: Arguments) -> ast.expr:
    return call("keras.layers.RMSNormalization", epsilon=option(a, "epsilon", 1e-6))


def _instance_norm(a: Arguments) -> ast.expr:
    """Groups of one channel each, which Keras calls -1."""
    affine = option(a, "affine", True)
    return call("keras.layers.GroupNormalization", literal(-1), epsilon=a.code["epsilon"], center=affine, scale=affine)


def _batch_norm(a: Arguments) -> ast.expr:
    """Keras' momentum is the share of the old value."""
    momentum = a.values["momentum"]
    old = quote("1 - $momentum", momentum=a.code["momentum"])
    if isinstance(momentum, int | float):
        old = literal(round(1 - momentum, 12))
    affine = option(a, "affine", True)
    return call("BatchNormalization", momentum=old, epsilon=a.code["epsilon"], center=affine, scale=affine)


NORMALISATIONS = (
    KerasNative(
        "layer_norm",
        All((is_float, has_batch, over_last)),
        (),
        ("epsilon",),
        _layer_norm,
        layer="keras.layers.LayerNormalization",
        weights={"weight": "gamma", "bias": "beta"},
    ),
    KerasNative(
        "rms_norm",
        All((is_float, has_batch, over_last)),
        (),
        ("epsilon",),
        _rms_norm,
        layer="keras.layers.RMSNormalization",
        weights={"weight": "scale"},
    ),
    KerasNative(
        "instance_norm",
        All((is_float, over_positions)),
        (),
        ("epsilon", "affine"),
        _instance_norm,
        layer="keras.layers.GroupNormalization",
        weights={"weight": "gamma", "bias": "beta"},
    ),
    KerasNative(
        "batch_norm",
        All((is_float, channels_last)),
        (),
        ("epsilon", "momentum", "affine"),
        _batch_norm,
        layer="keras.layers.BatchNormalization",
        printed="BatchNormalization",
        weights={
            "weight": "gamma",
            "bias": "beta",
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
        },
    ),
)
