"""Standard blocks that ONNX has an op for. Removable: with the table off, each block's own body is emitted.

An entry says when the op's meaning is exactly the block's, and writes the block's function with it. Not here, because
it was measured to differ: `Elu`, which computes exp(x) - 1 and loses a small x (error 2e-5 at 1e-3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.backends.onnx.graph import Attribute, Value
from dlc.backends.onnx.rules.contraction import conv_attributes, conv_transpose_attributes
from dlc.backends.onnx.scope import Scope
from dlc.ir import Module


@dataclass(frozen=True, slots=True)
class Native:
    """`when`: the condition on the module, besides 32-bit floats. `write`: the value of its one output."""

    when: Callable[[Module], bool]
    write: Callable[[Scope], Value]


def _always(module: Module) -> bool:
    return True


def _hyperparameter(module: Module, name: str) -> object:
    return dict(module.hyperparameters)[name].value


def _float(module: Module, name: str) -> float:
    value = _hyperparameter(module, name)
    assert isinstance(value, int | float)
    return float(value)


def _type_rank(module: Module, name: str) -> int:
    return next(module.types[port.value].rank for port in module.inputs if port.name == name)


def _weights(scope: Scope, *names: str) -> list[Value]:
    """Those of the parameters that the module has, in this order."""
    declared = {parameter.name for parameter in scope.module.parameters}
    return [scope.weight(name) for name in names if name in declared]


# --- activations -----------------------------------------------------------------------------------------------


def _leaky_relu(scope: Scope) -> Value:
    return scope.b("LeakyRelu", scope.ports["x"], alpha=_float(scope.module, "slope"))


def _gelu(scope: Scope) -> Value:
    form = "tanh" if _hyperparameter(scope.module, "approximate") else "none"
    return scope.b("Gelu", scope.ports["x"], approximate=form)


def _softplus(scope: Scope) -> Value:
    return scope.b("Softplus", scope.ports["x"])


# --- linear layers and convolutions ------------------------------------------------------------------------------


def _is_matrix(module: Module) -> bool:
    """`Gemm` takes matrices only."""
    return _type_rank(module, "x") == 2


def _dense(scope: Scope) -> Value:
    return scope.b("Gemm", scope.ports["x"], *_weights(scope, "weight", "bias"), transB=1)


def _convolution(op: str, primitive: str, attributes: Callable[[Mapping[str, object]], dict[str, Attribute]]) -> Native:
    """The block's own convolution with its bias as third input."""

    def write(scope: Scope) -> Value:
        equation = next(equation for equation in scope.module.body if equation.op == primitive)
        plain = {name: static.value for name, static in equation.attributes}
        given = [scope.ports["x"], *_weights(scope, "weight", "bias")]
        return scope.b.many(op, given, [op.lower()], attributes(plain))[0]

    return Native(_always, write)


# --- normalisation -----------------------------------------------------------------------------------------------


def _layer_norm(scope: Scope) -> Value:
    given = [scope.ports["x"], *_weights(scope, "weight", "bias")]
    return scope.b("LayerNormalization", *given, axis=-1, epsilon=_float(scope.module, "epsilon"))


def _has_fixed_statistics(module: Module) -> bool:
    """At inference, with a scale and a shift, which the op wants. In training it would keep the biased variance."""
    return not module.training and _hyperparameter(module, "affine") is True


def _batch_norm(scope: Scope) -> Value:
    given = [scope.ports["x"], *_weights(scope, "weight", "bias", "running_mean", "running_var")]
    return scope.b("BatchNormalization", *given, epsilon=_float(scope.module, "epsilon"))


#: By the standard block's file and name.
NATIVES: Mapping[tuple[str, str], Native] = {
    ("std/activation.dl", "leaky_relu"): Native(_always, _leaky_relu),
    ("std/activation.dl", "gelu"): Native(_always, _gelu),
    ("std/activation.dl", "softplus"): Native(_always, _softplus),
    ("std/linear.dl", "dense"): Native(_is_matrix, _dense),
    ("std/convolution.dl", "conv2d"): _convolution("Conv", "conv", conv_attributes),
    ("std/convolution.dl", "conv_transpose2d"): _convolution(
        "ConvTranspose", "conv_transpose", conv_transpose_attributes
    ),
    ("std/normalisation.dl", "layer_norm"): Native(_always, _layer_norm),
    ("std/normalisation.dl", "batch_norm"): Native(_has_fixed_statistics, _batch_norm),
}


def native_of(module: Module, precision: str) -> Callable[[Scope], list[Value]] | None:
    """How to write a module with ONNX's own op, or None. ONNX Runtime has most of these in 32 bits only."""
    native = NATIVES.get((module.block.file, module.block.name))
    if native is None or not _in_32_bits(module, precision) or not native.when(module):
        return None
    return lambda scope: [native.write(scope)]


def _in_32_bits(module: Module, precision: str) -> bool:
    dtypes = {module.types[port.value].dtype for port in (*module.inputs, *module.parameters)}
    return all(dtype == "f32" or (dtype == "float" and precision == "f32") for dtype in dtypes)
