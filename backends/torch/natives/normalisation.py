"""Norms and dropout."""

from __future__ import annotations

import ast

from dlc.backends.common.native import Arguments, Native, Natives
from dlc.backends.common.quote import call
from dlc.backends.torch.natives.parts import Condition, always, of_rank, option, rank


def _batch_norm(layer: str, ranks: tuple[int, ...]) -> Native:
    """torch has a class per rank; each refuses others."""

    def construct(a: Arguments) -> ast.expr:
        return call(
            layer,
            a.code["C"],
            eps=option(a, "epsilon", 1e-5),
            momentum=option(a, "momentum", 0.1),
            affine=option(a, "affine", True),
        )

    hyperparameters = ("epsilon", "momentum", "affine")
    return Native("batch_norm", lambda module: rank(module) in ranks, ("C",), hyperparameters, construct)


def _layer_norm(a: Arguments) -> ast.expr:
    return call("nn.LayerNorm", a.code["D"], eps=option(a, "epsilon", 1e-5))


def _rms_norm(a: Arguments) -> ast.expr:
    """torch's own default is the element type's epsilon, so ours is always written."""
    return call("nn.RMSNorm", a.code["D"], eps=a.code["epsilon"])


def _group_norm(a: Arguments) -> ast.expr:
    return call(
        "nn.GroupNorm",
        a.code["groups"],
        a.code["C"],
        eps=option(a, "epsilon", 1e-5),
        affine=option(a, "affine", True),
    )


def _local_response_norm(a: Arguments) -> ast.expr:
    return call(
        "nn.LocalResponseNorm",
        a.code["size"],
        alpha=option(a, "alpha", 1e-4),
        beta=option(a, "beta", 0.75),
        k=option(a, "k", 1.0),
    )


def _dropout(block: str, layer: str, fits: Condition) -> Native:
    def construct(a: Arguments) -> ast.expr:
        return call(layer, *([] if option(a, "p", 0.5) is None else [a.code["p"]]))

    return Native(block, fits, (), ("p",), construct)


#: By a name of its own where a block has several natives, one per rank.
NORMS: Natives = {
    "batch_norm": _batch_norm("nn.BatchNorm2d", (4,)),
    "batch_norm1d": _batch_norm("nn.BatchNorm1d", (2, 3)),
    "batch_norm3d": _batch_norm("nn.BatchNorm3d", (5,)),
    "layer_norm": Native("layer_norm", always, ("D",), ("epsilon",), _layer_norm),
    "rms_norm": Native("rms_norm", always, ("D",), ("epsilon",), _rms_norm),
    "group_norm": Native("group_norm", always, ("C",), ("groups", "epsilon", "affine"), _group_norm),
    "local_response_norm": Native(
        "local_response_norm", always, (), ("size", "alpha", "beta", "k"), _local_response_norm
    ),
    "dropout": _dropout("dropout", "nn.Dropout", always),
    "channel_dropout": _dropout("channel_dropout", "nn.Dropout2d", of_rank(4)),
    "channel_dropout1d": _dropout("channel_dropout", "nn.Dropout1d", of_rank(3)),
    "channel_dropout3d": _dropout("channel_dropout", "nn.Dropout3d", of_rank(5)),
}
