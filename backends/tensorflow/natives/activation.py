"""Activations.

Not here, since Keras 3.15 on TensorFlow 2.21 means something else:
- `elu` and `selu` are exp(x) - 1, which is wrong by 1e-2 at 1e-6; `celu` has twice the gradient at 0;
- the gradients of `relu6`, `hard_sigmoid` and `hard_silu` are 0 at the ends, where those of `clip` are 1.
"""

from __future__ import annotations

from dlc.backends.tensorflow.natives.parts import function, function_of, is_float, rank, value
from dlc.ir import Module


def unit_range(module: Module) -> bool:
    return (value(module, "low"), value(module, "high")) == (-1, 1)


def halves_last(module: Module) -> bool:
    """The axis that is last as the data lie (channels-last data have the spec's last before)."""
    return all(e.attribute("axis") in (-1, rank(module) - 1) for e in module.body if e.op == "split")


def has_known_last(module: Module) -> bool:
    """Keras looks whether it is even."""
    return isinstance(module.types[module.inputs[0].value].shape[-1], int)


ACTIVATIONS = (
    # Its slope is a number of 32 bits; said always, since frameworks disagree on the usual one.
    function_of("leaky_relu", "keras.activations.leaky_relu", {"slope": ("negative_slope", None)}, is_float),
    function_of("gelu", "keras.activations.gelu", {"approximate": ("approximate", False)}),
    function_of("soft_shrink", "keras.activations.soft_shrink", {"threshold": ("threshold", 0.5)}),
    function_of("hard_shrink", "keras.activations.hard_shrink", {"threshold": ("threshold", 0.5)}),
    function("hard_tanh", "keras.activations.hard_tanh($x)", unit_range),
    function("silu", "keras.activations.silu($x)"),
    function("softplus", "keras.activations.softplus($x)"),
    function("mish", "keras.activations.mish($x)"),
    function("softsign", "keras.activations.softsign($x)"),
    function("log_sigmoid", "keras.activations.log_sigmoid($x)"),
    function("tanh_shrink", "keras.activations.tanh_shrink($x)"),
    function("glu", "keras.activations.glu($x)", halves_last, has_known_last),
)
