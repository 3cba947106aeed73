"""Pooling. In ceil mode ONNX Runtime, as torch, drops a last window that starts in the right padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlc.backends.onnx.graph import Attribute, Builder, Value, is_float
from dlc.backends.onnx.rule import Apply, Rule
from dlc.backends.onnx.rules.contraction import pads_of, without_defaults

#: The lowest finite number of 32 bits.
_LOWEST = -3.4028234663852886e38


def _max_pool(b: Builder, use: Apply) -> Value:
    """ONNX Runtime (1.31.1) starts from the lowest finite number in the kernel that it has for 32 bits without
    dilation: a window of -inf alone gives that there, and is mended here where the operand may hold -inf.
    (Its other kernel is right and thirteen times slower.)

    It pools floats only: ints go by way of float64, which is exact below 2 ** 53.
    """
    at, dtype = use.attributes, use.types[0].dtype
    attributes = _attributes(at, {"dilations": at["dilation"]})
    if not is_float(dtype):
        return b.cast(b.many("MaxPool", [b.cast(use.inputs[0], "f64")], ["pooled"], attributes)[0], dtype)
    if use.above[0] or b.element(dtype) != "FLOAT" or set(at["dilation"]) != {1}:
        return b.many("MaxPool", use.inputs, [""], attributes)[0]

    def build(b: Builder, given: Sequence[Value]) -> Value:
        (pooled,) = b.many("MaxPool", given, ["pooled"], attributes)
        nothing = b("Equal", pooled, b.number(_LOWEST, dtype, "lowest"), hint="nothing")
        return b("Where", nothing, b.number(float("-inf"), dtype), pooled)

    key = (dtype, *sorted(attributes.items()))
    return b.library.helper(b, "max_pool", key, [("x", use.inputs[0])], build, "MaxPool; -inf where all are.")


def avg_pool_attributes(given: Mapping[str, Any]) -> dict[str, Attribute]:
    """With `include_padding` the padding counts; what a ceil-mode window reaches beyond it does not."""
    return _attributes(given, {"count_include_pad": int(given["include_padding"])})


def _attributes(given: Mapping[str, Any], more: Mapping[str, Attribute]) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        "kernel_shape": given["kernel"],
        "strides": given["stride"],
        "pads": pads_of(given["padding"]),
        "ceil_mode": int(given["ceil_mode"]),
    }
    return without_defaults({**attributes, **more})


def _avg_pool(b: Builder, use: Apply) -> Value:
    return b.many("AveragePool", use.inputs, [""], avg_pool_attributes(use.attributes))[0]


RULES: Mapping[str, Rule] = {"max_pool": _max_pool, "avg_pool": _avg_pool}
