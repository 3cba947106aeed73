"""A worker process: `python -m dlc.verify.worker <runner module>`. See `dlc.verify.workers` for the other end.

Requests come on standard input, answers go to what was standard output: each a length of 8 bytes and a pickle. What
frameworks print goes to standard error, which the parent keeps in a file. A failure of the runner is an answer, and
a DlcError one of its own; only a dead process is none.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from importlib import import_module
from typing import Any, BinaryIO

from dlc.diagnostics import DlcError


def read_message(stream: BinaryIO) -> Any:
    """The next message; EOFError where the stream ends."""
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    return pickle.loads(stream.read(int.from_bytes(head, "little")))


def write_message(stream: BinaryIO, message: object) -> None:
    data = pickle.dumps(message, protocol=5)
    stream.write(len(data).to_bytes(8, "little"))
    stream.write(data)
    stream.flush()


def main(runner_module: str) -> None:
    """Answers requests until the stream ends."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    runner: Any = None
    while True:
        try:
            request = read_message(requests)
        except EOFError:
            return
        try:
            if runner is None:
                runner = import_module(runner_module).Runner()
            answer = ("done", _answer(runner, request))
        except DlcError as problem:
            answer = ("refused", problem)
        except Exception as problem:
            answer = ("failed", f"{type(problem).__name__}: {problem}", traceback.format_exc())
        write_message(answers, answer)


def _answer(runner: Any, request: tuple[Any, ...]) -> Any:
    import numpy as np

    word, *arguments = request
    if word == "load":
        runner.load(*arguments)
        return None
    inputs, training = arguments
    return {name: np.asarray(value) for name, value in runner.run(inputs, training).items()}


if __name__ == "__main__":
    main(sys.argv[1])
