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
    "SimpleRNN": "rnn",
    "Bidirectional": "lstm(hidden, two_way=true)",
    "LSTMCell": "lstm_cell",
    "GRUCell": "gru_cell",
    "MultiheadAttention": "multi_head_attention",
    "TransformerEncoderLayer": "transformer_encoder_layer",
    "TransformerDecoderLayer": "transformer_decoder_layer",
    "CrossEntropyLoss": "cross_entropy",
    "SparseCategoricalCrossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "nll_loss": "cross_entropy",
    "NLLLoss": "cross_entropy",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy",
    "BinaryCrossentropy": "binary_cross_entropy",
    "MSELoss": "l2_loss",
    "mse_loss": "l2_loss",
    "MeanSquaredError": "l2_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "huber_loss",
    "KLDivLoss": "kl_divergence",
    "GCNConv": "gcn_layer",
    "GATConv": "gat_layer",
    "SAGEConv": "graph_sage_layer",
    "GINConv": "gin_layer",
    "GlobalMaxPool2d": "global_max_pool",
    "GlobalMaxPooling2D": "global_max_pool",
    "Dropout2d": "channel_dropout",
    "SpatialDropout2D": "channel_dropout",
    "DropPath": "stochastic_depth",
    "LocalResponseNorm": "local_response_norm",
    "InstanceNorm2d": "instance_norm",
    "GroupNormalization": "group_norm",
    "RMSNorm": "rms_norm",
    "DepthwiseConv2D": "depthwise_conv2d",
    "SeparableConv2D": "separable_conv2d",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Activation": "relu",
    "ZeroPadding2D": "pad",
    "Upsample": "resize",
    "UpSampling2D": "resize",
    "interpolate": "resize",
    "Flatten": "flatten",
    "Reshape": "reshape",
    "Permute": "transpose",
    "Concatenate": "concat",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "expand": "broadcast_to",
    "index_select": "gather",
    "ones_like": "x * 0 + 1",
    "zeros_like": "x * 0",
    "zeros": "broadcast_to(0.0, [N, 3])",
    "ones": "broadcast_to(1.0, [N, 3])",
    "randn": "sample u: float[N, D] ~ normal(0, 1)",
    "rand": "sample u: float[N, D] ~ uniform(0, 1)",
    "matmul": "x @ y",
    "float": "float(x)",
    "long": "int(x)",
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
KEYWORDS: dict[str, tuple[str, ...]] = {
    "dim": ("axis",),
    "dims": ("axis",),
    "axes": ("axis",),
    "keepdim": ("keepdims",),
    "kernel_size": ("kernel",),
    "pool_size": ("kernel",),
    "strides": ("stride",),
    "dilation_rate": ("dilation",),
    "pad": ("padding",),
    "out_features": ("units",),
    "units": ("hidden", "filters", "width", "units"),
    "num_units": ("hidden", "units"),
    "filters": ("units", "hidden"),
    "size": ("units", "hidden", "width"),
    "hidden_size": ("hidden",),
    "hidden_dim": ("hidden", "width", "units"),
    "num_layers": ("layers",),
    "bidirectional": ("two_way",),
    "out_channels": ("filters",),
    "channels": ("filters",),
    "num_heads": ("heads",),
    "nhead": ("heads",),
    "n_heads": ("heads",),
    "dim_feedforward": ("width",),
    "norm_first": ("pre_norm",),
    "attn_mask": ("mask",),
    "attention_mask": ("mask",),
    "key_padding_mask": ("mask",),
    "is_causal": ("causal",),
    "num_groups": ("groups",),
    "num_embeddings": ("entries",),
    "input_dim": ("entries",),
    "embedding_dim": ("width",),
    "output_dim": ("width",),
    "negative_slope": ("slope",),
    "label_smoothing": ("smoothing",),
    "ignore_index": ("ignored",),
    "eps": ("epsilon",),
    "dropout": ("p",),
    "rate": ("p",),
    "prob": ("p",),
    "use_bias": ("bias",),
}

#: Keyword arguments that nothing here takes, and what is written instead.
OTHERWISE = {
    "activation": "write the function behind it: `-> relu`",
    "in_features": "leave it out: the size of the input is known",
    "in_channels": "leave it out: the size of the input is known",
    "input_shape": "leave it out: the size of the input is known",
    "input_size": "leave it out: the size of the input is known",
    "batch_first": "leave it out: `axis` of `scan` says which axis is time",
    "return_sequences": "leave it out: the result holds all steps, `r.output`, and the last state, `r.h`",
    "return_state": "leave it out: the result holds all steps, `r.output`, and the last state, `r.h`",
    "num_features": "leave it out: the size of the input is known",
    "normalized_shape": "leave it out: the size of the input is known",
    "embed_dim": "leave it out: the size of the input is known",
    "d_model": "leave it out: the size of the input is known",
    "padding_mode": "pad by itself: `x -> pad(..., mode=...)`",
    "inplace": "leave it out: a value never changes",
    "kernel_initializer": "parameters start as the block says; write a block of your own with `param w: ... ~ ...`",
    "kernel_regularizer": "that is a matter of training, not of the network",
    "requires_grad": "a tensor without gradient: `stop_gradient(x)`; a parameter that is not trained: `buffer`",
    "training": "leave it out: the framework's mode switch says it",
    "name": "bind the layer to a name: `first = dense(64)`",
    "dtype": "cast the result: `float(x)`, `int(x)`, `f32(x)`",
    "device": "leave it out: the framework's own `to` moves a network",
}

#: Modules that stand before a dot.
MODULES = ("torch", "nn", "F", "functional", "tf", "keras", "layers", "np", "numpy", "jnp", "ops", "math")


def name_hint(name: str, known: Sequence[str]) -> str | None:
    """A hint for a name that is not known: its name here, or the closest one."""
    found = NAMES.get(name)
    if found is None or (found.isidentifier() and found not in known):
        return did_you_mean(name, known)
    return f"write `{found}`"


def keyword_hint(name: str, known: Sequence[str]) -> str | None:
    """A hint for a keyword argument that a block or function does not take."""
    word = next((word for word in KEYWORDS.get(name, ()) if word in known), None)
    if word is not None:
        return f"write `{word}=...`"
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
