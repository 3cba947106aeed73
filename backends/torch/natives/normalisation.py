"""Norms and dropout."""

from __future__ import annotations

import ast
from math import prod

from dlc.backends.common.native import Arguments, Native, Natives
from dlc.backends.common.quote import call
from dlc.backends.torch.natives.parts import All, Condition, always, of_rank, option, rank, value_of
from dlc.ir import Module


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


def _instance_norm(layer: str, count: int) -> Native:
    def construct(a: Arguments) -> ast.expr:
        return call(layer, a.code["C"], eps=option(a, "epsilon", 1e-5), affine=option(a, "affine", False))

    return Native("instance_norm", All((of_rank(count), has_positions)), ("C",), ("epsilon", "affine"), construct)


def has_positions(module: Module) -> bool:
    """torch refuses to normalise over one position, where the block gives 0."""
    sizes = [size for size in module.types[module.inputs[0].value].shape[2:] if isinstance(size, int)]
    return prod(sizes) > 1


def shares_groups(module: Module) -> bool:
    """As for `instance_norm`: a group is more than a channel, or more than a position."""
    groups, channels = value_of(module, "groups"), module.types[module.inputs[0].value].shape[1]
    several = isinstance(groups, int) and isinstance(channels, int) and groups < channels
    return several or has_positions(module)


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
    "instance_norm": _instance_norm("nn.InstanceNorm2d", 4),
    "instance_norm1d": _instance_norm("nn.InstanceNorm1d", 3),
    "instance_norm3d": _instance_norm("nn.InstanceNorm3d", 5),
    "group_norm": Native("group_norm", shares_groups, ("C",), ("groups", "epsilon", "affine"), _group_norm),
    "local_response_norm": Native(
        "local_response_norm", always, (), ("size", "alpha", "beta", "k"), _local_response_norm
    ),
    "dropout": _dropout("dropout", "nn.Dropout", always),
    "channel_dropout": _dropout("channel_dropout", "nn.Dropout2d", of_rank(4)),
    "channel_dropout1d": _dropout("channel_dropout", "nn.Dropout1d", of_rank(3)),
    "channel_dropout3d": _dropout("channel_dropout", "nn.Dropout3d", of_rank(5)),
}
