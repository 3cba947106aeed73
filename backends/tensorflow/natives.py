"""Keras' own layers in place of standard blocks, each where it means exactly the block, its initial values included.

A condition is a conjunction: each part of it has a test just outside (`tests/tensorflow/test_natives.py`). What Keras
starts or pads otherwise is a small subclass in `layers.py`. Not here: recurrent layers (`scan` runs cells).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import VARIES
from dlc.ir import Module

Condition = Callable[[Module], bool]
_WINDOWS = frozenset({"conv", "conv_transpose", "max_pool", "avg_pool"})


@dataclass(frozen=True, slots=True)
class All:
    """A conjunction of conditions."""

    parts: tuple[Condition, ...]

    def __call__(self, module: Module) -> bool:
        return all(part(module) for part in self.parts)


@dataclass(frozen=True, slots=True)
class KerasNative(Native):
    """`layer`: the class that the parameters belong to; `weights`: what it calls them, by their canonical names.

    `printed`: the class of `layers.py` that stands for it, if any.
    """

    layer: str = ""
    printed: str = ""
    weights: Mapping[str, str] = field(default_factory=dict[str, str])


# --- conditions ----------------------------------------------------------------------------------------------------


def value(module: Module, name: str) -> object:
    """A hyperparameter's plain value."""
    return dict(module.hyperparameters)[name].value


def rank(module: Module) -> int:
    """The first input's."""
    return module.types[module.inputs[0].value].rank


def is_float(module: Module) -> bool:
    """Of the file's usual width: layers of another would need a dtype of their own."""
    return all(module.types[port.value].dtype == "float" for port in (*module.inputs, *module.outputs))


def gives_float(module: Module) -> bool:
    return all(module.types[port.value].dtype == "float" for port in module.outputs)


def has_batch(module: Module) -> bool:
    """Keras' layers take no lone vector."""
    return rank(module) >= 2


def over_last(module: Module) -> bool:
    """Statistics are over the axis that is last as the data lie (channels-last data have the spec's last before)."""
    axes = [equation.attribute("axis") for equation in module.body if equation.op in ("mean", "variance")]
    return all(axis in (rank(module) - 1, (rank(module) - 1,)) for axis in axes)


def channels_last(module: Module) -> bool:
    """What is per channel stays a vector: data in the spec's order would have it as [C, 1, 1]."""
    shaped = [equation for equation in module.body if equation.op in ("reshape", "transpose")]
    return all(module.types[equation.outputs[0]].rank == 1 for equation in shaped)


def windows_last(module: Module) -> bool:
    """Windows slide over data that lie channels-last."""
    windows = [equation for equation in module.body if equation.op in _WINDOWS]
    marks = [dict(equation.attributes).get("channels_last") for equation in windows]
    return all(mark is not None and mark.value is True for mark in marks)


def one_group(module: Module) -> bool:
    """Gradients of grouped convolutions do not exist on CPU (see `rules.convolution`)."""
    return value(module, "groups") == 1


def undilated(module: Module) -> bool:
    """As for groups; nor are strides together with dilation."""
    return value(module, "dilation") == 1


def unpadded(module: Module) -> bool:
    """Keras' `same` is another border than the same number of zeros at both ends."""
    return value(module, "padding") == 0


def padded(module: Module) -> bool:
    return value(module, "padding") != 0


def has_stride(module: Module) -> bool:
    """Not the kernel's size by default, which must be told apart when the file is written."""
    return value(module, "stride") != 0


def over_image(module: Module) -> bool:
    """Over the positions of a channels-last image."""
    axes = [equation.attribute("axis") for equation in module.body if equation.op == "mean"]
    return axes == [(1, 2)]


def has_static_tail(module: Module) -> bool:
    """Keras' Flatten takes one unknown size beside the batch's at most."""
    return all(isinstance(size, int) for size in module.types[module.inputs[0].value].shape[1:])


def keeps_some(module: Module) -> bool:
    """Dropping everything is 0 / 0 in the block's gradient, 0 in Keras'."""
    share = value(module, "p")
    return isinstance(share, int | float) and 0 <= share < 1


def covers(module: Module) -> bool:
    """A stride above the kernel leaves rows that Keras counts in at the far end."""
    return _number(module, "kernel") >= _number(module, "stride")


def cuts_evenly(module: Module) -> bool:
    """`valid` cuts nothing; `same` cuts kernel - stride, half of it at either end."""
    padding = _number(module, "padding")
    return padding == 0 or _number(module, "kernel") - _number(module, "stride") == 2 * padding


def _number(module: Module, name: str) -> int:
    found = value(module, name)
    assert isinstance(found, int)
    return found


def without_output_padding(module: Module) -> bool:
    return value(module, "output_padding") == 0


# --- constructors --------------------------------------------------------------------------------------------------


def option(arguments: Arguments, word: str, default: object) -> ast.expr | None:
    """An argument's code, or None where it is Keras' default."""
    known = arguments.values[word]
    same = known is not VARIES and type(known) is type(default) and known == default
    return None if same else arguments.code[word]


