"""For each native of any backend, networks of one line that use it with every option away from its default."""

from __future__ import annotations

from pathlib import Path

from dlc import networks
from dlc.backends.api import Unit
from dlc.passes.resolve import load_project

MATRIX, SEQUENCE, IMAGE = "float[N, 6]", "float[N, T, 6]", "float[N, 4, 9, 9]"
HEADS = "float[N, 2, 5, 5]"
LINE_OF, SOLID = "float[N, 4, 9]", "float[N, 4, 7, 6, 8]"
LINE = 3  # of the call in `text`

#: By block: (input, expression) where a native may stand.
INSIDE: dict[str, list[tuple[str, str]]] = {
    "conv2d": [
        (IMAGE, "conv2d(6, 3, stride=2, padding=1, dilation=2, groups=2, bias=false)"),
        (IMAGE, "conv2d(6, 3, stride=2, padding=1)"),
        (IMAGE, "conv2d(6, 3, stride=2, padding=1, bias=false)"),
        (IMAGE, 'conv2d(6, [4, 3], padding="same")'),
    ],
    "conv_transpose2d": [
        (IMAGE, "conv_transpose2d(4, 3, stride=2, padding=1, output_padding=1, bias=false)"),
        (IMAGE, "conv_transpose2d(4, 3, stride=2)"),
    ],
    "dense": [(MATRIX, "dense(6)"), (SEQUENCE, "dense(5, bias=false)")],
    "embedding": [("int[N, T] in 0..7", "embedding(7, 5)")],
    "batch_norm": [
        (IMAGE, "batch_norm(epsilon=0.1, momentum=0.3)"),
        (IMAGE, "batch_norm(affine=false)"),
        (MATRIX, "batch_norm(epsilon=0.1, momentum=0.3)"),
    ],
    "global_avg_pool1d": [(LINE_OF, "conv1d(3, 1) -> global_avg_pool")],
    "global_avg_pool3d": [(SOLID, "conv3d(3, 1) -> global_avg_pool")],
    "batch_norm1d": [(MATRIX, "batch_norm(epsilon=0.1)"), ("float[N, 4, L]", "batch_norm(affine=false)")],
    "batch_norm3d": [("float[N, 4, L, 3, 3]", "batch_norm(epsilon=0.1)")],
    "layer_norm": [(SEQUENCE, "layer_norm(epsilon=0.1)")],
    "max_pool2d": [(IMAGE, "max_pool2d(3, stride=2, padding=1)"), (IMAGE, "max_pool2d(2)")],
    "max_pool2d_padded": [(IMAGE, "max_pool2d(3, stride=2, padding=1)")],
    "global_avg_pool": [(IMAGE, "conv2d(3, 1) -> global_avg_pool")],
    "avg_pool2d": [(IMAGE, "avg_pool2d(3, stride=2, padding=1)"), (IMAGE, "avg_pool2d(2)")],
    "leaky_relu": [(MATRIX, "leaky_relu(slope=0.3)")],
    "elu": [(MATRIX, "elu(alpha=0.7)")],
    "gelu": [(MATRIX, "gelu"), (MATRIX, "gelu(approximate=true)")],
    "silu": [(MATRIX, "silu")],
    "softplus": [(MATRIX, "softplus")],
    "flatten": [(IMAGE, "flatten")],
    "scaled_dot_product_attention": [
        (HEADS, "scaled_dot_product_attention(x + 1, x * 2, causal=true)"),
        (HEADS, "scaled_dot_product_attention(x + 1, x * 2, mask=x[:, :1] > -0.5)"),
    ],
    "conv1d": [
        (LINE_OF, "conv1d(6, 3, stride=2, padding=1, dilation=2, groups=2, bias=false)"),
        (LINE_OF, "conv1d(6, 3)"),
    ],
    "conv3d": [(SOLID, "conv3d(6, 3, stride=2, padding=1, dilation=2, groups=2, bias=false)"), (SOLID, "conv3d(6, 3)")],
    "conv_transpose1d": [
        (LINE_OF, "conv_transpose1d(4, 3, stride=2, padding=1, output_padding=1, bias=false)"),
        (LINE_OF, "conv_transpose1d(4, 3, stride=2)"),
    ],
    "conv_transpose3d": [
        (SOLID, "conv_transpose3d(4, 3, stride=2, padding=1, output_padding=1)"),
        (SOLID, "conv_transpose3d(4, 3, stride=2)"),
    ],
    "max_pool1d": [(LINE_OF, "max_pool1d(3, stride=2, padding=1)"), (LINE_OF, "max_pool1d(2)")],
    "max_pool3d": [(SOLID, "max_pool3d(3, stride=2, padding=1)"), (SOLID, "max_pool3d(2)")],
    "avg_pool1d": [(LINE_OF, "avg_pool1d(3, stride=2, padding=1)"), (LINE_OF, "avg_pool1d(2)")],
    "avg_pool3d": [(SOLID, "avg_pool3d(3, stride=2, padding=1)"), (SOLID, "avg_pool3d(2)")],
    "bilinear": [(MATRIX, "bilinear(5, right=x[:, :3] + 1)")],
    "rms_norm": [(SEQUENCE, "rms_norm(epsilon=0.1)"), (SEQUENCE, "rms_norm")],
    "group_norm": [(IMAGE, "group_norm(2, epsilon=0.1)"), (IMAGE, "group_norm(4, affine=false)")],
    "local_response_norm": [(IMAGE, "local_response_norm(3, alpha=0.5, beta=0.6, k=2.0)")],
    "celu": [(MATRIX, "celu(alpha=0.3)")],
    "hard_tanh": [(MATRIX, "hard_tanh(low=-0.3, high=0.5)"), (MATRIX, "hard_tanh")],
    "soft_shrink": [(MATRIX, "soft_shrink(threshold=0.2)")],
    "hard_shrink": [(MATRIX, "hard_shrink(threshold=0.2)")],
    "relu6": [(MATRIX, "relu6")],
    "selu": [(MATRIX, "selu")],
    "mish": [(MATRIX, "mish")],
    "softsign": [(MATRIX, "softsign")],
    "log_sigmoid": [(MATRIX, "log_sigmoid")],
    "hard_sigmoid": [(MATRIX, "hard_sigmoid")],
    "hard_swish": [(MATRIX, "hard_swish")],
    "tanh_shrink": [(MATRIX, "tanh_shrink")],
    "glu": [(SEQUENCE, "glu")],
    "prelu": [(IMAGE, "prelu"), (MATRIX, "prelu(shared=true)")],
    "instance_norm": [
        (IMAGE, "instance_norm(epsilon=0.1, affine=true)"),
        (IMAGE, "conv2d(3, 1) -> instance_norm(epsilon=0.1)"),
    ],
    "instance_norm1d": [(LINE_OF, "instance_norm(epsilon=0.1)")],
    "instance_norm3d": [(SOLID, "instance_norm(affine=true)")],
    "adaptive_avg_pool1d": [
        (LINE_OF, "adaptive_avg_pool1d(4)"),
        (LINE_OF, "conv1d(3, 1) -> adaptive_avg_pool1d(4) -> conv1d(2, 1)"),
    ],
    "adaptive_avg_pool2d": [
        (IMAGE, "adaptive_avg_pool2d(3, 5)"),
        (IMAGE, "conv2d(3, 1) -> adaptive_avg_pool2d(3, 5)"),
    ],
    "global_max_pool": [(IMAGE, "conv2d(3, 1) -> global_max_pool")],
    "global_max_pool1d": [(LINE_OF, "conv1d(3, 1) -> global_max_pool")],
    "global_max_pool3d": [(SOLID, "conv3d(3, 1) -> global_max_pool")],
    "lp_pool1d": [(LINE_OF, "lp_pool1d(4, 3, stride=2)")],
    "lp_pool2d": [(IMAGE, "lp_pool2d(4, 3)")],
    "l2_loss": [(MATRIX, "l2_loss(target=x * x)")],
    "l1_loss": [(MATRIX, "l1_loss(target=x * x)")],
    "huber_loss": [(MATRIX, "huber_loss(delta=0.5, target=x * x)")],
    "binary_cross_entropy": [(MATRIX, "binary_cross_entropy(target=float(x > 0))")],
}

