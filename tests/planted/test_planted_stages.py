"""A fault in each stage of a backend: `verify` names the line, and the stage."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.backends.common.loops import Loops
from dlc.backends.common.quote import quote
from dlc.backends.tensorflow import relayout
from dlc.passes.resolve import load_project
from dlc.verify.backends import find_backend
from dlc.verify.report import AGREES, DISAGREES, Case, Cause
from dlc.verify.run import Settings, verify
from dlc.verify.stage import FOLDING, LAYOUT, NATIVE, RULE, WEIGHTS, WORDS
from dlc.verify.workers import Workers
from test_planted_structure import Mutating, wrong_instances
from wrong_natives import TABLES, shifted, with_keyword
from wrong_rules import RULES

TEXT = """block step(scale: float):
    input x: float[N, 6]
    output tanh(x * scale) + (x -> dense(6))

block pair:
    input x: float[N, 6]
    first = dense(6)
    second = dense(6)
    output first(x) * relu(second(x))

block normed:
    input x: float[N, C, H, W]
    output batch_norm(x) -> relu

network Net:
    input x: float[N, 6]
    input image: float[N, 4, 4, 4]
    for scale in [0.5, 2.0, 3.0]:
        x = x -> step(scale)
    z = normed(image)
    joined = concat([conv2d(4, 3, padding=1, bias=false)(z), z], axis=1)[:, 2:6] -> conv2d(4, 3, padding=1)
    output y = x * 2
    output last = pair(x)
    output flat = flatten(joined)
"""


def reversed_loops(right: Callable[..., tuple[ast.expr, ast.expr]]) -> Any:
    """Loops over layers begin with the last."""

    def header(self: Any, frame: Any) -> tuple[ast.expr, ast.expr]:
        target, iterable = right(self, frame)
        return target, quote("$x[::-1]", x=iterable)

    return header


def unrenamed(equation: Any, rank: int) -> Any:
    return equation.attributes


def natives(backend: str, block: str, change: Callable[[Any], Any]) -> AbstractContextManager[Any]:
    return mock.patch.dict(TABLES[backend], {block: change(TABLES[backend][block])})


@dataclass(frozen=True)
class Fault:
    """`plant` makes the backend wrong meanwhile; `line` is how the line begins that must be named."""

    stage: str
    backend: str
    plant: Callable[[], AbstractContextManager[Any]]
    line: str
    mode: str = "inference"


FAULTS = {
    "torch: tanh is sigmoid": Fault(
        RULE, "torch", lambda: mock.patch.dict(RULES["torch"], tanh="torch.sigmoid($0)"), "output tanh("
    ),
    "onnx: tanh is sigmoid": Fault(
        RULE, "onnx", lambda: mock.patch.dict(RULES["onnx"], tanh=RULES["onnx"]["sigmoid"]), "output tanh("
    ),
    "torch: nn.Linear is off": Fault(
        NATIVE,
        "torch",
        lambda: natives("torch", "dense", shifted),
        "output tanh(",
    ),
    "torch: nn.BatchNorm2d forgets the momentum": Fault(
        NATIVE,
        "torch",
        lambda: mock.patch.dict(
            TABLES["torch"], batch_norm=with_keyword(TABLES["torch"]["batch_norm"], "momentum", 0.7)
        ),
        "output batch_norm(x)",
        "training",
    ),
    "torch: loops run backwards": Fault(
        FOLDING,
        "torch",
        lambda: mock.patch.object(Loops, "_header", reversed_loops(Loops._header)),  # pyright: ignore[reportPrivateUsage]
        "x = x -> step(scale)",
    ),
    "tensorflow: axes are not renamed": Fault(
        LAYOUT, "tensorflow", lambda: mock.patch.object(relayout, "renamed_axes", unrenamed), "joined ="
    ),
}
FAULT_PARAMETERS = [
    pytest.param(fault, marks=pytest.mark.slow if FAULTS[fault].backend == "tensorflow" else []) for fault in FAULTS
]


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    path = tmp_path_factory.mktemp("stages") / "net.dl"
    path.write_text(TEXT, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def run(unit: Unit, backend: Any, mode: str, workers: Workers) -> Case:
    settings = Settings(modes=(mode,), sizes=1, dims={"N": 4})
    (case,) = verify(unit, [backend], settings, workers).cases
    return case


def cause_of(case: Case) -> Cause:
    assert case.status == DISAGREES, f"{case.status} {case.message} {case.detail}"
    assert case.cause is not None, f"{case.message} {case.detail}"
    return case.cause


def line(cause: Cause) -> str:
    return TEXT.splitlines()[(cause.caller or cause.span).line - 1].strip()


@pytest.mark.parametrize("mode", ["inference", "training"])
@pytest.mark.parametrize("backend", ["torch", "onnx", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_control(unit: Unit, backend: str, mode: str, workers: Workers) -> None:
    case = run(unit, backend, mode, workers)
    assert case.status == AGREES, f"{case.message} {case.detail}"


@pytest.mark.parametrize("name", FAULT_PARAMETERS)
def test_the_stage_at_fault_is_named(unit: Unit, name: str, workers: Workers) -> None:
    fault = FAULTS[name]
    with fault.plant():
        cause = cause_of(run(unit, fault.backend, fault.mode, workers))
    assert (cause.stage, line(cause).startswith(fault.line)) == (fault.stage, True), f"{line(cause)}: {cause}"
    assert WORDS[fault.stage] in str(cause)


@pytest.mark.parametrize("backend", ["reference", "onnx", "torch"])
def test_another_layers_weights_are_named(unit: Unit, backend: str, workers: Workers) -> None:
    cause = cause_of(run(unit, Mutating(find_backend(backend), wrong_instances), "inference", workers))
    assert (cause.stage, line(cause)) == (WEIGHTS, "output first(x) * relu(second(x))"), f"{line(cause)}: {cause}"
