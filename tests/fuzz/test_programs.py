"""Random well-typed programs mean on every backend what they mean to the oracle.

Some hundreds of cases per run; `make fuzz` goes on until one fails (`DLC_FUZZ` is the number of cases of each test). A
program that fails is shrunk, and written to `build/fuzz/`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlc.check_ir import check_program
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from dlc.spec.parser import parse
from dlc.spec.printer import print_spec
from dlc.spec.source import Source
from dlc.verify.compare import AGREES, INCONCLUSIVE
from dlc.verify.report import problem_text
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from hypothesis import HealthCheck, given, settings
from programs import programs

KEPT = Path(__file__).resolve().parents[2] / "build" / "fuzz"
CASES = int(os.environ.get("DLC_FUZZ", "0"))


def cases(number: int) -> settings:
    """The same programs each time in the suite; others each time in `make fuzz`."""
    return settings(
        max_examples=CASES or number,
        deadline=None,
        derandomize=not CASES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as warm:
        yield warm


def check(text: str, backends: list[str], chosen: Settings, workers: Workers) -> None:
    """Raises AssertionError with the program where a backend disagrees or fails; too much rounding is no fault."""
    unit = elaborate(load_project("fuzz.dl", text)).unit
    report = verify(unit, backends, chosen, workers)
    assert report.cases
    wrong = [problem_text(case) for case in report.cases if case.status not in (AGREES, INCONCLUSIVE)]
    if wrong:
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / f"{hashlib.sha256(text.encode()).hexdigest()[:8]}.dl"
        path.write_text(text, encoding="utf-8")
        raise AssertionError(f"{path}\n\n{text}\n" + "\n".join(wrong))


@cases(300)
@given(text=programs())
def test_elaborates_checks_and_prints(text: str) -> None:
    network = elaborate(load_project("fuzz.dl", text)).unit.networks[0]
    for program in (network.inference, network.training):
        check_program(program)
    printed = print_spec(parse(Source("fuzz.dl", text)))
    assert print_spec(parse(Source("fuzz.dl", printed))) == printed


@cases(60)
@given(text=programs())
def test_torch_and_onnx_agree(text: str, workers: Workers) -> None:
    check(text, ["torch", "onnx"], Settings(modes=("inference",), sizes=1), workers)


@cases(8)
@given(text=programs())
def test_tensorflow_agrees(text: str, workers: Workers) -> None:
    check(text, ["tensorflow"], Settings(modes=("inference",), sizes=1), workers)


@cases(8)
@given(text=programs())
def test_all_agree_in_training_and_without_natives(text: str, workers: Workers) -> None:
    check(text, ["torch", "tensorflow", "onnx"], Settings(modes=("training",), natives=(False,), sizes=1), workers)
