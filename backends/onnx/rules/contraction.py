"""Products that sum: matrix product, convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.rule import Apply, Rule, Same


def pads_of(padding: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """ONNX's order: all lows, then all highs."""
    return tuple(pair[side] for side in (0, 1) for pair in padding)


#: What ONNX takes for an attribute of a convolution or pool that is not there, at each spatial axis.
_DEFAULTS = {
    "strides": 1,
    "pads": 0,
    "dilations": 1,
    "output_padding": 0,
    "group": 1,
    "ceil_mode": 0,
    "count_include_pad": 0,
}


def without_defaults(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """The attributes that say something."""
    return {
        name: value
        for name, value in attributes.items()
        if name not in _DEFAULTS or set(value if isinstance(value, tuple) else (value,)) != {_DEFAULTS[name]}
    }


def conv_attributes(given: Mapping[str, Any]) -> dict[str, Attribute]:
    """`Conv`'s attributes from the op's."""
    attributes: dict[str, Attribute] = {
        "strides": given["stride"],
        "pads": pads_of(given["padding"]),
        "dilations": given["dilation"],
        "group": given["groups"],
    }
    return without_defaults(attributes)


def conv_transpose_attributes(given: Mapping[str, Any]) -> dict[str, Attribute]:
    """`output_padding` is added at the end, as in torch; uneven pads cut off what they name."""
    extra: dict[str, Attribute] = {"output_padding": given["output_padding"]}
    return conv_attributes(given) | without_defaults(extra)


def _conv(b: Builder, use: Apply) -> Value:
    return b.many("Conv", use.inputs, [""], conv_attributes(use.attributes))[0]


def _conv_transpose(b: Builder, use: Apply) -> Value:
    return b.many("ConvTranspose", use.inputs, [""], conv_transpose_attributes(use.attributes))[0]


RULES: Mapping[str, Rule] = {
    "matmul": Same("MatMul"),
    "conv": _conv,
    "conv_transpose": _conv_transpose,
}
