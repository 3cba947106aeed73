"""What torch makes of each op: an independent second meaning, for comparison with NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as functional

torch.set_num_threads(1)

Meaning = Callable[[Sequence[Any], dict[str, Any]], Any]

DTYPES = {
    "float": torch.float64,
    "int": torch.int64,
    "bool": torch.bool,
    "f32": torch.float32,
    "i32": torch.int32,
}


def simple(function: Callable[..., Any]) -> Meaning:
    return lambda operands, attributes: function(*operands)


def along(function: Callable[..., Any]) -> Meaning:
    return lambda operands, attributes: function(operands[0], attributes["axis"])


def reducing(function: Callable[..., Any]) -> Meaning:
    """torch reads `dim=()` as all axes, and some reductions take one axis at a time."""

    def meaning(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
        x = operands[0]
        for axis in sorted(attributes["axis"], reverse=True):
            x = function(x, dim=axis, keepdim=attributes["keepdims"])
        return x

    return meaning


def variance(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    if not attributes["axis"]:
        return torch.zeros_like(operands[0])
    return torch.var(
        operands[0], dim=attributes["axis"], correction=attributes["correction"], keepdim=attributes["keepdims"]
    )


def index(function: Callable[..., Any]) -> Meaning:
    return lambda operands, attributes: function(operands[0], attributes["axis"], attributes["keepdims"])


def sliced(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    x = operands[0]
    for axis in reversed(range(len(attributes["items"]))):
        kind, *rest = attributes["items"][axis]
        if kind == "index":
            x = x.select(axis, rest[0])
        else:
            places = range(*slice(*rest).indices(x.shape[axis]))
            x = x.index_select(axis, torch.tensor(list(places), dtype=torch.int64))
    return x


def mirrored(place: int, size: int) -> int:
    """The place that a reflection about the first and last element shows."""
    return -place if place < 0 else 2 * (size - 1) - place if place >= size else place


def padded(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    x = operands[0]
    if attributes["mode"] == "constant":
        flat = [amount for pair in reversed(attributes["pairs"]) for amount in pair]
        return functional.pad(x, flat, value=attributes["value"])
    for axis, (low, high) in enumerate(attributes["pairs"]):
        size = x.shape[axis]
        places = range(-low, size + high)
        if attributes["mode"] == "reflect":
            chosen = [mirrored(place, size) for place in places]
        elif attributes["mode"] == "wrap":
            chosen = [place % size for place in places]
        else:
            chosen = [min(max(place, 0), size - 1) for place in places]
        x = x.index_select(axis, torch.tensor(chosen))
    return x


def gathered(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    x, indices = operands
    axis = attributes["axis"]
    taken = x.index_select(axis, indices.reshape(-1))
    return taken.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def ordered(part: int) -> Meaning:
    return lambda operands, attributes: torch.sort(
        operands[0], dim=attributes["axis"], descending=attributes["descending"], stable=True
    )[part]


def best(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """torch.topk's values; its indices where there are no ties, else the first of equals."""
    x, k, axis = operands[0], attributes["k"], attributes["axis"]
    values, places = torch.topk(x, k, axis, attributes["largest"])
    if len(x.unique()) == x.numel():
        return values, places
    stable = torch.sort(x, dim=axis, descending=attributes["largest"], stable=True)[1].narrow(axis, 0, k)
    return values, stable


