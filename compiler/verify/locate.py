"""Finds the first equation whose result differs between a backend and the oracle.

From the entry down: all values of a module become outputs (`dlc.passes.tap`), the program is emitted and run again,
and the first value that differs is taken; where it comes from a call or a scan, the search goes on inside. Large
modules are tapped in batches. In a scan an error comes back through the states, so there the earliest time step counts
first, then the order of the equations. Where nothing differs any more inside a call, the call itself is the cause: its
native form is wrong, which a tapped block does not use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.ir import Bind, Call, Equation, Program, Scan
from dlc.passes.tap import Point, Tap, tap
from dlc.verify.compare import DISAGREES, Array, OutputReport, References, compare_output, wrong_elements
from dlc.verify.report import Cause

BATCH = 100  # values tapped at a time

#: Emits a program anew and gives its outputs on the backend.
Evaluate = Callable[[Program], Mapping[str, Array]]
#: Gives the references of a program, for the same inputs.
Refer = Callable[[Program], References]


@dataclass(frozen=True, slots=True)
class _Found:
    tap: Tap
    report: OutputReport
    time: tuple[int, ...] = ()  # the step of each scan around it, in the order of time


def locate(program: Program, evaluate: Evaluate, refer: Refer) -> Cause | None:
    """The cause of a disagreement, None where the values of the network's own body all agree once they are tapped."""
    chain: tuple[Point, ...] = ()
    key, found = program.entry, None
    while True:
        inner = _first_wrong(program, key, chain, evaluate, refer)
        if inner is None:
            break
        found, chain = inner, inner.tap.calls
        target = _equation(program, inner.tap.point).target
        if not isinstance(target, Call | Scan):
            return _cause(program, inner, inner.report.message)
        key = target.module
    if found is None:
        return None
    return _cause(program, found, "its native form differs; its own equations agree")


def _first_wrong(
    program: Program, key: str, chain: tuple[Point, ...], evaluate: Evaluate, refer: Refer
) -> _Found | None:
    """The first value of the module, reached by `chain`, that differs."""
    body = program.module(key).body
    points = [(key, index) for index, e in enumerate(body) if e.outputs and not isinstance(e.target, Bind)]
    wrong: list[_Found] = []
    for start in range(0, len(points), BATCH):
        tapped, taps = tap(program, points[start : start + BATCH])
        found, expected = evaluate(tapped), refer(tapped)
        for one in taps:
            if one.calls[:-1] != chain or one.output not in found:
                continue
            report = compare_output(one.output, found[one.output], expected)
            if report.verdict == DISAGREES:
                time = _time(program, chain, one.output, found[one.output], expected)
                wrong.append(_Found(one, report, time))
        if wrong and not wrong[0].time:
            break  # without a scan around it, the first in order is the first in time
    return min(wrong, key=lambda one: one.time, default=None)


def _time(
    program: Program, chain: tuple[Point, ...], name: str, found: Array, references: References
) -> tuple[int, ...]:
    """The steps, outermost scan first, at which a value first differs; () where no scan is around it."""
    import numpy as np

    scans = [target for point in chain if isinstance(target := _equation(program, point).target, Scan)]
    if not scans or found.shape != references.exact[name].shape:
        return (0,) * len(scans)
    wrong = wrong_elements(name, found, references)
    # A tap puts each scan's steps first, an outer scan's before an inner one's.
    by_step = wrong.reshape(*wrong.shape[: len(scans)], -1).any(axis=-1)
    for axis, scan in enumerate(scans):
        by_step = np.flip(by_step, axis) if scan.reverse else by_step
    return tuple(int(i) for i in np.argwhere(by_step)[0]) if by_step.any() else (0,) * len(scans)


def _equation(program: Program, point: Point) -> Equation:
    key, index = point
    return program.module(key).body[index]


def _cause(program: Program, found: _Found, message: str) -> Cause:
    path: list[str] = []
    caller = None
    for point in found.tap.calls[:-1]:
        equation = _equation(program, point)
        if isinstance(equation.target, Call | Scan):
            path.append(program.module(point[0]).instances[equation.target.instance].path)
        caller = equation.origin.span if not _standard(equation) else caller
    key, index = found.tap.point
    equation = program.module(key).body[index]
    op = equation.op
    if isinstance(equation.target, Call | Scan):
        op = f"{op} {program.module(key).instances[equation.target.instance].path}"
    caller = caller if _standard(equation) else None
    return Cause(key, index, op, equation.origin.span, tuple(path), message, caller)


def _standard(equation: Equation) -> bool:
    return equation.origin.span.file.startswith("std/")
