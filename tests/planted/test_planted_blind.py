"""Faults that `verify` can't see, and why. When one is seen at last, its test fails: that is news."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dlc import networks
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from wrong_natives import TABLES, with_keyword
from wrong_rules import RULES


def native(backend: str, block: str, word: str, value: object) -> AbstractContextManager[Any]:
    return mock.patch.dict(TABLES[backend], {block: with_keyword(TABLES[backend][block], word, value)})


@dataclass(frozen=True)
class Fault:
    """`plant` makes torch wrong. `shown`: the same fault where it is seen, in another network or mode."""

    text: str
    plant: Callable[[], AbstractContextManager[Any]]
    why: str
    shown: str | None = None
    mode: str = "inference"


NET = "network Net:\n    input x: {kind}\n    output y = {code}\n"
FAULTS = {
    "an epsilon below rounding": Fault(
        NET.format(kind="float[N, 8]", code="layer_norm(x, epsilon=0.0000001)"),
        lambda: native("torch", "layer_norm", "eps", 1e-8),
        "beside a variance of 1 it moves the result by 5e-8, less than one rounding",
        NET.format(kind="float[N, 8]", code="layer_norm(x * 0.0001, epsilon=0.0000001)"),
    ),
    "a momentum at inference": Fault(
        NET.format(kind="float[N, 4, 5, 5]", code="batch_norm(x)"),
        lambda: native("torch", "batch_norm", "momentum", 0.7),
        "running statistics move in training alone; there it is seen",
    ),
    "a gradient that flows where it should stop": Fault(
        NET.format(kind="float[N, 8]", code="x * stop_gradient(tanh(x))"),
        lambda: mock.patch.dict(RULES["torch"], stop_gradient="$0"),
        "gradients are not compared yet",
    ),
}


def run(text: str, mode: str, folder: Path, workers: Workers) -> tuple[Case, ...]:
    path = folder / "net.dl"
    path.write_text(text, encoding="utf-8")
    unit = networks.elaborate(load_project(path)).unit
    return verify(unit, ["torch"], Settings(modes=(mode,), find_cause=False), workers).cases


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_is_not_seen(name: str, workers: Workers, tmp_path: Path) -> None:
    fault = FAULTS[name]
    with fault.plant():
        assert {case.status for case in run(fault.text, fault.mode, tmp_path, workers)} == {AGREES}, fault.why


@pytest.mark.parametrize("name", [name for name in FAULTS if FAULTS[name].shown])
def test_the_same_fault_where_it_is_seen(name: str, workers: Workers, tmp_path: Path) -> None:
    """So the fault is real, and the reason is the one that is given."""
    fault = FAULTS[name]
    assert fault.shown is not None
    for planted in (False, True):
        with fault.plant() if planted else ExitStack():
            found = {case.status for case in run(fault.shown, fault.mode, tmp_path, workers)}
        assert found == {DISAGREES if planted else AGREES}


def test_a_momentum_is_seen_in_training(workers: Workers, tmp_path: Path) -> None:
    fault = FAULTS["a momentum at inference"]
    with fault.plant():
        found = {case.status for case in run(fault.text, "training", tmp_path, workers)}
    assert found == {DISAGREES}
