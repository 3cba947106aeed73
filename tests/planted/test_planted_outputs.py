"""Right networks whose outputs are spoilt on the way: what a comparison has to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, DISAGREES
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Job, Workers

Array = Any
TEXT = """network Net:
    input x: float[N, 8, 8]
    table = sum(x, axis=1)
    output scores = relu(x)
    output table
    output best = argmax(x, axis=2)
    output positive = table > 0
    output undefined = log(x)
"""
OUTPUTS = {"scores", "table", "best", "positive", "undefined"}


class Spoiling(Workers):
    """Runs as always; then one output is changed."""

    def __init__(self, inner: Workers, name: str, change: Callable[[Array], Array]) -> None:
        super().__init__()
        self.inner, self.name, self.change = inner, name, change

    def evaluate(self, runner: str, job: Job, inputs: Mapping[str, Any], training: bool) -> dict[str, Any]:
        found = self.inner.evaluate(runner, job, inputs, training)
        return found | {self.name: self.change(np.array(found[self.name]))}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    path = tmp_path_factory.mktemp("spoilt") / "net.dl"
    path.write_text(TEXT, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def verdicts(unit: Unit, workers: Workers) -> dict[str, str]:
    """The verdict on each output, batch of 8 so that the sizes of axes tell nothing."""
    settings = Settings(modes=("inference",), dims={"N": 8}, find_cause=False)
    (case,) = verify(unit, ["reference"], settings, workers).cases
    return {output.name: output.verdict for output in case.outputs}


def some(share: float, value: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Changes a share of the elements, spread evenly."""

    def change(array: Array) -> Array:
        flat = array.reshape(-1)
        chosen = np.arange(flat.size) % round(1 / share) == 0
        return np.where(chosen, value(flat), flat).astype(array.dtype).reshape(array.shape)

    return change


def where_zero(value: float) -> Callable[[Array], Array]:
    return lambda array: np.where(array == 0, np.float32(value), array)


def sorted_all(array: Array) -> Array:
    """The right numbers in another order: a checker that sorts both sides sees nothing."""
    return np.sort(array, axis=None).reshape(array.shape)


SPOILT: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "integers off by one in 2 %": ("best", some(0.02, lambda a: a + 1)),
    "one bool": ("positive", some(1 / 64, np.logical_not)),
    "integers of another width": ("best", lambda a: a.astype(np.int32)),
    "floats of another width": ("table", lambda a: a.astype(np.float64)),
    "NaN in place of 0": ("scores", where_zero(float("nan"))),
    "infinity in place of 0": ("scores", where_zero(float("inf"))),
    "0 in place of NaN": ("undefined", lambda a: np.nan_to_num(a, nan=0.0)),
    "a large number in place of -infinity": ("undefined", lambda a: np.where(np.isnan(a), np.float32(-3e38), a)),
    "infinity once": ("table", some(1 / 64, lambda a: a * np.inf)),
    "batch and channels swapped": ("table", np.transpose),
    "two equal axes swapped": ("scores", lambda a: np.swapaxes(a, 1, 2)),
    "rows in reverse": ("table", lambda a: a[::-1]),
    "right numbers in another order": ("scores", sorted_all),
    "one row short": ("table", lambda a: a[:-1]),
    "an axis of 1 more": ("table", lambda a: a[..., None]),
    "a little too large": ("table", lambda a: a * np.float32(1.0001)),
    "one element a little off": ("scores", some(1 / 512, lambda a: a + np.float32(1e-3))),
    "all zero": ("table", np.zeros_like),
    "the other sign": ("table", np.negative),
}


def test_control(unit: Unit, workers: Workers) -> None:
    assert verdicts(unit, workers) == dict.fromkeys(OUTPUTS, AGREES)


@pytest.mark.parametrize("fault", SPOILT)
def test_a_spoilt_output_is_seen_and_no_other(fault: str, unit: Unit, workers: Workers) -> None:
    name, change = SPOILT[fault]
    found = verdicts(unit, Spoiling(workers, name, change))
    assert found == dict.fromkeys(OUTPUTS, AGREES) | {name: DISAGREES}


def test_a_missing_output_and_one_too_many(unit: Unit, workers: Workers) -> None:
    class Renaming(Spoiling):
        def evaluate(self, runner: str, job: Job, inputs: Mapping[str, Any], training: bool) -> dict[str, Any]:
            found = self.inner.evaluate(runner, job, inputs, training)
            return {"tables" if name == "table" else name: value for name, value in found.items()}

    found = verdicts(unit, Renaming(workers, "table", np.negative))
    assert {name for name, verdict in found.items() if verdict == DISAGREES} == {"table", "tables"}
