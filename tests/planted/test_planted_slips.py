"""Slips in rules, planted in each backend: `verify` sees exactly the results that they change, and names the op's line.

Operands swapped, an attribute forgotten, the wrong axis, one too many or too few: `slips` derives them from the ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from unittest import mock

import pytest
from dlc.ops import OPS
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from planted_ops import GAPS, Branches, branches_of
from slips import Slip, planted_rule, samples, shown, slips
from wrong_rules import BACKENDS, RULES

SLIPS = {op: tuple(slips(OPS[op])) for op in OPS}
MOST = 2  # samples per slip

#: Slips that change nothing, since the rule does not read what they change.
UNREAD = {
    ("dimension", "size: one more"): "Python dialects write the number themselves, without the rule",
    ("dimension", "size: one less"): "Python dialects write the number themselves, without the rule",
}
#: By backend: slips that do not run at all, which nobody misses: data lie channels-last, kernels do not.
CRASHES = {
    "tensorflow": {("conv", "operands 0 and 1 swapped"), ("conv_transpose", "operands 0 and 1 swapped")},
}
#: By backend: ops whose slips hit more than their own branches: layouts transpose too; where ONNX solves by `Scan`, its
#: runner refuses every input that is empty.
ALONE = {"tensorflow": {"transpose"}, "onnx": {"solve"}}
#: Ops that neither slip nor swap makes another result of: what is wrong with them is planted in `test_planted_rules`.
WITHOUT = {
    "one operand and no attributes, or none that may change": """
        negative abs sign floor ceil round exp expm1 log log1p sqrt rsqrt square sin cos tan tanh sigmoid erf relu
        logical_not stop_gradient isnan isinf isfinite""",
    "operands may be swapped": """
        add multiply maximum minimum equal not_equal logical_and logical_or logical_xor""",
    "a change of an attribute changes the type of the result": """
        cast reshape broadcast_to expand_dims squeeze split tile repeat one_hot segment_count constant""",
    "nearly every row of random bools has both: no axis gives another result": """
        any all""",
    "operands of different kinds; a change of the count changes the shape": """
        segment_sum segment_mean segment_max segment_min segment_softmax""",
}


def test_every_op_slips_or_cannot() -> None:
    without = {op for ops in WITHOUT.values() for op in ops.split()}
    assert {op for op in OPS if not SLIPS[op]} == without


def rounds() -> list[tuple[Slip, ...]]:
    """Slips of different ops together: the first of each, the second of each, and so on."""
    return [tuple(filter(None, several)) for several in zip_longest(*SLIPS.values())]


def runs(slip: Slip, backend: str) -> bool:
    """Whether a backend's code with this slip is another, and runs."""
    place = (slip.op, slip.name)
    return (backend == "onnx" or place not in UNREAD) and place not in CRASHES.get(backend, ())


def net_of(several: Sequence[Slip], backend: str) -> tuple[Branches, dict[str, bool]]:
    """Branches that show the slips, and which outputs each changes."""
    chosen, changed = [], {}
    for slip in several:
        op = OPS[slip.op]
        gaps = GAPS.get(backend, {})
        showing = [(s, found) for s in samples(op) if (op.name, s.name) not in gaps and (found := shown(slip, s))]
        for sample, found in showing[:MOST]:
            chosen.append((op, sample))
            changed.update({f"y{len(chosen)}_{place}": one for place, one in enumerate(found)})
    return branches_of(chosen), changed


def verdict(backend: str, net: Branches, workers: Workers, several: Sequence[Slip]) -> Case:
    settings = Settings(modes=("inference",), inputs=net.inputs)
    with mock.patch.dict(RULES[backend], {slip.op: planted_rule(backend, slip) for slip in several}):
        (case,) = verify(net.unit, [backend], settings, workers).cases
    return case


PARAMETERS = [
    pytest.param(backend, number, marks=pytest.mark.slow if backend == "tensorflow" else [])
    for backend in BACKENDS
    for number in range(len(rounds()))
]


@pytest.mark.parametrize(("backend", "number"), PARAMETERS)
def test_slips_are_seen_where_they_show(backend: str, number: int, workers: Workers) -> None:
    several = [s for s in rounds()[number] if runs(s, backend) and s.op not in ALONE.get(backend, ())]
    net, changed = net_of(several, backend)
    case = verdict(backend, net, workers, several)
    assert case.status == DISAGREES, f"{case.message} {case.detail}"
    seen = {output.name: output.verdict != AGREES for output in case.outputs if output.name != "anchored"}
    wrong = {name: net.outputs[name] for name in seen if seen[name] != changed[name]}
    assert not wrong, f"{wrong} of {[(slip.op, slip.name) for slip in several]}"
    assert case.cause is not None, f"{case.message} {case.detail}"
    assert case.cause.op == net.lines[case.cause.span.line]
    assert case.cause.op in {slip.op for slip in several}


EACH = [(backend, op) for backend in BACKENDS for op in OPS if SLIPS[op]]


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "op"), EACH)
def test_each_slip_is_named(backend: str, op: str, workers: Workers) -> None:
    for slip in SLIPS[op]:
        if not runs(slip, backend):
            continue
        net, _ = net_of([slip], backend)
        case = verdict(backend, net, workers, [slip])
        assert case.status == DISAGREES, f"{slip.name}: {case.message} {case.detail}"
        assert case.cause is not None, f"{slip.name}: {case.message} {case.detail}"
        assert (case.cause.op, net.lines[case.cause.span.line]) == (op, op), f"{slip.name}: {case.cause}"
