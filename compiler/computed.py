"""Values of parameters that start at an expression over earlier parameters of their block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlc.ir import FLOATS, Module
from dlc.ops import OPS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def evaluate(module: Module, inputs: Mapping[str, Array]) -> Array:
    """The one output of a module of ops (see `dlc.passes.computed`), in float64."""
    values: dict[int, Array] = {port.value: inputs[port.name] for port in module.inputs}
    for equation in module.body:
        attributes = {name: static.value for name, static in equation.attributes}
        if attributes.get("dtype") in FLOATS:
            attributes["dtype"] = "f64"
        operands = [values[value] for value in equation.inputs if value is not None]
        results = OPS[equation.op].evaluate(operands, {**attributes, "precision": "f64"})
        values.update(zip(equation.outputs, results, strict=True))
    return values[module.outputs[0].value]
