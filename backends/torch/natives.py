"""torch's own layers for standard blocks. With this table empty everything compiles and agrees all the same."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dlc.backends.common.native import Arguments, Native, Natives
from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import VARIES
from dlc.ir import Module


def _option(arguments: Arguments, word: str, default: object) -> ast.expr | None:
    """An argument's code, or None where it is torch's default."""
    value = arguments.values[word]
    same = value is not VARIES and type(value) is type(default) and value == default
    return None if same else arguments.code[word]


def _value(module: Module, word: str) -> object:
    return dict(module.hyperparameters)[word].value


def _rank(module: Module) -> int:
    return module.types[module.inputs[0].value].rank


def _always(module: Module) -> bool:
    return True


def _conv2d(a: Arguments) -> ast.expr:
    return call(
        "nn.Conv2d",
        a.code["C"],
        a.code["filters"],
        a.code["kernel"],
        stride=_option(a, "stride", 1),
        padding=_option(a, "padding", 0),
        dilation=_option(a, "dilation", 1),
        groups=_option(a, "groups", 1),
        bias=_option(a, "bias", True),
    )


def _conv_transpose2d(a: Arguments) -> ast.expr:
    return call(
        "nn.ConvTranspose2d",
        a.code["C"],
        a.code["filters"],
        a.code["kernel"],
        stride=_option(a, "stride", 1),
        padding=_option(a, "padding", 0),
        output_padding=_option(a, "output_padding", 0),
        bias=_option(a, "bias", True),
    )


def _dense(a: Arguments) -> ast.expr:
    return call("nn.Linear", a.code["I"], a.code["units"], bias=_option(a, "bias", True))


def _embedding(a: Arguments) -> ast.expr:
    return call("nn.Embedding", a.code["entries"], a.code["width"])


def _batch_norm(layer: str, ranks: tuple[int, ...]) -> Native:
    """torch has a class per rank; each refuses others."""

    def construct(a: Arguments) -> ast.expr:
        return call(
            layer,
            a.code["C"],
            eps=_option(a, "epsilon", 1e-5),
            momentum=_option(a, "momentum", 0.1),
            affine=_option(a, "affine", True),
        )

    hyperparameters = ("epsilon", "momentum", "affine")
    return Native("batch_norm", lambda module: _rank(module) in ranks, ("C",), hyperparameters, construct)


def _layer_norm(a: Arguments) -> ast.expr:
    return call("nn.LayerNorm", a.code["D"], eps=_option(a, "epsilon", 1e-5))


def _pool(name: str) -> Native:
    def construct(a: Arguments) -> ast.expr:
        stride = a.values["stride"]
        same = stride == 0 and stride is not VARIES
        return call(
            f"nn.{name}", a.code["kernel"], stride=None if same else a.code["stride"], padding=_option(a, "padding", 0)
        )

    block = {"MaxPool2d": "max_pool2d", "AvgPool2d": "avg_pool2d"}[name]
    return Native(block, _pool_fits, (), ("kernel", "stride", "padding"), construct)


def _pool_fits(module: Module) -> bool:
    """torch refuses padding above half the kernel; a stride of 0 must be told apart when the file is written."""
    padding, kernel = _value(module, "padding"), _value(module, "kernel")
    return isinstance(padding, int) and isinstance(kernel, int) and 2 * padding <= kernel


def _function(block: str, template: str, hyperparameters: tuple[str, ...] = (), fits: object = None) -> Native:
    def apply(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
        return quote(template, **operands, **a.code)

    return Native(block, _always, (), hyperparameters, None, apply)


def _leaky_relu(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    slope = _option(a, "slope", 0.01)
    return call("F.leaky_relu", operands["x"], negative_slope=slope)


def _elu(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    return call("F.elu", operands["x"], alpha=_option(a, "alpha", 1.0))


def _gelu(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    tanh = a.values["approximate"]
    if tanh is VARIES:
        return call("F.gelu", operands["x"], approximate=quote('"tanh" if $a else "none"', a=a.code["approximate"]))
    return call("F.gelu", operands["x"], approximate=literal("tanh") if tanh else None)


def _flatten(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    return call("torch.flatten", operands["x"], literal(1))


def _attention_fits(module: Module) -> bool:
    """No mask beside `causal`, and none that makes rows of its own (the block lets a mask of 5 rows meet 1 query).

    Found in torch 2.13 on the CPU (f16, bf16, f32, f64): a row that may attend to nothing gives 0 and finite gradients,
    `is_causal` is aligned at the top left where T and S differ, and an S of 0 gives 0: as the block says.
    """
    types = {port.name: module.types[port.value].shape for port in module.inputs}
    if "mask" not in types:
        return True
    return _value(module, "causal") is False and types["mask"][2] in (1, types["query"][2])


def _attention(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    given = [operands[word] for word in ("query", "key", "value")]
    causal = _option(a, "causal", False)
    return call("F.scaled_dot_product_attention", *given, attn_mask=operands.get("mask"), is_causal=causal)


_BATCH_NORMS = {
    "batch_norm": _batch_norm("nn.BatchNorm2d", (4,)),
    "batch_norm1d": _batch_norm("nn.BatchNorm1d", (2, 3)),
    "batch_norm3d": _batch_norm("nn.BatchNorm3d", (5,)),
}
NATIVES: Natives = _BATCH_NORMS | {
    native.block: native
    for native in (
        Native(
            "conv2d",
            _always,
            ("C",),
            ("filters", "kernel", "stride", "padding", "dilation", "groups", "bias"),
            _conv2d,
        ),
        Native(
            "conv_transpose2d",
            lambda module: _value(module, "output_padding") in range(0, max(1, int(str(_value(module, "stride"))))),
            ("C",),
            ("filters", "kernel", "stride", "padding", "output_padding", "bias"),
            _conv_transpose2d,
        ),
        Native("dense", _always, ("I",), ("units", "bias"), _dense),
        Native("embedding", _always, (), ("entries", "width"), _embedding),
        Native("layer_norm", _always, ("D",), ("epsilon",), _layer_norm),
        Native(
            "dropout",
            _always,
            (),
            ("p",),
            lambda a: call("nn.Dropout", *([] if _option(a, "p", 0.5) is None else [a.code["p"]])),
        ),
        _pool("MaxPool2d"),
        _pool("AvgPool2d"),
        Native("leaky_relu", _always, (), ("slope",), None, _leaky_relu),
        Native("elu", _always, (), ("alpha",), None, _elu),
        Native("gelu", _always, (), ("approximate",), None, _gelu),
        Native("scaled_dot_product_attention", _attention_fits, (), ("causal",), None, _attention),
        Native("flatten", lambda module: _rank(module) > 1, (), (), None, _flatten),
        _function("silu", "F.silu($x)"),
        _function("softplus", "F.softplus($x)"),
    )
}
