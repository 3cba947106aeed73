"""Worker processes: warm, limited, replaced when they die, and quiet."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dlc.verify.workers import MEBIBYTE, Job, Limits, WorkerError, Workers

RUNNER = "verify_doubles.counting"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(Limits(seconds=20)) as made:
        yield made


def job(entry: str) -> Job:
    return Job("folder", entry, "weights")


def evaluate(workers: Workers, entry: str, training: bool = False, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    return workers.evaluate(RUNNER, job(entry), inputs, training)


def failure(workers: Workers, entry: str) -> WorkerError:
    with pytest.raises(WorkerError) as caught:
        evaluate(workers, entry)
    return caught.value


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_stays_warm_and_loads_once(workers: Workers) -> None:
    first, second, other = evaluate(workers, "a"), evaluate(workers, "a"), evaluate(workers, "b")
    assert first["pid"] == second["pid"] == other["pid"] != os.getpid()
    assert [int(r["runs"]) for r in (first, second, other)] == [1, 2, 3]
    assert [int(r["loads"]) for r in (first, second, other)] == [1, 1, 2]
    assert first["threads"] == "1"


def test_training_starts_from_the_weights_each_time(workers: Workers) -> None:
    loads = [int(evaluate(workers, "a", training)["loads"]) for training in (False, True, True, False, False)]
    assert loads == [1, 1, 2, 3, 3]


def test_large_arrays_go_both_ways(workers: Workers) -> None:
    x = np.random.default_rng(0).normal(size=(1 << 21))
    np.testing.assert_array_equal(evaluate(workers, "a", x=x)["x"], x)


def test_noise_stays_out_of_the_answers_and_off_the_terminal(
    workers: Workers, capfd: pytest.CaptureFixture[str]
) -> None:
    assert int(evaluate(workers, "chatty")["runs"]) == 1
    assert int(evaluate(workers, "chatty")["runs"]) == 2
    assert capfd.readouterr() == ("", "")


def test_a_failing_runner_is_told_and_lives_on(workers: Workers) -> None:
    before = evaluate(workers, "a")["pid"]
    problem = failure(workers, "wrong")
    assert (problem.kind, problem.message) == ("failed", "RuntimeError: no kernel for this")
    assert "counting.py" in problem.detail
    assert failure(workers, "broken").message == "ValueError: the file is broken"
    assert evaluate(workers, "a")["pid"] == before


@pytest.mark.parametrize(("entry", "message"), [("killed", "killed by signal 9"), ("exits", "exit code 7")])
def test_a_dead_worker_is_told_and_replaced(workers: Workers, entry: str, message: str) -> None:
    before = int(evaluate(workers, "a")["pid"])
    problem = failure(workers, entry)
    assert problem.kind == "crashed"
    assert message in problem.message
    assert ("about to fall" in problem.detail) == (entry == "killed")
    after = evaluate(workers, "a")
    assert (int(after["runs"]), int(after["loads"])) == (1, 1)
    assert int(after["pid"]) != before


def test_a_hung_worker_is_stopped() -> None:
    with Workers(Limits(seconds=4)) as workers:
        evaluate(workers, "a")
        pid, started = workers.worker(RUNNER).pid, time.monotonic()
        problem = failure(workers, "hung")
        assert time.monotonic() - started < 30
        assert problem.kind == "timeout"
        assert "thinking" in problem.detail
        assert "4 s" in problem.message
        assert int(evaluate(workers, "a")["pid"]) != pid
        assert gone(pid)


def test_a_greedy_worker_is_stopped() -> None:
    with Workers(Limits(seconds=20, memory=300 * MEBIBYTE)) as workers:
        problem = failure(workers, "greedy")
        assert problem.kind == "memory"
        assert "the limit is 300" in problem.message


def test_a_grown_worker_is_recycled_between_models() -> None:
    with Workers(Limits(seconds=20, recycle=120 * MEBIBYTE)) as workers:
        pids = [int(evaluate(workers, "grows")["pid"]) for _ in range(3)]
        assert len(set(pids)) == 1  # one model stays where it is
        assert int(evaluate(workers, "a")["pid"]) != pids[0]


def test_a_runner_that_does_not_import(workers: Workers) -> None:
    with pytest.raises(WorkerError, match="ModuleNotFoundError"):
        workers.evaluate("verify_doubles.nowhere", job("a"), {}, False)


def test_leaving_ends_the_processes() -> None:
    with Workers() as workers:
        pid = int(evaluate(workers, "a")["pid"])
        assert not gone(pid)
    assert gone(pid)