def _dense(a: Arguments) -> ast.expr:
    return call("Dense", a.code["units"], use_bias=option(a, "bias", True))


def _conv2d(a: Arguments) -> ast.expr:
    return call(
        "Conv2D",
        a.code["filters"],
        a.code["kernel"],
        strides=option(a, "stride", 1),
        border=option(a, "padding", 0),
        use_bias=option(a, "bias", True),
    )


def _conv_transpose2d(a: Arguments) -> ast.expr:
    """Where paddings differ, the one that is none says so."""
    padding: ast.expr | None = literal("same")
    if a.values["padding"] is VARIES:
        padding = quote("'valid' if $padding == 0 else 'same'", padding=a.code["padding"])
    elif a.values["padding"] == 0:
        padding = None
    return call(
        "Conv2DTranspose",
        a.code["filters"],
        a.code["kernel"],
        strides=option(a, "stride", 1),
        padding=padding,
        use_bias=option(a, "bias", True),
    )


def _embedding(a: Arguments) -> ast.expr:
    start = quote("keras.initializers.RandomNormal(0.0, 1.0)")
    return call("keras.layers.Embedding", a.code["entries"], a.code["width"], embeddings_initializer=start)


def _layer_norm(a: Arguments) -> ast.expr:
    return call("keras.layers.LayerNormalization", epsilon=a.code["epsilon"])


def _batch_norm(a: Arguments) -> ast.expr:
    """Keras' momentum is the share of the old value."""
    momentum = a.values["momentum"]
    old = quote("1 - $momentum", momentum=a.code["momentum"])
    if isinstance(momentum, int | float):
        old = literal(round(1 - momentum, 12))
    affine = option(a, "affine", True)
    return call("BatchNormalization", momentum=old, epsilon=a.code["epsilon"], center=affine, scale=affine)


def _dropout(a: Arguments) -> ast.expr:
    return call("keras.layers.Dropout", a.code["p"])


def _pool(layer: str) -> Callable[[Arguments], ast.expr]:
    """A stride of 0 means the kernel's size, which is Keras' default."""

    def construct(a: Arguments) -> ast.expr:
        strides = option(a, "stride", 0)
        if a.values["stride"] is VARIES:
            strides = quote("$stride or None", stride=a.code["stride"])
        return call(layer, a.code["kernel"], strides=strides)

    return construct


def _padded_max_pool(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    return quote(
        "tf.nn.max_pool2d($x, $kernel, $stride, [(0, 0), ($p, $p), ($p, $p), (0, 0)])",
        **operands,
        kernel=a.code["kernel"],
        stride=a.code["stride"],
        p=a.code["padding"],
    )


_CONVOLUTION = {"weight": "kernel", "bias": "bias"}

NATIVES: dict[str, Native] = {
    native.block: native
    for native in (
        KerasNative(
            "dense",
            All((is_float, has_batch)),
            (),
            ("units", "bias"),
            _dense,
            layer="keras.layers.Dense",
            printed="Dense",
            weights=_CONVOLUTION,
        ),
        KerasNative(
            "conv2d",
            All((is_float, windows_last, one_group, undilated)),
            (),
            ("filters", "kernel", "stride", "padding", "bias"),
            _conv2d,
            layer="keras.layers.Conv2D",
            printed="Conv2D",
            weights=_CONVOLUTION,
        ),
        KerasNative(
            "conv_transpose2d",
            All((is_float, windows_last, covers, cuts_evenly, without_output_padding)),
            (),
            ("filters", "kernel", "stride", "padding", "bias"),
            _conv_transpose2d,
            layer="keras.layers.Conv2DTranspose",
            printed="Conv2DTranspose",
            weights=_CONVOLUTION,
        ),
        KerasNative(
            "embedding",
            All((gives_float,)),
            (),
            ("entries", "width"),
            _embedding,
            layer="keras.layers.Embedding",
            weights={"weight": "embeddings"},
        ),
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
        KerasNative("dropout", All((is_float, keeps_some)), (), ("p",), _dropout),
        KerasNative(
            "max_pool2d",
            All((is_float, windows_last, unpadded)),
            (),
            ("kernel", "stride"),
            _pool("keras.layers.MaxPooling2D"),
        ),
        KerasNative(
            "avg_pool2d",
            All((is_float, windows_last, unpadded)),
            (),
            ("kernel", "stride"),
            _pool("keras.layers.AveragePooling2D"),
        ),
        KerasNative(
            "global_avg_pool",
            All((is_float, over_image)),
            (),
            (),
            lambda a: call("keras.layers.GlobalAveragePooling2D"),
        ),
        KerasNative(
            "flatten",
            All((is_float, has_batch, has_static_tail)),
            (),
            (),
            lambda a: call("keras.layers.Flatten"),
        ),
    )
} | {
    "max_pool2d_padded": Native(
        "max_pool2d",
        All((is_float, windows_last, padded, has_stride)),
        (),
        ("kernel", "stride", "padding"),
        None,
        _padded_max_pool,
    )
}
