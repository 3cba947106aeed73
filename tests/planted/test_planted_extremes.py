"""What only shows at an edge: sizes of 1, large numbers, equals, zeros, halves, wide integers.

Each fault is a rule of torch that a careless hand may write. `verify` sees it, and names its line, in the run at the
edge alone: on normal numbers, at sizes of 2 and more, all of these are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from dlc import networks
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from wrong_rules import RULES


@dataclass(frozen=True)
class Fault:
    """A network of one line, and the rule of `op` as it is planted."""

    kind: str
    code: str
    op: str
    rule: str


ROWS = "float[N, 8]"
FAULTS = {
    "a logarithm of exponentials that overflow": Fault(
        ROWS, "logsumexp(x, axis=1)", "logsumexp", "torch.log(torch.exp($0).sum(dim=$axis, keepdim=$keepdims))"
    ),
    "a softmax of exponentials that overflow": Fault(
        ROWS, "softmax(x, axis=1)", "softmax", "torch.exp($0) / torch.exp($0).sum(dim=$axis, keepdim=True)"
    ),
    "a hyperbolic tangent of exponentials": Fault(
        ROWS, "tanh(x)", "tanh", "(torch.exp(2 * $0) - 1) / (torch.exp(2 * $0) + 1)"
    ),
    "a tie that goes to the last": Fault(
        ROWS, "argmax(x, axis=1)", "argmax", "$0.shape[$axis] - 1 - torch.argmax($0.flip($axis), dim=$axis)"
    ),
    "equal counted as greater": Fault(ROWS, "x > 0", "greater", "$0 >= $1"),
    "a sign that is never 0": Fault(ROWS, "sign(x)", "sign", "torch.where($0 < 0, -1.0, 1.0)"),
    "halves rounded away from even": Fault(ROWS, "round(x)", "round", "torch.floor($0 + 0.5)"),
    "every axis of size 1 squeezed": Fault("float[N, 1, 8]", "squeeze(x, axis=1)", "squeeze", "torch.squeeze($0)"),
    "a batch of one taken for a row": Fault(ROWS, "x + arange(8)", "add", "torch.squeeze($0) + $1"),
    "integers of 32 bits": Fault("int[N, 8]", "x + x", "add", "($0.int() + $1.int()).long()"),
    "integers by way of floats": Fault("int[N, 8]", "x + 1", "add", "($0.float() + $1).long()"),
}


def run(fault: Fault, folder: Path, workers: Workers) -> tuple[Case, Case]:
    path = folder / "net.dl"
    path.write_text(f"network Net:\n    input x: {fault.kind}\n    output y = {fault.code}\n", encoding="utf-8")
    unit = networks.elaborate(load_project(path)).unit
    plain, edge = verify(unit, ["torch"], Settings(modes=("inference",)), workers).cases
    return plain, edge


@pytest.mark.parametrize("name", FAULTS)
def test_it_shows_at_the_edge(name: str, workers: Workers, tmp_path: Path) -> None:
    fault = FAULTS[name]
    plain, edge = run(fault, tmp_path, workers)
    assert (plain.status, edge.status) == (AGREES, AGREES), f"{edge.message} {edge.detail}"
    with mock.patch.dict(RULES["torch"], {fault.op: fault.rule}):
        plain, edge = run(fault, tmp_path, workers)
    assert plain.status == AGREES
    assert edge.status == DISAGREES, f"{edge.message} {edge.detail}"
    assert edge.cause is not None
    assert (edge.cause.op, edge.cause.span.line) == (fault.op, 3)
