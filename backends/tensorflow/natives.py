"""Keras' own layers in place of standard blocks, each where it means exactly the block, its initial values included.

Not here: Dense and Conv2D with a bias (it starts uniform within the kernel's fan-in, which no Keras initialiser of a
vector can know), Embedding (its table may be read by name), BatchNormalization (it keeps the biased variance, torch and
the language the unbiased one), recurrent layers (`scan` runs cells).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, literal, quote
from dlc.ir import Module, Program, Read

#: Scale 1/3 of the fan-in, uniform: within 1 / sqrt(fan_in), as torch draws linear and convolution weights.
_UNIFORM = "keras.initializers.VarianceScaling(1 / 3, mode='fan_in', distribution='uniform')"


def natives_for(programs: Sequence[Program]) -> dict[str, Native]:
    """The natives that these programs may use: those whose parameters no module reads by name."""
    read = _read_blocks(programs)
    return {} if read is None else {name: native for name, native in NATIVES.items() if name not in read}


def _read_blocks(programs: Sequence[Program]) -> set[str] | None:
    """Names of blocks whose parameters are read from outside; None where that reaches deeper than one block."""
    found: set[str] = set()
    for module in (module for program in programs for module in program.modules):
        for equation in module.body:
            if isinstance(equation.target, Read):
                if "." in equation.target.parameter:
                    return None
                found.add(module.instances[equation.target.instance].block.name)
    return found


def _hyperparameter(module: Module, name: str) -> object:
    return dict(module.hyperparameters)[name].value


def _is_float(module: Module) -> bool:
    """Layers of another width than the family's would need a dtype of their own."""
    return all(module.types[port.value].dtype == "float" for port in module.inputs)


# --- dense ---------------------------------------------------------------------------------------------------------


def _dense_fits(module: Module) -> bool:
    """Without a bias; Keras' Dense wants a batch axis."""
    return _hyperparameter(module, "bias") is False and module.types[module.inputs[0].value].rank >= 2


def _dense(arguments: Arguments) -> ast.expr:
    return call(
        "keras.layers.Dense", arguments.code["units"], use_bias=literal(False), kernel_initializer=quote(_UNIFORM)
    )


# --- layer_norm ----------------------------------------------------------------------------------------------------


def _layer_norm_fits(module: Module) -> bool:
    """Over the axis that is last as the data lie; Keras wants a batch axis."""
    rank = module.types[module.inputs[0].value].rank
    axes = [equation.attribute("axis") for equation in module.body if equation.op in ("mean", "variance")]
    return rank >= 2 and all(axis in (rank - 1, (rank - 1,)) for axis in axes)


def _layer_norm(arguments: Arguments) -> ast.expr:
    return call("keras.layers.LayerNormalization", epsilon=arguments.code["epsilon"])


# --- conv2d --------------------------------------------------------------------------------------------------------


def _conv2d_fits(module: Module) -> bool:
    """Without a bias, groups or dilation (gradients of these need care, see `rules.convolution`)."""
    plain = _hyperparameter(module, "groups") == 1 and _hyperparameter(module, "dilation") == 1
    return plain and _hyperparameter(module, "bias") is False


def _conv2d(arguments: Arguments) -> ast.expr:
    strides = None if arguments.values["stride"] == 1 else arguments.code["stride"]
    return call(
        "keras.layers.Conv2D",
        arguments.code["filters"],
        arguments.code["kernel"],
        strides=strides,
        use_bias=literal(False),
        kernel_initializer=quote(_UNIFORM),
    )


def _apply_conv2d(given: Mapping[str, ast.expr], arguments: Arguments) -> ast.expr:
    """Keras' own padding is another one where strides are above 1."""
    if arguments.values["padding"] == 0:
        return quote("$layer($x)", layer=given["layer"], x=given["x"])
    return quote(
        "$layer(ops.pad($x, ((0, 0), ($p, $p), ($p, $p), (0, 0))))",
        layer=given["layer"],
        x=given["x"],
        p=arguments.code["padding"],
    )


NATIVES: dict[str, Native] = {
    "dense": Native("dense", lambda m: _is_float(m) and _dense_fits(m), (), ("units",), _dense),
    "layer_norm": Native("layer_norm", lambda m: _is_float(m) and _layer_norm_fits(m), (), ("epsilon",), _layer_norm),
    "conv2d": Native(
        "conv2d",
        lambda m: _is_float(m) and _conv2d_fits(m),
        (),
        ("filters", "kernel", "stride", "padding"),
        _conv2d,
        _apply_conv2d,
    ),
}