#: Natives that `verify` does not run, and why.
NOT_RUN = dict.fromkeys(
    ("dropout", "channel_dropout", "channel_dropout1d", "channel_dropout3d"),
    "verify feeds the draws, which a framework's own layer can't take: the block's own code runs",
)

#: By backend and block: where the condition says no; the native must be seen to be wrong there.
OUTSIDE: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("torch", "conv1d"): [
        (LINE_OF, 'conv1d(6, 3, stride=2, padding="same")'),
        (LINE_OF, "conv1d(6, 3, padding=[[2, 1]])"),
    ],
    ("torch", "conv2d"): [
        (IMAGE, 'conv2d(6, 3, stride=2, padding="same")'),
        (IMAGE, "conv2d(6, 3, padding=[[2, 1], [0, 1]])"),
    ],
    ("torch", "conv3d"): [
        (SOLID, 'conv3d(6, 3, stride=2, padding="same")'),
        (SOLID, "conv3d(6, 3, padding=[[2, 1], [0, 1], [1, 1]])"),
    ],
    ("torch", "max_pool2d"): [(IMAGE, "max_pool2d(4, padding=3)")],
    ("torch", "avg_pool2d"): [(IMAGE, "avg_pool2d(4, padding=3)")],
    ("torch", "max_pool1d"): [(LINE_OF, "max_pool1d(4, padding=3)")],
    ("torch", "max_pool3d"): [(SOLID, "max_pool3d(4, padding=3)")],
    ("torch", "avg_pool1d"): [(LINE_OF, "avg_pool1d(4, padding=3)")],
    ("torch", "avg_pool3d"): [(SOLID, "avg_pool3d(4, padding=3)")],
    ("torch", "batch_norm"): [("float[N, 4, L]", "batch_norm"), (MATRIX, "batch_norm")],
    ("torch", "embedding"): [("int[N, T] in 0..7", "embedding(7, 5, padding=2)")],
    ("torch", "flatten"): [("float[N]", "flatten")],
    ("torch", "batch_norm1d"): [("float[N, 4, L, 3, 3]", "batch_norm")],
    ("torch", "batch_norm3d"): [("float[N, 4, L, 3, 3, 2]", "batch_norm")],
    # `causal` beside a mask (torch 2.13 refuses it, but for its fused kernel on the CPU, which needs one width for
    # queries and values), and more rows in the mask than in the query.
    ("torch", "scaled_dot_product_attention"): [
        (HEADS, "scaled_dot_product_attention(x + 1, x[:, :, :, :3] * 2, causal=true, mask=x[:, :1] > -0.5)"),
        (
            "float[N, 2, 1, 5]",
            "scaled_dot_product_attention(x + 1, x * 2, mask=transpose(x[:, :1, :, :3], [0, 1, 3, 2]) > 0)",
        ),
    ],
    ("torch", "instance_norm"): [(LINE_OF, "instance_norm"), (SOLID, "instance_norm")],
    ("torch", "instance_norm1d"): [(SOLID, "instance_norm")],
    ("torch", "instance_norm3d"): [("float[N, 4, 3, 3, 3, 2]", "instance_norm")],
    ("torch", "group_norm"): [("float[1, 4]", "group_norm(4)")],
    ("torch", "binary_cross_entropy"): [(MATRIX, "binary_cross_entropy(target=float(x[:, :1] > 0))")],
    ("tensorflow", "layer_norm"): [(IMAGE, "conv2d(3, 1) -> layer_norm -> conv2d(2, 1)")],
    ("tensorflow", "conv2d"): [
        (IMAGE, "conv2d(6, 3, groups=2, bias=false)"),
        (IMAGE, "conv2d(6, 3, dilation=2, bias=false)"),
    ],
    ("tensorflow", "conv_transpose2d"): [
        (IMAGE, "conv_transpose2d(3, 1, stride=2)"),
        (IMAGE, "conv_transpose2d(3, 3, stride=2, padding=1)"),
        (IMAGE, "conv_transpose2d(3, 4, stride=2, padding=1, output_padding=1)"),
    ],
    ("tensorflow", "instance_norm"): [(IMAGE, "instance_norm(affine=true)")],
    ("tensorflow", "adaptive_avg_pool1d"): [(LINE_OF, "adaptive_avg_pool1d(4)")],
    ("tensorflow", "adaptive_avg_pool2d"): [(IMAGE, "adaptive_avg_pool2d(3, 5)")],
    ("tensorflow", "batch_norm"): [("float[N, 4, 5]", "batch_norm")],
    ("tensorflow", "max_pool2d"): [(IMAGE, "max_pool2d(3, stride=2, padding=1)")],
    ("tensorflow", "max_pool2d_padded"): [(IMAGE, "max_pool2d(3, padding=1)")],
    ("tensorflow", "avg_pool2d"): [(IMAGE, "avg_pool2d(3, stride=2, padding=1)")],
    ("tensorflow", "rms_norm"): [(IMAGE, "conv2d(3, 1) -> rms_norm -> conv2d(2, 1)")],
    ("tensorflow", "conv1d"): [
        (LINE_OF, "conv1d(6, 3, groups=2, bias=false)"),
        (LINE_OF, "conv1d(6, 2, stride=2, dilation=2)"),
    ],
    ("tensorflow", "conv3d"): [
        (SOLID, "conv3d(6, 3, groups=2, bias=false)"),
        (SOLID, "conv3d(6, 2, stride=2, dilation=2)"),
    ],
    ("tensorflow", "conv_transpose1d"): [
        (LINE_OF, "conv_transpose1d(3, 1, stride=2)"),
        (LINE_OF, "conv_transpose1d(3, 3, stride=2, padding=1)"),
        (LINE_OF, "conv_transpose1d(3, 4, stride=2, padding=1, output_padding=1)"),
    ],
    ("tensorflow", "conv_transpose3d"): [
        (SOLID, "conv_transpose3d(3, 1, stride=2)"),
        (SOLID, "conv_transpose3d(3, 3, stride=2, padding=1)"),
        (SOLID, "conv_transpose3d(3, 4, stride=2, padding=1, output_padding=1)"),
    ],
    ("tensorflow", "max_pool1d"): [(LINE_OF, "max_pool1d(3, stride=2, padding=1)")],
    ("tensorflow", "max_pool3d"): [(SOLID, "max_pool3d(3, stride=2, padding=1)")],
    ("tensorflow", "avg_pool1d"): [(LINE_OF, "avg_pool1d(3, stride=2, padding=1)")],
    ("tensorflow", "avg_pool3d"): [(SOLID, "avg_pool3d(3, stride=2, padding=1)")],
    ("tensorflow", "hard_tanh"): [(MATRIX, "hard_tanh(low=-0.3)"), (MATRIX, "hard_tanh(high=0.3)")],
    ("tensorflow", "glu"): [
        ("float[N, 4, 8, 6]", "conv2d(4, 1) -> glu -> conv2d(2, 1)"),
        ("float[N, 2 * T]", "glu"),
    ],
    ("onnx", "dense"): [(SEQUENCE, "dense(4)")],
    ("onnx", "instance_norm"): [(IMAGE, "instance_norm")],
    ("onnx", "local_response_norm"): [(IMAGE, "local_response_norm(2, alpha=0.5)")],
    ("onnx", "lp_pool1d"): [(LINE_OF, "exp -> lp_pool1d(2.5, 3)")],
    ("onnx", "lp_pool2d"): [(IMAGE, "exp -> lp_pool2d(2.5, 3)")],
    ("onnx", "scaled_dot_product_attention"): [
        (HEADS, "scaled_dot_product_attention(x + 1, x * 2, mask=x[:, :1, :1] > -0.5)"),
    ],
    ("onnx", "group_norm"): [(IMAGE, "group_norm(2, affine=false)")],
    ("onnx", "batch_norm"): [(IMAGE, "batch_norm"), (IMAGE, "batch_norm(affine=false)")],
}

