"""TensorFlow's layouts: each step of the assignment made wrong in turn. All axes have one size, so no shape tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from dlc import ir, networks
from dlc.backends.api import Unit
from dlc.backends.tensorflow import axes, compile, conversions, relayout
from dlc.passes.resolve import load_project
from dlc.spec.record import replace
from dlc.verify.report import AGREES, DISAGREES, FAILED, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers

TEXT = """block positions:
    input x: float[N, C, H, W]
    param table: float[C, H, W] ~ normal(0, 1)
    output x + table

block cell:
    input x: float[N, 6, 6, 6]
    state h: float[N, 6, 6, 6] = 0
    next h = tanh(conv2d(6, 3, padding=1)(x) + 0.5 * h)
    output next h

network Net:
    input image: float[N, 6, 6, 6]
    input video: float[N, 6, 6, 6, 6]
    y = image -> conv2d(6, 3, padding=1, bias=false) -> relu
    placed = positions(y)
    joined = concat([placed, image], axis=1)[:, 3:9] -> conv2d(6, 3, padding=1)
    padded = pad(joined, [[0, 0], [0, 0], [1, 0], [0, 0]])[:, :, :6]
    soft = softmax(padded, axis=2) -> conv2d(6, 3, padding=1)
    pooled = soft -> max_pool2d(3, stride=1, padding=1)
    flat = pooled -> flatten
    runs = scan(cell)(video)
    output flat
    output spread = variance(pooled, axis=2)
    output steps = runs.output
    output turned = transpose(pooled, [0, 3, 1, 2])
    output weighted = pooled * expand_dims(arange(6), 1)
"""


def loading(order: str) -> Callable[[str], Any]:
    """The helpers of generated files, where kernels of convolutions are loaded in another order."""

    def helpers(file: str) -> Any:
        found = dict(right(file))
        if "load_weights" in found:
            text = found["load_weights"].text
            wrong = text.replace("value.transpose(*range(2, value.ndim), 1, 0)", KERNEL.format(order=order))
            assert wrong != text
            found["load_weights"] = replace(found["load_weights"], text=wrong)
        return found

    right = compile.helpers
    return helpers


#: Matrices stay as they are.
KERNEL = "value.transpose(*(({order}) if value.ndim == 4 else (1, 0)))"


def drop_transposes(right: Callable[..., int]) -> Callable[..., int]:
    """Transposes that layouts need stand there, but move nothing: the sizes are all the same."""

    def convert(self: Any, op: str, name: str, source: int, value: Any, *rest: Any) -> int:
        return right(self, op, name, source, tuple(range(len(value))) if op == "transpose" else value, *rest)

    return convert


def same(value: Any, *_: Any) -> Any:
    return value


def unrenamed(equation: ir.Equation, rank: int) -> Any:
    return equation.attributes


def stacked_otherwise(right: Callable[[int, int], tuple[int, ...]]) -> Callable[[int, int], tuple[int, ...]]:
    """Height and width of each step change places."""

    def order(rank: int, axis: int) -> tuple[int, ...]:
        found = list(right(rank, axis))
        found[-3], found[-2] = found[-2], found[-3]
        return tuple(found)

    return order


#: What is replaced, and by what.
STEPS: dict[str, tuple[Any, str, Any]] = {
    "transposes between the layouts": (
        relayout.Relayout,
        "_convert",
        drop_transposes(relayout.Relayout._convert),  # pyright: ignore[reportPrivateUsage]
    ),
    "axes of attributes": (relayout, "renamed_axes", unrenamed),
    "entries for each axis": (axes, "permuted_static", same),
    "axes of a single number": (axes, "place", lambda axis, rank: axis % rank),
    "the order of channels-last": (axes, "permutation", lambda rank: (0, *range(rank - 1, 0, -1))),
    "order of memory": (conversions, "same_order", lambda shape, order: True),
    "stacked steps of a scan": (relayout, "stacked_order", stacked_otherwise(relayout.stacked_order)),
    "the axes of a kernel in canonical weights": (compile, "helpers", loading("3, 2, 1, 0")),
    "inputs and outputs of a kernel": (compile, "helpers", loading("*range(2, value.ndim), 0, 1")),
}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    path = tmp_path_factory.mktemp("layout") / "net.dl"
    path.write_text(TEXT, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def run(unit: Unit, workers: Workers, find_cause: bool = True) -> Case:
    settings = Settings(modes=("inference",), sizes=1, dims={"N": 6}, find_cause=find_cause)
    (case,) = verify(unit, ["tensorflow"], settings, workers).cases
    return case


def test_control(unit: Unit, workers: Workers) -> None:
    case = run(unit, workers)
    assert case.status == AGREES, f"{case.message} {case.detail} {case.cause}"


#: How the line begins that `verify` names.
NAMED = {
    "transposes between the layouts": "y",
    "axes of attributes": "joined",
    "the order of channels-last": "padded",
    "order of memory": "y",
    "the axes of a kernel in canonical weights": "y",
    "inputs and outputs of a kernel": "y",
}
#: What does not run at all, so that no line is looked for.
UNNAMED = {
    "entries for each axis": "shapes do not fit",
    "axes of a single number": "weights do not fit",
    "stacked steps of a scan": "seen, but what is tapped inside of the loop does not run",
}


def test_every_step_is_named_or_not() -> None:
    assert set(NAMED) | set(UNNAMED) == set(STEPS)
    assert not set(NAMED) & set(UNNAMED)


#: A Keras model takes a while to make: most steps are for the slow tests.
QUICK = {"transposes between the layouts"}
PARAMETERS = [pytest.param(step, marks=[] if step in QUICK else [pytest.mark.slow]) for step in STEPS]


@pytest.mark.parametrize("step", PARAMETERS)
def test_a_wrong_layout_is_named(step: str, unit: Unit, workers: Workers) -> None:
    owner, name, wrong = STEPS[step]
    with mock.patch.object(owner, name, wrong):
        case = run(unit, workers)
    if step in UNNAMED:
        assert case.status in (DISAGREES, FAILED), f"{case.status} {case.message} {case.detail}"
        return
    assert case.status == DISAGREES, f"{case.status} {case.message} {case.detail}"
    assert case.cause is not None, f"{case.message} {case.detail}"
    place = case.cause.caller or case.cause.span
    assert TEXT.splitlines()[place.line - 1].split()[0] == NAMED[step], str(case.cause)
