"""Compares a backend's outputs with the oracle's.

- Floats: error = largest absolute difference / largest absolute oracle value of that output. The noise e is the larger
  of the error of the reference in the run's own precision and of the perturbed float64 runs. A backend agrees when its
  error is at most 8 max(e, 4 eps). Where e is above 1e-3, rounding alone moves the output too far to tell:
  inconclusive. That is the limit for f32 and f64; one rounding of a half type is of that size already, so there it is 4
  eps, the floor that the tolerance has anyway. So a tolerance is never above 0.8 % (f16: 3.1 %, bf16: 25 %). An output
  whose own type is a half is measured as one in any run.
- Where the oracle is 0 everywhere, anything but 0 is an infinite error.
- NaN and infinities must stand where the oracle's stand.
- Integers and booleans are equal, except where the perturbed runs themselves change; if more than 1 % change:
  inconclusive.
- Shapes and element types are equal, always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

AGREES, DISAGREES, INCONCLUSIVE = "agrees", "disagrees", "inconclusive"
FACTOR = 8.0
FLOOR = 4.0  # in eps
CHANGING_LIMIT = 0.01
FAINT = 1e-3
#: The distance from 1 to the next number.
EPS = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23, "f64": 2.0**-52}
#: The noise e above which a comparison tells nothing.
NOISE_LIMIT = {"f16": FLOOR * EPS["f16"], "bf16": FLOOR * EPS["bf16"], "f32": 1e-3, "f64": 1e-3}


@dataclass(frozen=True, slots=True)
class References:
    """What a network gives in exact arithmetic (nearly), in the run's precision, and when each result is perturbed."""

    exact: Mapping[str, Array]
    single: Mapping[str, Array]
    perturbed: tuple[Mapping[str, Array], ...]
    precision: str = "f32"


@dataclass(frozen=True, slots=True)
class OutputReport:
    """How one output compares. `error`, `noise` (e) and `tolerance` are relative to the oracle's largest value.

    For integers, `error` is the share of elements that differ, `noise` the share that perturbation changes.
    `where` is the index of the worst element.
    """

    name: str
    verdict: str
    error: float
    noise: float
    tolerance: float
    message: str = ""
    where: tuple[int, ...] | None = None


def compare(
    found: Mapping[str, Array], references: References, optional: frozenset[str] = frozenset()
) -> tuple[OutputReport, ...]:
    """One report per output of the oracle, then one per output that it lacks. `optional` outputs may be missing."""
    reports: list[OutputReport] = []
    for name in references.exact:
        if name in found:
            reports.append(compare_output(name, np.asarray(found[name]), references))
        elif name not in optional:
            reports.append(_wrong(name, "the backend gives no such output"))
    reports += [_wrong(name, "the network has no such output") for name in found if name not in references.exact]
    return tuple(reports)


def compare_output(name: str, found: Array, references: References) -> OutputReport:
    """The report of one output."""
    exact, single = np.asarray(references.exact[name]), np.asarray(references.single[name])
    perturbed = [np.asarray(run[name]) for run in references.perturbed]
    if found.shape != exact.shape:
        return _wrong(name, f"shape {list(found.shape)}, expected {list(exact.shape)}")
    if found.dtype != single.dtype:
        return _wrong(name, f"element type {found.dtype}, expected {single.dtype}")
    if single.dtype.kind in "iub":
        return _compare_integers(name, found, exact, perturbed)
    return _compare_floats(name, found, exact, [single, *perturbed], _coarser(references.precision, single.dtype.name))


def conclusive(references: References) -> bool:
    """Whether a backend can agree at all: on no output is the noise above the limit."""
    return all(report.verdict != INCONCLUSIVE for report in compare(references.single, references))


def faint(references: References) -> bool:
    """Whether some output is nothing but what large numbers leave of a gate: `sigmoid(-22)` is 3e-10, and ONNX
    Runtime's 0 is as good, as its error is small beside 1.
    """
    floats = [np.asarray(value) for value in references.exact.values() if np.asarray(value).dtype.kind == "f"]
    largest = [float(np.abs(value[np.isfinite(value)]).max(initial=0.0)) for value in floats]
    return any(0.0 < value < FAINT for value in largest)


