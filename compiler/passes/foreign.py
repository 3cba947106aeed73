"""What PyTorch, Keras and NumPy call things that have another name here: hints for those who write what they know."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.diagnostics import did_you_mean
from dlc.ops import OPS
from dlc.spec import syntax

#: Layers, functions and methods, and what is written here. Names that differ in case and `_` only are found without.
NAMES = {
    "Linear": "dense",
    "linear": "dense",
    "BatchNorm1d": "batch_norm",
    "BatchNorm2d": "batch_norm",
    "BatchNormalization": "batch_norm",
    "LayerNormalization": "layer_norm",
    "ConvTranspose2d": "conv_transpose2d",
    "Conv2DTranspose": "conv_transpose2d",
    "MaxPooling2D": "max_pool2d",
    "AveragePooling2D": "avg_pool2d",
    "AdaptiveAvgPool2d": "global_avg_pool",
    "GlobalAveragePooling2D": "global_avg_pool",
    "SiLU": "silu",
    "swish": "silu",
    "LSTM": "scan(lstm_cell(units))",
    "GRU": "scan(gru_cell(units))",
    "RNN": "scan(rnn_cell(units))",
    "SimpleRNN": "scan(rnn_cell(units))",
    "Sequential": "x -> first -> second",
    "ModuleList": "[dense(64) for _ in range(n)]",
    "Identity": "x",
    "Add": "x + y",
    "Multiply": "x * y",
    "cat": "concat",
    "concatenate": "concat",
    "hstack": "concat",
    "vstack": "concat",
    "unsqueeze": "expand_dims",
    "permute": "transpose",
    "swapaxes": "transpose",
    "view": "reshape",
    "T": "transpose",
    "mT": "transpose",
    "clamp": "clip",
    "var": "variance",
    "std": "sqrt(variance(x))",
    "amax": "max",
    "amin": "min",
    "chunk": "split",
    "unbind": "unstack",
    "tril": "triangular",
    "triu": "triangular",
    "masked_fill": "where",
    "pow": "x ** y",
    "mm": "x @ y",
    "bmm": "x @ y",
    "dot": "x @ y",
    "detach": "stop_gradient",
    "to": "float(x)",
    "astype": "float(x)",
}

#: Keyword arguments.
KEYWORDS = {
    "dim": "axis",
    "axes": "axis",
    "keepdim": "keepdims",
    "kernel_size": "kernel",
    "strides": "stride",
    "out_features": "units",
    "hidden_size": "hidden",
    "out_channels": "filters",
    "num_heads": "heads",
    "eps": "epsilon",
    "rate": "p",
    "use_bias": "bias",
}

#: Keyword arguments that nothing here takes, and what is written instead.
OTHERWISE = {
    "activation": "write the function behind it: `-> relu`",
    "in_features": "leave it out: the size of the input is known",
    "in_channels": "leave it out: the size of the input is known",
    "input_shape": "leave it out: the size of the input is known",
    "input_size": "leave it out: the size of the input is known",
    "batch_first": "leave it out: `axis` of `scan` says which axis is time",
    "name": "bind the layer to a name: `first = dense(64)`",
    "dtype": "cast the result: `float(x)`, `int(x)`, `f32(x)`",
    "device": "leave it out: the framework's own `to` moves a network",
}

#: Modules that stand before a dot.
MODULES = ("torch", "nn", "F", "functional", "tf", "keras", "layers", "np", "numpy", "jnp", "ops", "math")


def name_hint(name: str, known: Sequence[str]) -> str | None:
    """A hint for a name that is not known: its name here, or the closest one."""
    found = NAMES.get(name)
    if found is None or not any(word in known for word in (found, *_words(found))):
        return did_you_mean(name, known)
    return f"write `{found}`"


def keyword_hint(name: str, known: Sequence[str]) -> str | None:
    """A hint for a keyword argument that a block or function does not take."""
    if KEYWORDS.get(name) in known:
        return f"write `{KEYWORDS[name]}=...`"
    return did_you_mean(name, known) or OTHERWISE.get(name)


def module_hint(node: syntax.Attribute, known: Sequence[str]) -> str:
    """A hint for `nn.Linear`, `torch.relu`."""
    if node.name in known:
        return f"write `{node.name}`"
    return name_hint(node.name, known) or "blocks and functions are known by their bare names"


def method_hint(method: str, value: syntax.Expr, shape: Sequence[object], known: Sequence[str]) -> str | None:
    """A hint for `x.mean()`, `x.T`, `x.shape[0]` of a tensor of this shape."""
    from dlc.spec.printer import print_expression

    if method in ("shape", "size", "ndim"):
        sizes = ", ".join(map(str, shape))
        return f"its shape is [{sizes}]: write a size as its dimension's name or as its number"
    if method == "dtype":
        return "a tensor's element type is known: cast it with `float(x)`, `int(x)`"
    function = method if method in known else NAMES.get(method, "")
    if function not in OPS:
        return f"write `{function}`" if function else None
    owner = print_expression(value)
    further = "axis=..." if any(a.name == "axis" for a in OPS[function].attributes) else "..."
    written = f"{function}({owner})" if method in ("T", "mT") else f"{function}({owner}, {further})"
    return f"functions stand before their argument: `{written}`"


def _words(text: str) -> list[str]:
    """The names of functions in what is written."""
    return [word for word in text.replace("(", " ").split() if word.isidentifier()]
