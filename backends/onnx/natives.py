"""Standard blocks that ONNX has an op for. Removable: with the table off, each block's own body is emitted.

An entry says when the op's meaning is exactly the block's; the op then stands where the block is called. Not here,
because it was measured to differ: `Elu`, which computes exp(x) - 1 and loses a small x (error 2e-5 at 1e-3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.rules.contraction import conv_attributes, conv_transpose_attributes
from dlc.backends.onnx.rules.pooling import avg_pool_attributes
from dlc.ir import Module


@dataclass(frozen=True, slots=True)
class Native:
    """`when`: the condition on the module, besides 32-bit floats.

    `op` takes the block's input `x`, then those of `weights` that the module has. It gives the block's one output.
    """

    op: str
    weights: tuple[str, ...] = ()
    attributes: Callable[[Module], Mapping[str, Attribute]] = lambda module: {}
    when: Callable[[Module], bool] = lambda module: True

    def call(self, b: Builder, module: Module, given: Mapping[str, Value], hint: str, name: str) -> Value:
        """`given`: the input and the weights by name."""
        inputs = [given[key] for key in ("x", *self.weights) if key in given]
        return b.many(self.op, inputs, [hint], self.attributes(module), name=name)[0]


def _hyperparameter(module: Module, name: str) -> Any:
    return dict(module.hyperparameters)[name].value


def _epsilon(module: Module) -> Mapping[str, Attribute]:
    return {"epsilon": float(_hyperparameter(module, "epsilon"))}


def _slope(module: Module) -> Mapping[str, Attribute]:
    return {"alpha": float(_hyperparameter(module, "slope"))}


def _gelu_form(module: Module) -> Mapping[str, Attribute]:
    return {"approximate": "tanh"} if _hyperparameter(module, "approximate") else {}


def _of_primitive(
    op: str, attributes: Callable[[Mapping[str, Any]], Mapping[str, Attribute]]
) -> Callable[[Module], Mapping[str, Attribute]]:
    """The attributes of the one `op` in the block's body."""

    def found(module: Module) -> Mapping[str, Attribute]:
        equation = next(equation for equation in module.body if equation.op == op)
        return attributes({name: static.value for name, static in equation.attributes})

    return found


def _of_matrix(module: Module) -> bool:
    """`Gemm` takes matrices only."""
    return next(module.types[port.value].rank for port in module.inputs if port.name == "x") == 2


def _has_fixed_statistics(module: Module) -> bool:
    """At inference, with a scale and a shift, which the op wants. In training it would keep the biased variance."""
    return not module.training and _hyperparameter(module, "affine") is True


_AFFINE = ("weight", "bias")

#: By the standard block's file and name.
NATIVES: Mapping[tuple[str, str], Native] = {
    ("std/activation.dl", "leaky_relu"): Native("LeakyRelu", (), _slope),
    ("std/activation.dl", "gelu"): Native("Gelu", (), _gelu_form),
    ("std/activation.dl", "softplus"): Native("Softplus"),
    ("std/linear.dl", "dense"): Native("Gemm", _AFFINE, lambda module: {"transB": 1}, _of_matrix),
    ("std/convolution.dl", "conv2d"): Native("Conv", _AFFINE, _of_primitive("conv", conv_attributes)),
    ("std/convolution.dl", "conv_transpose2d"): Native(
        "ConvTranspose", _AFFINE, _of_primitive("conv_transpose", conv_transpose_attributes)
    ),
    ("std/pooling.dl", "avg_pool2d"): Native("AveragePool", (), _of_primitive("avg_pool", avg_pool_attributes)),
    ("std/normalisation.dl", "layer_norm"): Native("LayerNormalization", _AFFINE, _epsilon),
    ("std/normalisation.dl", "batch_norm"): Native(
        "BatchNormalization", (*_AFFINE, "running_mean", "running_var"), _epsilon, _has_fixed_statistics
    ),
}


def native_of(module: Module, precision: str) -> Native | None:
    """ONNX's own op for a module, or None. ONNX Runtime has most of these in 32 bits only."""
    native = NATIVES.get((module.block.file, module.block.name))
    return native if native is not None and in_32_bits(module, precision) and native.when(module) else None


def in_32_bits(module: Module, precision: str) -> bool:
    dtypes = {module.types[port.value].dtype for port in (*module.inputs, *module.parameters)}
    return all(dtype == "f32" or (dtype == "float" and precision == "f32") for dtype in dtypes)
