"""Finds the first equation whose result differs between a backend and the oracle, and the stage that is at fault.

From the entry down: all values of a module become outputs (`dlc.passes.tap`), the program is emitted and run again,
and the first value that differs is taken; where it comes from a call or a scan, the search goes on inside. Large
modules are tapped in batches. In a scan an error comes back through the states, so there the earliest time step counts
first, then the order of the equations.

Where nothing differs any more inside a call, or what is tapped inside does not even run, the call itself is named.
Where nothing differs once everything is tapped, it is tried again with the last turn of each loop alone (a loop whose
turns are looked into is printed turn by turn); at last the equation that makes the wrong output is named. `stage` then
says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.ir import Bind, Call, Equation, Program, Scan, Turn
from dlc.passes.tap import Point, tap
from dlc.verify.compare import DISAGREES, Array, OutputReport, References, compare_output, wrong_elements
from dlc.verify.makers import maker
from dlc.verify.reading import with_parameters
from dlc.verify.report import Cause
from dlc.verify.stage import WEIGHTS, WORDS, Way, stage_of

BATCH = 100  # values tapped at a time

#: Emits a program anew, in a way, and gives its outputs on the backend.
Evaluate = Callable[[Program, Way], Mapping[str, Array]]
#: Gives the references of a program, for the same inputs.
Refer = Callable[[Program], References]


@dataclass(frozen=True, slots=True)
class _Found:
    """A value that differs: as which output of which program, and what led to it."""

    program: Program
    output: str
    calls: tuple[Point, ...]
    report: OutputReport
    time: tuple[int, ...] = ()  # the step of each scan around it, in the order of time


@dataclass(frozen=True, slots=True)
class _Search:
    program: Program
    evaluate: Evaluate
    refer: Refer


def locate(program: Program, outputs: Mapping[str, OutputReport], evaluate: Evaluate, refer: Refer) -> Cause | None:
    """The cause of a disagreement. `outputs`: the network's results that disagree.

    None where no value differs once it is tapped and no equation makes what does.
    """
    search = _Search(program, evaluate, refer)
    found = _deepest(search) or _after_loops(search) or _untapped(program, outputs)
    if found is None:
        return None
    equation = _equation(program, found.calls[-1])
    primitive = not isinstance(equation.target, Call | Scan) and found.program is not program

    def agrees(changed: Program, way: Way) -> bool:
        try:
            again = evaluate(changed, way)
            expected = refer(changed)
        except Exception:
            return False  # what does not run shows nothing
        return (
            found.output in again and compare_output(found.output, again[found.output], expected).verdict != DISAGREES
        )

    stage = WEIGHTS if primitive and _reads_wrongly(search, found) else stage_of(found.program, agrees, primitive)
    return _cause(program, found, stage)


def _reads_wrongly(search: _Search, found: _Found) -> bool:
    """Whether a parameter that the equation reads is not what the oracle has there."""
    reading, points = with_parameters(search.program, found.calls[-1])
    if not points:
        return False
    tapped, taps = tap(reading, points)
    try:
        values, expected = search.evaluate(tapped, Way()), search.refer(tapped)
    except Exception:
        return False
    here = [one.output for one in taps if one.calls[:-1] == found.calls[:-1]]
    return any(compare_output(name, values[name], expected).verdict == DISAGREES for name in here if name in values)


def _deepest(search: _Search) -> _Found | None:
    """The first value that differs, as deep inside calls as one does."""
    found = _first_wrong(search, search.program.entry, ())
    while found is not None:
        target = _equation(search.program, found.calls[-1]).target
        if not isinstance(target, Call | Scan):
            return found
        try:
            inner = _first_wrong(search, target.module, found.calls)
        except Exception:  # the backend refuses what is tapped inside
            return found
        if inner is None:
            return found
        found = inner
    return None


def _after_loops(search: _Search) -> _Found | None:
    """The first value of the network's own body that differs where no other turn than a loop's last is tapped."""
    entry = search.program.module(search.program.entry)
    last = {number: len(loop.values) - 1 for number, loop in enumerate(entry.loops)}

    def stays(equation: Equation) -> bool:
        turns = [frame for frame in equation.origin.frames if isinstance(frame, Turn)]
        return all(last.get(turn.loop, turn.index) == turn.index for turn in turns)

    if all(map(stays, entry.body)):
        return None  # there are no loops
    return _first_wrong(search, entry.key, (), stays)


def _untapped(program: Program, outputs: Mapping[str, OutputReport]) -> _Found | None:
    """A wrong result of the network itself, where all values agree once they are tapped."""
    for name, report in outputs.items():
        chain = maker(program, name)
        if chain:
            return _Found(program, name, chain, report)
    return None


def _first_wrong(
    search: _Search, key: str, chain: tuple[Point, ...], among: Callable[[Equation], bool] = bool
) -> _Found | None:
    """The first value of the module, reached by `chain`, that differs, of equations `among` which it is looked for."""
    program = search.program
    body = program.module(key).body
    points = [(key, index) for index, e in enumerate(body) if e.outputs and not isinstance(e.target, Bind) and among(e)]
    wrong: list[_Found] = []
    for start in range(0, len(points), BATCH):
        tapped, taps = tap(program, points[start : start + BATCH])
        found, expected = search.evaluate(tapped, Way()), search.refer(tapped)
        for one in taps:
            if one.calls[:-1] != chain or one.output not in found:
                continue
            report = compare_output(one.output, found[one.output], expected)
            if report.verdict == DISAGREES:
                time = _time(program, chain, one.output, found[one.output], expected)
                wrong.append(_Found(tapped, one.output, one.calls, report, time))
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


def _cause(program: Program, found: _Found, stage: str) -> Cause:
    path: list[str] = []
    caller = None
    for point in found.calls[:-1]:
        equation = _equation(program, point)
        if isinstance(equation.target, Call | Scan):
            path.append(program.module(point[0]).instances[equation.target.instance].path)
        caller = equation.origin.span if not _standard(equation) else caller
    key, index = found.calls[-1]
    equation = program.module(key).body[index]
    op = equation.op
    if isinstance(equation.target, Call | Scan):
        op = f"{op} {program.module(key).instances[equation.target.instance].path}"
    caller = caller if _standard(equation) else None
    message = "; ".join(filter(None, (found.report.message, WORDS[stage])))
    return Cause(key, index, op, equation.origin.span, tuple(path), message, caller, stage)


def _standard(equation: Equation) -> bool:
    return equation.origin.span.file.startswith("std/")
