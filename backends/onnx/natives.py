"""Standard blocks that ONNX has an op for. Removable: with the tables off, each block's own body is emitted.

`NATIVES` stand where the block is called, `RECURRENT` where a scan runs it. An entry says, as conditions that must all
hold, when the op's meaning is exactly the block's. Not here, because it was measured to differ: `Elu`, which computes
exp(x) - 1 and loses a small x (error 2e-5 at 1e-3). Nor `RotaryEmbedding`, which wants the sines and cosines that the
block computes, once per example: more nodes than it saves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlc.backends.onnx.graph import Attribute, Builder, Value
from dlc.backends.onnx.rules.contraction import conv_attributes, conv_transpose_attributes
from dlc.backends.onnx.rules.pooling import avg_pool_attributes
from dlc.ir import Module, Scan


@dataclass(frozen=True, slots=True)
class Native:
    """`when`: conditions on the module, besides 32-bit floats.

    `op` takes those of `inputs` and `weights`, in this order, that the module has. It gives the block's one output.
    """

    op: str
    weights: tuple[str, ...] = ()
    attributes: Callable[[Module], Mapping[str, Attribute]] = lambda module: {}
    when: tuple[Callable[[Module], bool], ...] = ()
    inputs: tuple[str, ...] = ("x",)

    def call(self, b: Builder, module: Module, given: Mapping[str, Value], hint: str, name: str) -> Value:
        """`given`: the inputs and the weights by name."""
        inputs = [given[key] for key in (*self.inputs, *self.weights) if key in given]
        return b.many(self.op, inputs, [hint], self.attributes(module), name=name)[0]


@dataclass(frozen=True, slots=True)
class Recurrent:
    """ONNX's op for a scan over a cell. `gates`: of each of the op's gates, its place among the cell's own.

    The weights are paths below the cell. `recurrent_bias` is the one of the op's last gate, in cells that have it; the
    op's others are 0. `when`: conditions on the scan, besides 32-bit floats.
    """

    op: str
    gates: tuple[int, ...]
    input_weight: str = "dense.weight"
    state_weight: str = "dense_2.weight"
    bias: str = "dense.bias"
    recurrent_bias: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    when: tuple[Callable[[Scan], bool], ...] = ()


def _hyperparameter(module: Module, name: str) -> Any:
    return dict(module.hyperparameters)[name].value


def _epsilon(module: Module) -> Mapping[str, Attribute]:
    return {"epsilon": float(_hyperparameter(module, "epsilon"))}


def _groups(module: Module) -> Mapping[str, Attribute]:
    return {**_epsilon(module), "num_groups": int(_hyperparameter(module, "groups"))}


def _slope(module: Module) -> Mapping[str, Attribute]:
    return {"alpha": float(_hyperparameter(module, "slope"))}


def _gelu_form(module: Module) -> Mapping[str, Attribute]:
    return {"approximate": "tanh"} if _hyperparameter(module, "approximate") else {}


def _is_causal(module: Module) -> Mapping[str, Attribute]:
    return {"is_causal": 1} if _hyperparameter(module, "causal") else {}


def _soft(module: Module) -> Mapping[str, Attribute]:
    threshold = float(_hyperparameter(module, "threshold"))
    return {"lambd": threshold, "bias": threshold}


def _hard(module: Module) -> Mapping[str, Attribute]:
    return {"lambd": float(_hyperparameter(module, "threshold"))}


def _around(module: Module) -> Mapping[str, Attribute]:
    names = {"alpha": "alpha", "beta": "beta", "k": "bias"}
    numbers = {word: float(_hyperparameter(module, name)) for name, word in names.items()}
    return {"size": int(_hyperparameter(module, "size")), **numbers}


def _power(module: Module) -> Mapping[str, Attribute]:
    windows = _of_primitive("avg_pool", avg_pool_attributes)(module)
    sizes = {key: windows[key] for key in ("kernel_shape", "strides") if key in windows}
    return {"p": int(_hyperparameter(module, "p")), **sizes}


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


def _at_inference(module: Module) -> bool:
    """In training `BatchNormalization` would keep the biased variance."""
    return not module.training


def _is_affine(module: Module) -> bool:
    """`BatchNormalization`, `GroupNormalization` and `InstanceNormalization` want a scale and a shift."""
    return _hyperparameter(module, "affine") is True


def _mask_has_each_query(module: Module) -> bool:
    """`Attention` takes no mask of one row for all queries (ONNX Runtime 1.31)."""
    shapes = {port.name: module.types[port.value].shape for port in module.inputs}
    return "mask" not in shapes or shapes["mask"][2] == shapes["query"][2]


def _is_odd(module: Module) -> bool:
    """`LRN` has its longer half after the channel, torch before it."""
    return int(_hyperparameter(module, "size")) % 2 == 1


def _is_even_power(module: Module) -> bool:
    """`LpPool` takes the power of |x|, and a whole number."""
    return float(_hyperparameter(module, "p")) in range(2, 1000, 2)


def _scans_x(target: Scan) -> bool:
    """The op has one input per step; a cell may also see the same one at each."""
    return [lane.name for lane in target.scanned] == ["x"]


_AFFINE = ("weight", "bias")
_CONV = Native("Conv", _AFFINE, _of_primitive("conv", conv_attributes))
_CONV_TRANSPOSE = Native("ConvTranspose", _AFFINE, _of_primitive("conv_transpose", conv_transpose_attributes))
_AVG_POOL = Native("AveragePool", (), _of_primitive("avg_pool", avg_pool_attributes))

#: By the standard block's file and name.
NATIVES: Mapping[tuple[str, str], Native] = {
    ("std/activation.dl", "leaky_relu"): Native("LeakyRelu", (), _slope),
    ("std/activation.dl", "gelu"): Native("Gelu", (), _gelu_form),
    ("std/activation.dl", "softplus"): Native("Softplus"),
    ("std/activation.dl", "mish"): Native("Mish"),
    ("std/activation.dl", "softsign"): Native("Softsign"),
    ("std/activation.dl", "hard_sigmoid"): Native("HardSigmoid", (), lambda module: {"alpha": 1 / 6}),
    ("std/activation.dl", "hard_swish"): Native("HardSwish"),
    ("std/activation.dl", "soft_shrink"): Native("Shrink", (), _soft),
    ("std/activation.dl", "hard_shrink"): Native("Shrink", (), _hard),
    ("std/attention.dl", "scaled_dot_product_attention"): Native(
        "Attention", (), _is_causal, (_mask_has_each_query,), ("query", "key", "value", "mask")
    ),
    ("std/shape.dl", "flatten"): Native("Flatten"),
    ("std/linear.dl", "dense"): Native("Gemm", _AFFINE, lambda module: {"transB": 1}, (_of_matrix,)),
    **{("std/convolution.dl", name): _CONV for name in ("conv1d", "conv2d", "conv3d")},
    **{
        ("std/convolution.dl", name): _CONV_TRANSPOSE
        for name in ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
    },
    **{("std/pooling.dl", name): _AVG_POOL for name in ("avg_pool1d", "avg_pool2d", "avg_pool3d")},
    **{
        ("std/pooling.dl", name): Native("LpPool", (), _power, (_is_even_power,)) for name in ("lp_pool1d", "lp_pool2d")
    },
    ("std/normalisation.dl", "layer_norm"): Native("LayerNormalization", _AFFINE, _epsilon),
    ("std/normalisation.dl", "batch_norm"): Native(
        "BatchNormalization", (*_AFFINE, "running_mean", "running_var"), _epsilon, (_at_inference, _is_affine)
    ),
    ("std/normalisation.dl", "group_norm"): Native("GroupNormalization", _AFFINE, _groups, (_is_affine,)),
    ("std/normalisation.dl", "instance_norm"): Native("InstanceNormalization", _AFFINE, _epsilon, (_is_affine,)),
    ("std/normalisation.dl", "local_response_norm"): Native("LRN", (), _around, (_is_odd,)),
    ("std/normalisation.dl", "rms_norm"): Native("RMSNormalization", ("weight",), _epsilon),
}

#: By the standard cell's file and name.
RECURRENT: Mapping[tuple[str, str], Recurrent] = {
    ("std/recurrence.dl", "rnn_cell"): Recurrent("RNN", (0,), when=(_scans_x,)),
    # i, f, g, o here; i, o, f, c in ONNX
    ("std/recurrence.dl", "lstm_cell"): Recurrent("LSTM", (0, 3, 1, 2), when=(_scans_x,)),
    # r, z, n here; z, r, h in ONNX; the reset after the product, with its bias
    ("std/recurrence.dl", "gru_cell"): Recurrent(
        "GRU",
        (1, 0, 2),
        recurrent_bias="recurrent_bias",
        attributes={"linear_before_reset": 1},
        when=(_scans_x,),
    ),
}


def native_of(module: Module, precision: str) -> Native | None:
    """ONNX's own op for a module, or None. ONNX Runtime has most of these in 32 bits only."""
    native = None if module.part else NATIVES.get((module.block.file, module.block.name))
    fits = native is not None and in_32_bits(module, precision) and all(holds(module) for holds in native.when)
    return native if fits else None


def recurrent_of(module: Module, target: Scan, precision: str) -> Recurrent | None:
    """ONNX's own op for a scan over a module, or None."""
    native = None if module.part else RECURRENT.get((module.block.file, module.block.name))
    fits = native is not None and in_32_bits(module, precision) and all(holds(target) for holds in native.when)
    return native if fits else None


def in_32_bits(module: Module, precision: str) -> bool:
    """All inputs and weights but masks."""
    dtypes = {module.types[port.value].dtype for port in (*module.inputs, *module.parameters)} - {"bool"}
    return all(dtype == "f32" or (dtype == "float" and precision == "f32") for dtype in dtypes)
