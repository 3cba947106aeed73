"""Each rule of each backend made wrong in turn: `verify` sees it and names the op's line."""

from __future__ import annotations

import pytest
from dlc.ops import FAMILIES, OPS
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from planted_ops import GAPS, Branches, branches
from wrong_rules import BACKENDS, RULES, planted

PAIRS = [(backend, op) for backend in BACKENDS for op in OPS]
SLOW = pytest.mark.slow


def verdict(backend: str, net: Branches, workers: Workers, find_cause: bool = True) -> Case:
    settings = Settings(modes=("inference",), inputs=net.inputs, find_cause=find_cause)
    (case,) = verify(net.unit, [backend], settings, workers).cases
    return case


def require_agreement(case: Case) -> None:
    wrong = [f"{output.name}: {output.message}" for output in case.outputs if output.verdict != AGREES]
    assert case.status == AGREES, f"{wrong} {case.message} {case.detail}"


def require_named(case: Case, net: Branches, op: str) -> None:
    """The case disagrees and names a line where the op stands."""
    assert case.status == DISAGREES, f"{case.status} {case.message} {case.detail}"
    assert case.cause is not None, f"no line is named: {case.message} {case.detail}"
    assert (case.cause.op, net.lines[case.cause.span.line]) == (op, op)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_table_has_every_op(backend: str) -> None:
    assert set(RULES[backend]) == set(OPS)


@pytest.mark.parametrize(("backend", "op"), [pair for pair in PAIRS if pair[0] != "tensorflow"])
def test_a_wrong_rule_is_named(backend: str, op: str, workers: Workers) -> None:
    net = branches([op], backend, most=2)
    require_agreement(verdict(backend, net, workers))
    with planted(backend, op):
        case = verdict(backend, net, workers)
    require_named(case, net, op)


def together(family: str) -> list[str]:
    """The ops of a family; `stop_gradient`, through which each branch goes, is wrong beside floats alone: a bool that
    is turned twice is right.
    """
    ops = [op.name for op in FAMILIES[family] if op.name != "stop_gradient"]
    return [*ops, "stop_gradient"] if family == "convolution" else ops


@pytest.mark.parametrize("family", FAMILIES)
def test_wrong_rules_of_a_family_are_all_seen(family: str, workers: Workers) -> None:
    """A Keras model takes a while to make, so a family's faults are planted together, each in branches of its own."""
    ops = together(family)
    net = branches(ops, "tensorflow", most=1)
    require_agreement(verdict("tensorflow", net, workers))
    with planted("tensorflow", *ops):
        case = verdict("tensorflow", net, workers)
    assert case.cause is not None, f"{case.status} {case.message} {case.detail}"
    assert net.lines[case.cause.span.line] in ops
    seen = {net.outputs[output.name] for output in case.outputs if output.verdict == DISAGREES}
    assert seen == set(ops)


@SLOW
@pytest.mark.parametrize(("backend", "op"), PAIRS)
def test_a_wrong_rule_is_named_among_all_samples(backend: str, op: str, workers: Workers) -> None:
    net = branches([op], backend)
    require_agreement(verdict(backend, net, workers))
    with planted(backend, op):
        case = verdict(backend, net, workers)
    require_named(case, net, op)


@pytest.mark.parametrize(("backend", "op", "sample"), [(b, *key) for b, gaps in GAPS.items() for key in gaps])
def test_gaps_are_gaps(backend: str, op: str, sample: str, workers: Workers) -> None:
    """What is left out above is seen to be wrong by itself."""
    net = branches([op], only=(sample,))
    assert verdict(backend, net, workers, find_cause=False).status != AGREES
