"""Initial values as Keras initialisers.

Fans are the canonical layout's (torch's): Keras counts them in its own, `[*K, I, O]`. A weight kept as a kernel has the
right ones, and a matrix has the two swapped; for others the scale is spelled out.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlc.backends.common import computed
from dlc.backends.common.form import Weight
from dlc.backends.common.quote import call, literal, quote
from dlc.diagnostics import error

if TYPE_CHECKING:
    from dlc.backends.tensorflow.making import Making

_PLAIN = {0: "zeros", 1: "ones"}


HALVES = ("float16", "bfloat16")


def initializer(weight: Weight, arguments: Sequence[ast.expr], making: Making) -> ast.expr:
    """The code of the initialiser. Raises DlcError (E0705) for a distribution that Keras cannot draw."""
    name = weight.initial.name
    if computed.is_computed(weight):
        return _computed(weight, making)
    values = [static.value for static in weight.initial.arguments]
    if name in ("zeros", "ones"):
        return literal(name)
    if name == "constant" and values and values[0] in _PLAIN and not isinstance(values[0], bool):
        return literal(_PLAIN[int(str(int(float(str(values[0])))))])
    if name in ("constant", "expression"):
        return call("keras.initializers.Constant", *arguments)
    if name in ("uniform", "normal", "truncated_normal"):
        function = {"uniform": "RandomUniform", "normal": "RandomNormal", "truncated_normal": "TruncatedNormal"}[name]
        defaults = [0.0, 1.0]
        given = [*arguments, *(literal(value) for value in defaults[len(arguments) :])]
        return call(f"keras.initializers.{function}", *given)
    if name == "orthogonal":
        drawn = call("keras.initializers.Orthogonal", *arguments)
        if making.shell.context.width(weight.dtype) not in HALVES:
            return drawn
        # TensorFlow factors no halves.
        return quote("lambda shape, dtype: ops.cast($drawn(shape), dtype)", drawn=drawn)
    return _scaled(weight, name, values, making)


def _computed(weight: Weight, making: Making) -> ast.expr:
    """`lambda shape, dtype: scaled_shift(self.gain)`: weights are made in the order of their declarations."""
    shell = making.shell
    folded, reads = computed.start(shell.folding, shell.folded, weight)
    kernels = [word for word in (weight.name, *reads) if shell.is_kernel(word)]
    if kernels:
        raise error(
            "E0705",
            f"`{weight.name}` is computed from parameters, which this backend does for no kernel",
            found=f"`{kernels[0]}`, the weight of a `{shell.form.block.name}`, kept in Keras' layout",
        )
    value = ast.Call(shell.function(folded), [shell.own(word) for word in reads], [])
    return quote("lambda shape, dtype: $value", value=value)


def _scaled(weight: Weight, name: str, values: Sequence[object], making: Making) -> ast.expr:
    gain = float(str(values[0])) if values else (math.sqrt(2.0) if name.startswith("kaiming") else 1.0)
    kind = "uniform" if name.endswith("uniform") else "untruncated_normal"
    if len(weight.shape) > 2 and not making.shell.is_kernel(weight.name):
        return _spelled_out(weight, gain**2, name, making)
    if name.startswith("xavier"):
        if gain == 1.0:
            return literal("glorot_uniform") if kind == "uniform" else _variance(1.0, "fan_avg", kind)
        return _variance(gain**2, "fan_avg", kind)
    if len(weight.shape) < 2:
        return _variance(gain**2, "fan_in", kind)
    if making.shell.is_kernel(weight.name):
        return _variance(gain**2, "fan_in", kind)
    # Of a matrix [out, in] Keras takes `out` for the fan-in.
    return _variance(gain**2, "fan_out", kind)


def _spelled_out(weight: Weight, variance: float, name: str, making: Making) -> ast.expr:
    """Of `[O, I, *K]`, kept as it is, Keras would take the wrong axes."""
    out, into, *window = [making.value(size) for size in weight.shape]
    reach = math.prod(code.value for code in window if isinstance(code, ast.Constant) and isinstance(code.value, int))
    others = [code for code in window if not isinstance(code, ast.Constant)]
    fan = quote("$i + $o", i=into, o=out) if name.startswith("xavier") else into
    for factor in [*others, *([literal(reach)] if reach != 1 else [])]:
        fan = quote("$a * $b", a=fan, b=factor)
    scale = variance * (2 if name.startswith("xavier") else 1) * (3 if name.endswith("uniform") else 1)
    reached = quote("math.sqrt($scale / ($fan))", scale=_number(scale), fan=fan)
    if name.endswith("uniform"):
        return quote("keras.initializers.RandomUniform(-$bound, $bound)", bound=reached)
    return quote("keras.initializers.RandomNormal(0.0, $deviation)", deviation=reached)


def _number(value: float) -> ast.expr:
    number = round(value, 12)
    return literal(int(number) if number == int(number) else number)


def _variance(scale: float, mode: str, distribution: str) -> ast.expr:
    return quote(
        "keras.initializers.VarianceScaling($scale, mode=$mode, distribution=$kind)",
        scale=_number(scale),
        mode=mode,
        kind=distribution,
    )
