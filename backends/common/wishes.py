"""What a result is called that the spec does not name: a noun for what an op, function or layer gives."""

from __future__ import annotations

import re

#: By op of the table, function or method of a framework, or layer of the standard library.
NOUNS = {
    "abs": "size",
    "arange": "indices",
    "argsort": "order",
    "broadcast_to": "expanded",
    "cat": "joined",
    "clamp": "clipped",
    "concat": "joined",
    "concatenate": "joined",
    "conv1d": "features",
    "conv2d": "features",
    "conv3d": "features",
    "convert_to_tensor": "number",
    "dense": "hidden",
    "einsum": "product",
    "exp": "exponential",
    "expand": "expanded",
    "expand_dims": "expanded",
    "flatten": "flat",
    "float": "number",
    "gather": "gathered",
    "interpolate": "resized",
    "log": "logarithm",
    "log1p": "logarithm",
    "log_softmax": "log_probabilities",
    "logsumexp": "normalizer",
    "long": "number",
    "masked_fill": "masked",
    "matmul": "product",
    "maximum": "larger",
    "minimum": "smaller",
    "multiply": "product",
    "one_hot": "choices",
    "pad": "padded",
    "permute": "moved",
    "rand": "noise",
    "randn": "noise",
    "range": "indices",
    "relu": "activated",
    "repeat_interleave": "repeated",
    "reshape": "reshaped",
    "resize": "resized",
    "resize_nearest": "resized",
    "rsqrt": "factor",
    "sigmoid": "gate",
    "softmax": "probabilities",
    "sort": "ordered",
    "sqrt": "root",
    "square": "squares",
    "stack": "stacked",
    "subtract": "difference",
    "sum": "total",
    "tanh": "activated",
    "transpose": "moved",
    "tril": "lower",
    "triu": "upper",
    "unflatten": "parts",
    "unsqueeze": "expanded",
    "where": "chosen",
}


def noun(word: str) -> str:
    """`hidden` for `dense` and `dense_2`; a word that the table lacks is its own."""
    return NOUNS.get(re.sub(r"_\d+$", "", word), word)
