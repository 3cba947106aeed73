"""Products that sum: matrix product, einsum, convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule, Same


def pads_of(padding: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """ONNX's order: all lows, then all highs."""
    return tuple(pair[side] for side in (0, 1) for pair in padding)


def _einsum(b: Builder, use: Apply) -> Value:
    return b("Einsum", *use.inputs, equation=use.attributes["pattern"])


def _conv(b: Builder, use: Apply) -> Value:
    at = use.attributes
    pads = pads_of(at["padding"])
    return b("Conv", *use.inputs, strides=at["stride"], pads=pads, dilations=at["dilation"], group=at["groups"])


def _conv_transpose(b: Builder, use: Apply) -> Value:
    """`output_padding` is added at the end, as in torch; asymmetric pads cut off what they name."""
    at = use.attributes
    return b(
        "ConvTranspose",
        *use.inputs,
        strides=at["stride"],
        pads=pads_of(at["padding"]),
        output_padding=at["output_padding"],
        dilations=at["dilation"],
        group=at["groups"],
    )


RULES: Mapping[str, Rule] = {
    "matmul": Same("MatMul"),
    "einsum": _einsum,
    "conv": _conv,
    "conv_transpose": _conv_transpose,
}
