"""The references that backends are measured against: NumPy in float64, in the run's precision, and perturbed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from dlc.diagnostics import error
from dlc.ir import INTS, Module, Program
from dlc.ops.api import OpError
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
    """Runs the reference backend's interpreter five times. `parameters` in float64 are not copied for each run.

    Raises DlcError where the inputs do not fit the program (E0810), or lead to something undefined (E0813).
    """
    module = _interpreter()

    def run(**options: Any) -> Mapping[str, Array]:
        try:
            return module.Interpreter(program, parameters, **options).run(inputs)
        except OpError as problem:
            message = f"`{program.network}` can't run on these inputs: {problem.message}"
            entry = program.module(program.entry)
            hint = _bounds_hint(entry)
            raise error(
                "E0813", message, entry.span, found=problem.found, expected=problem.expected, hint=hint
            ) from problem

    perturbed = tuple(
        run(exact=True, perturbation=module.Perturbation(seed + index, EPS[precision] / 2)) for index in range(RUNS)
    )
    return References(run(exact=True), run(precision=precision), perturbed, precision)


def _bounds_hint(entry: Module) -> str | None:
    """Made-up integers keep to the bounds that their input declares."""
    loose = [port for port in entry.inputs if port.bounds is None and entry.types[port.value].dtype in INTS]
    if not loose:
        return None
    name, kind = loose[0].name, entry.types[loose[0].value]
    return f"`{name}` has no bounds: declare them, `input {name}: {kind} in 0..size`, and made-up numbers keep to them"


def widened(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """The parameters with float64 for every float."""
    return {path: a.astype("float64") if a.dtype.kind == "f" else a for path, a in parameters.items()}


def sizes_of(program: Program, inputs: Mapping[str, Array]) -> dict[str, int]:
    """The sizes of the entry's dynamic dimensions for given inputs. Raises DlcError (E0810)."""
    shapes = {name: array.shape for name, array in inputs.items()}
    return _interpreter().solve_sizes(program.module(program.entry), shapes)


def _interpreter() -> Any:
    return import_module(find_backend("reference").interpreter)