#: Conditions, or parts of them, that are stricter than exactness asks.
HARMLESS = {
    ("torch", "conv_transpose1d"): "the op's own type rule refuses what torch refuses",
    ("torch", "conv_transpose2d"): "the op's own type rule refuses what torch refuses",
    ("torch", "conv_transpose3d"): "the op's own type rule refuses what torch refuses",
    ("torch", "soft_shrink"): "the block's own range refuses what torch refuses",
    ("torch", "huber_loss"): "a delta of 0, which torch refuses, gives 0",
    ("tensorflow", "dense"): "a lone vector is right too, as Keras 3.15 happens to do it; other widths",
    ("tensorflow", "flatten"): "sizes that Keras 3.15 takes as they come in eager runs",
    ("tensorflow", "global_avg_pool"): "the mean of data in the spec's order, which `verify` asks for alone",
    ("tensorflow", "global_avg_pool1d"): "as that over images",
    ("tensorflow", "global_avg_pool3d"): "as that over images",
    **{
        (
            "tensorflow",
            f"global_max_pool{ending}",
        ): "the largest of data in the spec's order, which `verify` asks for alone"
        for ending in ("", "1d", "3d")
    },
    ("tensorflow", "leaky_relu"): "a slope of 32 bits in f64 alone",
    ("tensorflow", "embedding"): "other widths alone, which get a dtype",
}


def text(kind: str, expression: str) -> str:
    return f"network Net:\n    input x: {kind}\n    y = x -> {expression}\n    output y = y * 1.5 + 1\n"


def unit_of(folder: Path, kind: str, expression: str) -> Unit:
    """The network, elaborated."""
    path = folder / "native.dl"
    path.write_text(text(kind, expression), encoding="utf-8")
    return networks.elaborate(load_project(path)).unit
