"""What the natives have in common: conditions on a module, arguments that are Keras' default and left out.

A condition is a conjunction: each part of it has a test just outside (`tests/tensorflow/test_natives.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, quote
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


#: The native has the block's meaning always.
ALWAYS = All(())


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


def over_positions(module: Module) -> bool:
    """Statistics are over all positions of data that lie channels-last."""
    axes = [equation.attribute("axis") for equation in module.body if equation.op in ("mean", "variance")]
    return rank(module) > 2 and all(axis == tuple(range(1, rank(module) - 1)) for axis in axes)


def regions_last(module: Module) -> bool:
    """Regions are cut from data that lie channels-last: no mean is over the last axis."""
    axes = [equation.attribute("axis") for equation in module.body if equation.op == "mean"]
    return all(axis in [(place,) for place in range(1, rank(module) - 1)] for axis in axes)


def gives_last(module: Module) -> bool:
    """What is stacked lies channels-last too."""
    ranks = {e.outputs[0]: module.types[e.outputs[0]].rank for e in module.body if e.op == "stack"}
    return all(e.attribute("axis") != ranks[e.outputs[0]] - 1 for e in module.body if e.op == "stack")


def has_static_positions(module: Module) -> bool:
    """Keras cuts no regions from an axis of unknown size."""
    return all(isinstance(size, int) for size in module.types[module.inputs[0].value].shape[1:-1])


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


def has_static_tail(module: Module) -> bool:
    """Keras' Flatten takes one unknown size beside the batch's at most."""
    return all(isinstance(size, int) for size in module.types[module.inputs[0].value].shape[1:])


def without_padding(module: Module) -> bool:
    """Keras has no token whose row is 0."""
    return value(module, "padding") is None


def one_border(module: Module) -> bool:
    """As many zeros at both ends of each axis."""
    return type(value(module, "padding")) is int


def covers(module: Module) -> bool:
    """A stride above the kernel leaves rows that Keras counts in at the far end."""
    kernel, stride = _number(module, "kernel"), _number(module, "stride")
    return kernel is not None and stride is not None and kernel >= stride


def cuts_evenly(module: Module) -> bool:
    """`valid` cuts nothing; `same` cuts kernel - stride, half of it at either end."""
    kernel, stride, padding = (_number(module, word) for word in ("kernel", "stride", "padding"))
    if kernel is None or stride is None or padding is None:
        return False
    return padding == 0 or kernel - stride == 2 * padding


def _number(module: Module, name: str) -> int | None:
    """One for all axes, or None."""
    found = value(module, name)
    return found if type(found) is int else None


def strides_or_dilates(module: Module) -> bool:
    """TensorFlow does not do both."""
    return value(module, "stride") == 1 or value(module, "dilation") == 1


def without_output_padding(module: Module) -> bool:
    return value(module, "output_padding") == 0


def option(arguments: Arguments, word: str, default: object) -> ast.expr | None:
    """An argument's code, or None where it is Keras' default."""
    known = arguments.values[word]
    same = known is not VARIES and type(known) is type(default) and known == default
    return None if same else arguments.code[word]


def function(block: str, template: str, *conditions: Condition) -> Native:
    """A block without hyperparameters as an expression over its inputs."""

    def apply(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
        return quote(template, **operands)

    return Native(block, All(conditions), (), (), None, apply)


def function_of(block: str, target: str, defaults: Mapping[str, tuple[str, object]], *conditions: Condition) -> Native:
    """A block as a function of its input `x`; `defaults`: Keras' keyword and default of each hyperparameter."""

    def apply(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
        keywords = {keyword: option(a, word, default) for word, (keyword, default) in defaults.items()}
        return call(target, operands["x"], **keywords)

    return Native(block, All(conditions), (), tuple(defaults), None, apply)
