"""Each op on each backend in each precision, and a wrong one caught."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any
from unittest import mock

import pytest
from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Site, apply
from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply
from dlc.backends.onnx.rules import RULES as ONNX_RULES
from dlc.backends.tensorflow.rules import RULES as TENSORFLOW_RULES
from dlc.backends.torch.rules import RULES as TORCH_RULES
from dlc.ops import OPS
from dlc.verify.report import DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from planted_ops import Branches, branches
from precision_gaps import BACKENDS, GAPS, PRECISIONS, lacking, require_right


def case_of(net: Branches, backend: str, precision: str, workers: Workers, find_cause: bool = False) -> Case:
    settings = Settings(modes=("inference",), inputs=net.inputs, precision=precision, find_cause=find_cause)
    (case,) = verify(net.unit, [backend], settings, workers).cases
    return case


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_each_op(backend: str, precision: str, workers: Workers) -> None:
    met: set[str | None] = set()
    for op in OPS:
        case = case_of(branches([op], backend), backend, precision, workers)
        require_right(case, precision)
        met.add(lacking(case, precision))
    if (backend, precision) != ("onnx", "bf16"):
        assert met - {None} == GAPS[backend, precision]


def through_float32(rule: Any, template: str) -> Any:
    """A Python backend's rule, its result rounded to float32."""

    def wrong(site: Site) -> ast.expr:
        return quote(template, apply(rule, site))

    return wrong


def onnx_through_float32(rule: Any) -> Any:
    def wrong(b: Builder, use: Apply) -> Any:
        result: Value = rule(b, use)
        result.hint = result.hint or "right"
        return b.cast(b.cast(result, "f32"), use.types[0].dtype)

    return wrong


PLANTS: Mapping[str, tuple[dict[str, Any], Any]] = {
    "torch": (TORCH_RULES, lambda rule: through_float32(rule, "$0.float().double()")),  # type: ignore[dict-item]
    "tensorflow": (
        TENSORFLOW_RULES,  # type: ignore[dict-item]
        lambda rule: through_float32(rule, "ops.cast(ops.cast($0, 'float32'), 'float64')"),
    ),
    "onnx": (ONNX_RULES, onnx_through_float32),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_op_in_float32_is_caught(backend: str, workers: Workers) -> None:
    net = branches(["tanh", "exp", "matmul"], backend, most=1)
    require_right(case_of(net, backend, "f64", workers), "f64")
    rules, plant = PLANTS[backend]
    with mock.patch.dict(rules, {"exp": plant(rules["exp"])}):
        case = case_of(net, backend, "f64", workers, find_cause=True)
    assert case.status == DISAGREES
    assert case.cause is not None
    assert case.cause.op == "exp"
    assert {net.outputs[output.name] for output in case.outputs if output.verdict == DISAGREES} == {"exp"}