def _coarser(precision: str, dtype: str) -> str:
    """The run's precision, or an output's own type (NumPy's name of it) where that is coarser."""
    own = {"float16": "f16", "bfloat16": "bf16"}.get(dtype, precision)
    return max(precision, own, key=lambda width: EPS[width])


def _compare_floats(name: str, found: Array, exact: Array, others: Sequence[Array], precision: str) -> OutputReport:
    noise = max(scaled_error(other, exact) for other in others)
    error = scaled_error(found, exact)
    tolerance = FACTOR * max(noise, FLOOR * EPS[precision])
    where = _worst(found, exact)
    if noise > NOISE_LIMIT[precision]:
        message = f"rounding alone moves this output by {noise:.1e} of its largest value"
        if noise == float("inf"):
            message = f"numbers of this output, or of those that lead to it, are beyond the range of {precision}"
        return OutputReport(name, INCONCLUSIVE, error, noise, tolerance, message, where)
    if error <= tolerance:
        return OutputReport(name, AGREES, error, noise, tolerance, "", where)
    if where is None:
        return OutputReport(name, DISAGREES, error, noise, tolerance)
    message = f"at {list(where)}: {found[where]:.6g}, expected {exact[where]:.6g}"
    return OutputReport(name, DISAGREES, error, noise, tolerance, message, where)


def _compare_integers(name: str, found: Array, exact: Array, perturbed: Sequence[Array]) -> OutputReport:
    changing = np.zeros(exact.shape, bool)
    for other in perturbed:
        changing |= other != exact
    wrong = (found != exact) & ~changing
    noise = float(changing.mean()) if changing.size else 0.0
    error = float(wrong.mean()) if wrong.size else 0.0
    if noise > CHANGING_LIMIT:
        message = f"rounding alone changes {noise:.1%} of the elements"
        return OutputReport(name, INCONCLUSIVE, error, noise, 0.0, message)
    if not wrong.any():
        return OutputReport(name, AGREES, error, noise, 0.0)
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    message = f"at {list(where)}: {found[where]}, expected {exact[where]}; {int(wrong.sum())} of {wrong.size} differ"
    return OutputReport(name, DISAGREES, error, noise, 0.0, message, where)


def wrong_elements(name: str, found: Array, references: References) -> Array:
    """True at each element of an output that disagrees for itself. `found` has the oracle's shape."""
    exact = np.asarray(references.exact[name])
    if exact.dtype.kind in "iub":
        changing = np.zeros(exact.shape, bool)
        for run in references.perturbed:
            changing |= np.asarray(run[name]) != exact
        return (found != exact) & ~changing
    report = compare_output(name, found, references)
    finite = np.isfinite(exact)
    largest = float(np.abs(exact[finite]).max()) if finite.any() else 0.0
    wide = found.astype(np.float64)
    same = (wide == exact) | (np.isnan(wide) & np.isnan(exact))
    with np.errstate(all="ignore"):
        near = np.abs(wide - exact) <= report.tolerance * largest
    return ~(same | (finite & near))


def scaled_error(found: Array, exact: Array) -> float:
    """Largest difference / largest value of `exact`; infinite where NaN or infinities stand elsewhere."""
    wide = found.astype(np.float64)
    finite = np.isfinite(exact)
    if not np.array_equal(wide[~finite], exact[~finite], equal_nan=True) or not np.isfinite(wide[finite]).all():
        return float("inf")
    if not finite.any():
        return 0.0
    difference = float(np.abs(wide[finite] - exact[finite]).max())
    if difference == 0.0:
        return 0.0
    largest = float(np.abs(exact[finite]).max())
    return difference / largest if largest > 0.0 else float("inf")


def _worst(found: Array, exact: Array) -> tuple[int, ...] | None:
    """The index of the largest difference; NaN and infinity where there should be none come first."""
    if not exact.size:
        return None
    wide = found.astype(np.float64)
    same = (wide == exact) | (np.isnan(wide) & np.isnan(exact))
    with np.errstate(all="ignore"):
        distance = np.where(same, 0.0, np.abs(wide - exact))
    distance = np.where(np.isnan(distance), np.inf, distance)
    return tuple(int(i) for i in np.unravel_index(int(distance.argmax()), exact.shape))


def _wrong(name: str, message: str) -> OutputReport:
    return OutputReport(name, DISAGREES, float("inf"), 0.0, 0.0, message)