def scattered(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    x, indices, updates = operands
    if attributes["reduction"] == "set":
        return x.scatter(attributes["axis"], indices, updates)
    how = {"sum": "sum", "max": "amax", "min": "amin"}[attributes["reduction"]]
    return x.scatter_reduce(attributes["axis"], indices, updates, how)


def resized(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """torch finds the nearest element in 32-bit floats, and resizes no ints: places by hand."""
    x, size, mode = operands[0], attributes["size"], attributes["mode"]
    if mode == "nearest":
        for axis, after in enumerate(size, 2):
            x = x.index_select(axis, torch.tensor([place * x.shape[axis] // after for place in range(after)]))
        return x
    named = {"linear": ("linear", "bilinear", "trilinear"), "cubic": ("", "bicubic")}[mode][len(size) - 1]
    return functional.interpolate(x, tuple(size), mode=named, align_corners=attributes["align_corners"])


def frame(x: Any, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    return functional.pad(x, [amount for pair in reversed(padding) for amount in pair], value=value)


def convolved(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    x, weight = operands
    function = (functional.conv1d, functional.conv2d, functional.conv3d)[x.ndim - 3]
    options = {name: attributes[name] for name in ("stride", "dilation", "groups")}
    return function(frame(x, attributes["padding"]), weight, **options)


def transposed(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    x, weight = operands
    function = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)[x.ndim - 3]
    options = {name: attributes[name] for name in ("stride", "dilation", "groups", "output_padding")}
    lows = [low for low, _ in attributes["padding"]]
    even = all(low == high for low, high in attributes["padding"])
    if even:
        return function(x, weight, padding=lows, **options)
    whole = function(x, weight, **options)
    for axis, (low, high) in enumerate(attributes["padding"], 2):
        whole = whole.narrow(axis, low, whole.shape[axis] - low - high)
    return whole


def pooled(functions: Sequence[Callable[..., Any]], filler: float, names: dict[str, str]) -> Meaning:
    def meaning(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
        x = operands[0]
        options = {theirs: attributes[ours] for ours, theirs in names.items()}
        function = functions[x.ndim - 3]
        lows = [low for low, _ in attributes["padding"]]
        if all(low == high for low, high in attributes["padding"]):
            return function(x, attributes["kernel"], attributes["stride"], lows, **options)
        assert attributes.get("include_padding", True)
        assert not attributes["ceil_mode"]
        return function(frame(x, attributes["padding"], filler), attributes["kernel"], attributes["stride"], **options)

    return meaning


def folded(how: str) -> Meaning:
    def meaning(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
        x, segments = operands
        result = torch.zeros((attributes["count"], *x.shape[1:]), dtype=x.dtype)
        index = segments.reshape(-1, *([1] * (x.ndim - 1))).expand(x.shape)
        return result.scatter_reduce(0, index, x, how, include_self=False)

    return meaning


def segment_softmax(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """Segment by segment; torch gives NaN over nothing but -inf, the language 0."""
    x, segments = operands
    result = torch.zeros_like(x)
    for segment in range(attributes["count"]):
        rows = segments == segment
        result[rows] = torch.softmax(x[rows], 0).masked_fill(torch.isneginf(x[rows]).all(0), 0.0)
    return result


def constant(operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    return torch.full(attributes["shape"], attributes["value"], dtype=DTYPES[attributes["dtype"]])


UNARY = [
    "exp",
    "log",
    "log1p",
    "expm1",
    "sqrt",
    "rsqrt",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sigmoid",
    "erf",
    "relu",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "square",
]
BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "maximum",
    "minimum",
    "floor_divide",
    "remainder",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "logical_not",
    "where",
    "matmul",
]

MEANINGS: dict[str, Meaning] = {
    **{name: simple(getattr(torch, name)) for name in (*UNARY, *BINARY)},
    "equal": simple(torch.eq),
    "power": simple(torch.pow),
    "negative": simple(torch.neg),
    "stop_gradient": simple(lambda x: x.detach()),
    "clip": lambda operands, attributes: torch.clamp(operands[0], attributes["low"], attributes["high"]),
    "cast": lambda operands, attributes: operands[0].to(DTYPES[attributes["dtype"]]),
    "sum": reducing(torch.sum),
    "mean": reducing(torch.mean),
    "prod": reducing(torch.prod),
    "max": reducing(torch.amax),
    "min": reducing(torch.amin),
    "any": reducing(torch.any),
    "all": reducing(torch.all),
    "variance": variance,
    "argmax": index(torch.argmax),
    "argmin": index(torch.argmin),
    "softmax": along(torch.softmax),
    "log_softmax": along(torch.log_softmax),
    "logsumexp": index(torch.logsumexp),
    "cumsum": along(torch.cumsum),
    "cumprod": along(torch.cumprod),
    **{name: simple(getattr(torch, name)) for name in ("isnan", "isinf", "isfinite")},
    "tile": lambda operands, attributes: torch.tile(operands[0], tuple(attributes["counts"])),
    "repeat": lambda operands, attributes: operands[0].repeat_interleave(attributes["count"], attributes["axis"]),
    "reshape": lambda operands, attributes: operands[0].reshape(attributes["shape"]),
    "expand_dims": along(torch.unsqueeze),
    "squeeze": along(torch.squeeze),
    "transpose": lambda operands, attributes: operands[0].permute(attributes["axes"]),
    "broadcast_to": lambda operands, attributes: operands[0].expand(attributes["shape"]),
    "flip": lambda operands, attributes: operands[0].flip([attributes["axis"]]),
    "roll": lambda operands, attributes: operands[0].roll(attributes["shift"], attributes["axis"]),
    "pad": padded,
    "concat": lambda operands, attributes: torch.cat(list(operands), attributes["axis"]),
    "stack": lambda operands, attributes: torch.stack(list(operands), attributes["axis"]),
    "split": lambda operands, attributes: (
        torch.chunk(operands[0], attributes["parts"], attributes["axis"])
        if isinstance(attributes["parts"], int)
        else torch.split(operands[0], list(attributes["parts"]), attributes["axis"])
    ),
    "unstack": along(torch.unbind),
    "slice": sliced,
    "gather": gathered,
    "take_along_axis": lambda operands, attributes: torch.take_along_dim(*operands, dim=attributes["axis"]),
    "diagonal": lambda operands, attributes: torch.diagonal(operands[0], attributes["offset"], -2, -1),
    "solve": simple(torch.linalg.solve),
    "resize": resized,
    "grid_sample": lambda operands, attributes: functional.grid_sample(
        *operands, padding_mode=attributes["padding"], align_corners=attributes["align_corners"]
    ),
    "sort": ordered(0),
    "argsort": ordered(1),
    "topk": best,
    "scatter": scattered,
    "one_hot": lambda operands, attributes: functional.one_hot(operands[0], attributes["depth"]).double(),
    "triangular": lambda operands, attributes: (torch.triu if attributes["upper"] else torch.tril)(
        operands[0], attributes["diagonal"]
    ),
    "constant": constant,
    "dimension": lambda operands, attributes: torch.tensor(attributes["size"]),
    "arange": lambda operands, attributes: torch.tensor(
        list(range(attributes["start"], attributes["stop"], attributes["step"])), dtype=torch.int64
    ),
    "einsum": lambda operands, attributes: torch.einsum(attributes["pattern"], *operands),
    "conv": convolved,
    "conv_transpose": transposed,
    "max_pool": pooled(
        (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d),
        -torch.inf,
        {"dilation": "dilation", "ceil_mode": "ceil_mode"},
    ),
    "avg_pool": pooled(
        (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d),
        0.0,
        {"ceil_mode": "ceil_mode", "include_padding": "count_include_pad"},
    ),
    "segment_sum": folded("sum"),
    "segment_mean": folded("mean"),
    "segment_max": folded("amax"),
    "segment_min": folded("amin"),
    "segment_softmax": segment_softmax,
    "segment_count": lambda operands, attributes: torch.bincount(operands[0], minlength=attributes["count"]),
}
