"""Layers that look at the last axis alone, or at no axis."""

from __future__ import annotations

import ast

from dlc.backends.common.native import Arguments
from dlc.backends.common.quote import call, quote
from dlc.backends.tensorflow.natives.parts import (
    All,
    KerasNative,
    gives_float,
    has_batch,
    has_static_tail,
    is_float,
    option,
    without_padding,
)


def _dense(a: Arguments) -> ast.expr:
    return call("Dense", a.code["units"], use_bias=option(a, "bias", True))


def _embedding(a: Arguments) -> ast.expr:
    start = quote("keras.initializers.RandomNormal(0.0, 1.0)")
    return call("keras.layers.Embedding", a.code["entries"], a.code["width"], embeddings_initializer=start)


def _dropout(a: Arguments) -> ast.expr:
    return call("keras.layers.Dropout", a.code["p"])


DENSE = (
    KerasNative(
        "dense",
        All((is_float, has_batch)),
        (),
        ("units", "bias"),
        _dense,
        layer="keras.layers.Dense",
        printed="Dense",
        weights={"weight": "kernel", "bias": "bias"},
    ),
    KerasNative(
        "embedding",
        All((gives_float, without_padding)),
        (),
        ("entries", "width"),
        _embedding,
        layer="keras.layers.Embedding",
        weights={"weight": "embeddings"},
    ),
    KerasNative("dropout", All((is_float,)), (), ("p",), _dropout),
    KerasNative(
        "flatten",
        All((is_float, has_batch, has_static_tail)),
        (),
        (),
        lambda a: call("keras.layers.Flatten"),
    ),
)
