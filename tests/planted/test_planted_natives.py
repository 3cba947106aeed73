"""Each native layer of each backend made wrong in turn, or used where its condition says no."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dlc.backends.api import Unit
from dlc.verify.report import AGREES, DISAGREES, FAILED, Case
from dlc.verify.run import Settings, verify
from dlc.verify.stage import NATIVE
from dlc.verify.workers import Workers
from native_specs import HARMLESS, INSIDE, LINE, NOT_RUN, OUTSIDE, unit_of
from wrong_natives import TABLES, block_of, everywhere, is_unconditional, shifted

NATIVES = [(backend, key) for backend, table in TABLES.items() for key in table]
RUN = [pair for pair in NATIVES if block_of(pair[1]) not in NOT_RUN]
#: A Keras model takes a while to make: these are for the slow tests.
PAIRS = [
    pytest.param(
        backend,
        key,
        id=f"{backend}-{block_of(key)}",
        marks=[pytest.mark.slow] if backend == "tensorflow" else [],
    )
    for backend, key in RUN
]


def cases(backend: str, unit: Unit, workers: Workers, find_cause: bool = False) -> tuple[Case, ...]:
    settings = Settings(sizes=1, find_cause=find_cause)
    return verify(unit, [backend], settings, workers).cases


def planted(backend: str, key: Any, native: Any) -> Any:
    return mock.patch.dict(TABLES[backend], {key: native})


@pytest.mark.parametrize(("backend", "key"), NATIVES)
def test_every_native_has_specs(backend: str, key: Any) -> None:
    assert block_of(key) in INSIDE or block_of(key) in NOT_RUN


@pytest.mark.parametrize(("backend", "key"), PAIRS)
def test_every_condition_has_a_spec_outside(backend: str, key: Any) -> None:
    place = (backend, block_of(key))
    assert is_unconditional(TABLES[backend][key]) or place in OUTSIDE or place in HARMLESS


@pytest.mark.parametrize(("backend", "key"), PAIRS)
def test_a_wrong_native_is_named(backend: str, key: Any, workers: Workers, tmp_path: Path) -> None:
    """In each spec for which the backend takes the native at all, which is at least one."""
    seen = 0
    with planted(backend, key, shifted(TABLES[backend][key])):
        for kind, expression in INSIDE[block_of(key)]:
            for case in cases(backend, unit_of(tmp_path, kind, expression), workers, find_cause=True):
                seen += case.status != AGREES
                if case.status != AGREES:
                    assert case.status == DISAGREES, case.message + case.detail
                    assert case.cause is not None
                    assert (Path(case.cause.span.file).name, case.cause.span.line) == ("native.dl", LINE)
                    assert case.cause.stage == NATIVE, str(case.cause)
    assert seen


@pytest.mark.parametrize(("backend", "key"), PAIRS)
def test_control(backend: str, key: Any, workers: Workers, tmp_path: Path) -> None:
    for kind, expression in [*INSIDE[block_of(key)], *OUTSIDE.get((backend, block_of(key)), [])]:
        for case in cases(backend, unit_of(tmp_path, kind, expression), workers):
            assert case.status == AGREES, f"{expression}: {case.message} {case.detail}"


OUTSIDES = [
    pytest.param(*place, *spec, marks=[pytest.mark.slow] if place[0] == "tensorflow" else [])
    for place, specs in OUTSIDE.items()
    for spec in specs
]


@pytest.mark.parametrize(("backend", "block", "kind", "expression"), OUTSIDES)
def test_a_native_outside_of_its_condition_is_seen(
    backend: str, block: str, kind: str, expression: str, workers: Workers, tmp_path: Path
) -> None:
    (key,) = [key for key in TABLES[backend] if block_of(key) == block]
    with planted(backend, key, everywhere(TABLES[backend][key])):
        found = cases(backend, unit_of(tmp_path, kind, expression), workers)
    assert {case.status for case in found} & {DISAGREES, FAILED}
