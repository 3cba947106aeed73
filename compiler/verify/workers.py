"""Worker processes, one per framework, kept warm from model to model.

A worker is killed when it outlasts the time limit or outgrows the memory limit, and started again for the next job; it
is recycled between models when it has grown beyond `recycle` (TensorFlow never gives memory back). What it prints goes
to a file; its end is part of the failure.
"""

from __future__ import annotations

import os
import pickle
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

MEBIBYTE = 1 << 20
_POLL = 0.1  # seconds between looks at a busy worker's memory
_LOG_LINES = 12

#: One thread (two on busy cores are slower than one, and results repeat), no GPU, no chatter; set before any import.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` for one request, `memory` and `recycle` in bytes of resident memory."""

    seconds: float = 300.0
    memory: int = 12 << 30
    recycle: int = 3 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """A compiled network: where its files are, what the runner is to find, its weights."""

    folder: str
    entry: str
    weights: str
    precision: str = "f32"


class WorkerError(Exception):
    """A worker gave no result. kind: "failed" (the runner raised), "crashed", "timeout" or "memory"."""

    def __init__(self, kind: str, message: str, detail: str = ""):
        super().__init__(message)
        self.kind, self.message, self.detail = kind, message, detail


class Worker:
    """One process. `load` and `run` raise the runner's DlcError, or WorkerError: after any but "failed" it is dead."""

    def __init__(self, runner: str, limits: Limits):
        self.runner, self.limits = runner, limits
        self.loaded: Job | None = None
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dlc.verify.worker", runner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **ENVIRONMENT},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def memory(self) -> int:
        """Resident memory in bytes, 0 where it can't be told."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def load(self, job: Job) -> None:
        self.loaded = None
        self._request(("load", job.folder, job.entry, job.weights, job.precision))
        self.loaded = job

    def run(self, inputs: Mapping[str, Any], training: bool) -> dict[str, Any]:
        return self._request(("run", dict(inputs), training))

    def close(self) -> None:
        """Ends the process and waits for it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with suppress(OSError):
                if stream is not None:
                    stream.close()

    def _request(self, request: tuple[Any, ...]) -> Any:
        deadline = time.monotonic() + self.limits.seconds
        data = pickle.dumps(request, protocol=5)
        self._send(len(data).to_bytes(8, "little") + data, deadline)
        length = int.from_bytes(self._receive(8, deadline), "little")
        answer = pickle.loads(self._receive(length, deadline))
        if answer[0] == "failed":
            raise WorkerError("failed", answer[1], answer[2])
        if answer[0] == "refused":
            raise answer[1]
        return answer[1]

    def _send(self, data: bytes, deadline: float) -> None:
        assert self._process.stdin is not None
        descriptor = self._process.stdin.fileno()
        os.set_blocking(descriptor, False)
        rest = memoryview(data)
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_WRITE)
            while rest:
                self._watch(deadline)
                if not selector.select(_POLL):
                    continue
                try:
                    rest = rest[os.write(descriptor, rest[: 1 << 16]) :]
                except BrokenPipeError as problem:
                    raise self._dead() from problem

    def _receive(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while count:
                self._watch(deadline)
                if not selector.select(_POLL):
                    continue
                part = os.read(descriptor, min(count, MEBIBYTE))
                if not part:
                    raise self._dead()
                parts.append(part)
                count -= len(part)
        return b"".join(parts)

    def _watch(self, deadline: float) -> None:
        """Kills the worker where it is beyond a limit."""
        if time.monotonic() > deadline:
            self._kill()
            message = f"no answer within {self.limits.seconds:g} s; the worker was stopped"
            raise WorkerError("timeout", message, self._noise())
        if self.memory > self.limits.memory:
            used = self.memory // MEBIBYTE
            self._kill()
            message = f"the worker used {used} MiB, the limit is {self.limits.memory // MEBIBYTE}; it was stopped"
            raise WorkerError("memory", message, self._noise())

    def _kill(self) -> None:
        """Kills and reaps: a worker that still counts as running would be given the next job."""
        self._process.kill()
        self._process.wait()

    def _dead(self) -> WorkerError:
        code = self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return WorkerError("crashed", f"the worker process {how}", self._noise())

    def _noise(self) -> str:
        """The last lines that the process printed."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])


class Workers:
    """The workers of one `verify`, by runner. Use it as a context: leaving ends all processes."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self._workers: dict[str, Worker] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def worker(self, runner: str) -> Worker:
        """The live worker of a runner, started if needed."""
        worker = self._workers.get(runner)
        if worker is not None and worker.alive:
            return worker
        if worker is not None:
            worker.close()
        self._workers[runner] = Worker(runner, self.limits)
        return self._workers[runner]

    def evaluate(self, runner: str, job: Job, inputs: Mapping[str, Any], training: bool) -> dict[str, Any]:
        """Runs a network; in training from the weights of the file, whatever ran before. Raises as `Worker` does."""
        worker = self.worker(runner)
        if worker.loaded != job and worker.memory > self.limits.recycle:
            worker.close()
            worker = self.worker(runner)
        if worker.loaded != job:
            worker.load(job)
        result = worker.run(inputs, training)
        if training:  # buffers have moved
            worker.loaded = None
        return result
