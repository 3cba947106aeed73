"""The references that backends are measured against: NumPy in float64, in the run's precision, and perturbed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from dlc.ir import Program
from dlc.verify.backends import find_backend
from dlc.verify.compare import EPS, Array, References

RUNS = 3  # of perturbed references


def references(
    program: Program,
    parameters: Mapping[str, Array],
    inputs: Mapping[str, Array],
    precision: str = "f32",
    seed: int = 0,
) -> References:
    """Runs the reference backend's interpreter five times. Raises DlcError where the inputs do not fit the program."""
    module: Any = import_module(find_backend("reference").interpreter)

    def run(**options: Any) -> Mapping[str, Array]:
        return module.Interpreter(program, parameters, **options).run(inputs)

    perturbed = tuple(
        run(exact=True, perturbation=module.Perturbation(seed + index, EPS[precision] / 2)) for index in range(RUNS)
    )
    return References(run(exact=True), run(precision=precision), perturbed, precision)
